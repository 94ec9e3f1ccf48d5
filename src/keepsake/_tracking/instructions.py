"""Instructions: what a courier is told when it is started, and where its own files are.

They go through a pipe, since options may hold credentials, which have no place among a process's arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from keepsake._repository.heartbeat import HEARTBEAT_INTERVAL_S
from keepsake.machine import boot_id, host_name


@dataclass(frozen=True, slots=True)
class Instructions:
    """Which repository a courier serves, and how patiently."""

    repository_url: str
    """To open it by; may hold credentials."""
    store_url: str
    """What sessions and messages call it: the same without credentials."""
    locks: Path
    """Directory of the session locks, and of the courier's own files."""
    staging: Path
    """Directory of this user's staging repositories."""
    repository_options: Mapping[str, object] = field(default_factory=dict)
    poll_s: float = 0.25
    """How long it sleeps when there is nothing to do: so late a checkpoint is begun with, and a death noticed. A round
    in which nothing happens takes 0.6 ms of processor time."""
    heartbeat_s: float = HEARTBEAT_INTERVAL_S
    deliver_s: float = 10.0
    """How often staging is delivered while something is added to it."""
    idle_s: float = 3.0
    """How long after the last work it ends: a script that follows at once finds it running."""
    give_up_s: float = 300.0
    """How long it tries when nothing works; whoever begins a session then starts another one."""
    collect_s: float = 24 * 3600.0
    """How often it collects the repository, at most."""
    pack_chance: float = 1 / 256
    """How likely it packs journals while it serves a repository beyond a network: of all machines together, one courier
    in so many does, and nobody has to count."""

    @property
    def lock_path(self) -> Path:
        """The file that the courier holds locked for as long as it lives."""
        return self.locks / f"{host_name()}.{boot_id()}.{self._digest()}.courier"

    @property
    def log_path(self) -> Path:
        """The file with what the last courier of this repository had to say."""
        return self.locks / f"{host_name()}.{self._digest()}.courier.log"

    def to_document(self) -> dict[str, Any]:
        """Return what `from_document` takes, of JSON types."""
        return asdict(self) | {"locks": str(self.locks), "staging": str(self.staging)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Instructions:
        """Make instructions from what `to_document` returned."""
        paths = {"locks": Path(document["locks"]), "staging": Path(document["staging"])}
        return cls(**{**document, **paths})

    def _digest(self) -> str:
        import hashlib  # 5 ms, which a listing need not spend

        return hashlib.blake2b(self.store_url.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
