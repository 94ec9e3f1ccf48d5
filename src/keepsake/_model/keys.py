"""Every key of a repository, built and taken apart here and nowhere else (docs/format.md describes them)."""

from __future__ import annotations

import re
from dataclasses import dataclass

REPOSITORY = "repository.json"
JOURNALS = "journals/"
HEARTBEATS = "heartbeats/"
MANIFESTS = "manifests/"
CHUNKS = "chunks/"
INTENTS = "intents/"
GARBAGE = "garbage/"
PACKS = "packs/"

OPEN = "open"
_SUFFIX = ".jsonl"


SPREAD_PLACES = 1 << 16
"""Into so many equal parts are the names divided that begin with an id or a digest, over which they are spread."""
_SPREAD_NAME = re.compile("([0-9a-f]{2})/\\1([0-9a-f]{2})")


def place_of_name(name: str) -> int | None:
    """Say in which part of all names in its directory this one is, such as that of a chunk; None for any other."""
    match = _SPREAD_NAME.match(name)
    return int(match[1] + match[2], 16) if match else None


def spread_name(place: int) -> str:
    """Return what all names in this part are greater than, and those of the parts before it are not."""
    digits = f"{place:04x}"
    return f"{digits[:2]}/{digits}"


def chunk_key(digest: str) -> str:
    """Key of a chunk's first copy."""
    return f"{CHUNKS}{digest[:2]}/{digest}"


def manifest_key(digest: str) -> str:
    """Key of a manifest."""
    return f"{MANIFESTS}{digest[:2]}/{digest}"


def digest_of_key(key: str) -> str:
    """Digest that a chunk's or manifest's key names, without the suffix of a further copy."""
    return key.rsplit("/", 1)[1].partition(".")[0]


def copy_key(first_key: str, random: str) -> str:
    """Key of a further copy of a chunk or manifest."""
    return f"{first_key}.{random}"


def intent_key(session_id: str, random: str) -> str:
    """Key of an intent of a session."""
    return f"{INTENTS}{session_id}.{random}.json"


def intents_prefix(session_id: str) -> str:
    """Prefix of the intents of one session."""
    return f"{INTENTS}{session_id}."


def garbage_key(time: str, random: str) -> str:
    """Key of a garbage list that was made at `time`."""
    return f"{GARBAGE}{time.replace(':', '-')}.{random}.json"


def pack_key(time: str, random: str) -> str:
    """Key of a pack that was made at `time`."""
    return f"{PACKS}{time.replace(':', '-')}.{random}"


def heartbeat_key(experiment_id: str, session_id: str) -> str:
    """Key of a session's heartbeat."""
    return f"{HEARTBEATS}{experiment_id}.{session_id}.json"


def parse_heartbeat_key(key: str) -> tuple[str, str] | None:
    """Take a heartbeat's key apart into experiment id and session id; None for anything else."""
    name, dot, ending = key.removeprefix(HEARTBEATS).rpartition(".")
    experiment_id, _, session_id = name.partition(".")
    if not dot or ending != "json" or not experiment_id or not session_id:
        return None
    return experiment_id, session_id


def journals_prefix(experiment_id_prefix: str = "") -> str:
    """Prefix of the segments of one experiment (or of those whose id begins so, from two digits on)."""
    if len(experiment_id_prefix) < 2:
        return JOURNALS + experiment_id_prefix
    return f"{JOURNALS}{experiment_id_prefix[:2]}/{experiment_id_prefix}"


@dataclass(frozen=True, slots=True)
class SegmentName:
    """What the key of a journal segment says."""

    experiment_id: str
    session_id: str
    number: int
    size_bytes: int | None
    """Length when sealed; None while its writer still appends."""

    @property
    def place(self) -> bytes:
        """What the checksum of each line of this segment begins with, sealed or not."""
        return f"{self.experiment_id}.{self.session_id}.{self.number}".encode("ascii")

    @property
    def key(self) -> str:
        """The key itself."""
        size = OPEN if self.size_bytes is None else str(self.size_bytes)
        name = f"{self.experiment_id}.{self.session_id}.{self.number}.{size}{_SUFFIX}"
        return f"{JOURNALS}{self.experiment_id[:2]}/{name}"


def parse_segment_key(key: str) -> SegmentName | None:
    """Take the key of a journal segment apart; None for anything else that lies among the journals."""
    name = key.rsplit("/", 1)[-1]
    if not name.endswith(_SUFFIX):
        return None
    parts = name[: -len(_SUFFIX)].split(".")
    if len(parts) != 4 or not parts[2].isdecimal() or not (parts[3] == OPEN or parts[3].isdecimal()):
        return None
    experiment_id, session_id, number, size = parts
    return SegmentName(experiment_id, session_id, int(number), None if size == OPEN else int(size))
