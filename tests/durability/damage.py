"""A repository of three experiments, copies of it to damage, and ways to damage them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keepsake import Project
from keepsake.errors import KeepsakeError
from tests.durability.scripts import open_repository, sha

MAKING = """
    import hashlib, json, os, random
    from pathlib import Path

    import keepsake

    rng = random.Random(7)
    truth = {}

    def save(experiment, *contents):
        for number, content in enumerate(contents):
            Path("weights.bin").write_bytes(content)
            one = experiment.checkpoint(path="weights.bin", metrics={"loss": rng.random()})
            truth[one.id] = [experiment.id, one.metrics["loss"], hashlib.sha256(content).hexdigest()]

    text = Path(os.__file__).read_bytes()
    floats = b"".join(rng.randbytes(3) + b"\\x3f" for _ in range(100_000))

    long = keepsake.init(path="train.py", params={"which": "long"}, quiet=True)
    save(long, text, rng.randbytes(200_000))
    for number in range(300):
        long.log(note="x" * 1000, number=number)
    save(long, floats)
    long.stop()

    short = keepsake.init(params={"which": "short"}, quiet=True)
    save(short, text, text[::-1])
    short.stop()

    killed = keepsake.init(path="train.py", params={"which": "killed"}, quiet=True)
    save(killed, rng.randbytes(50_000), text[1000:])
    print(json.dumps(truth), flush=True)
    os._exit(1)
"""


@dataclass
class Survey:
    """What can be read of a repository."""

    listed: set[str] = field(default_factory=set)
    """Ids of experiments."""
    checkpoints: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    """Checkpoints whose file was read to its end."""
    errors: dict[str, KeepsakeError] = field(default_factory=dict)


@dataclass
class Copy:
    """A copy of the repository to damage, and what is true of it."""

    root: Path
    truth: dict[str, list[Any]]

    @property
    def project(self) -> Project:
        return Project(repository=str(self.root), directory=self.root.parent)

    def keys(self, prefix: str) -> list[str]:
        return sorted(info.key for info in open_repository(self.root).store.list(prefix))

    def path(self, key: str) -> Path:
        return self.root / key

    def survey(self) -> Survey:
        """Read everything that can be read, and make sure that all of it is right."""
        survey = Survey()
        for experiment in self.project.experiments.list():
            survey.listed.add(experiment.id)
            assert experiment.status in ("finished", "lost", "running")
            for one in experiment.checkpoints:
                survey.checkpoints.add(one.id)
                assert [one.experiment_id, one.metrics["loss"]] == self.truth[one.id][:2]
                try:
                    with one.open("weights.bin") as file:
                        assert sha(file.read()) == self.truth[one.id][2]
                    survey.read.add(one.id)
                except KeepsakeError as error:
                    survey.errors[one.id] = error
        return survey


def lose(path: Path, _: Path) -> None:
    path.unlink()


def truncate(path: Path, _: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])


def cut_last_byte(path: Path, _: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path, _: Path) -> None:
    path.write_bytes(b"")


def swap(path: Path, other: Path) -> None:
    path.write_bytes(other.read_bytes())


def lengthen(path: Path, other: Path) -> None:
    path.write_bytes(path.read_bytes() + other.read_bytes())


Damage = Callable[[Path, Path], None]
DAMAGES: list[Damage] = [lose, truncate, cut_last_byte, empty, swap, lengthen]


def flip_byte(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 0x11
    path.write_bytes(data)


def positions(path: Path, count: int) -> list[int]:
    """Return positions in a file: the first and the last bytes, and others spread over it."""
    size = path.stat().st_size
    return sorted({*range(min(6, size)), size - 1, *range(0, size, max(1, size // count))})
