"""Repositories of format 1 for tests: the golden one, and ones that are made by hand to be odd or damaged."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent.parent / "golden" / "format-1"

EXPERIMENT = "a" * 64
CHECKPOINT = "b" * 64


def expected() -> dict[str, Any]:
    """Return what was given to the program that wrote the golden repository, by scenario."""
    document: dict[str, Any] = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))
    return document


def write_repository(root: Path, *experiments: Mapping[str, Any]) -> Path:
    """Write a repository with the JSON of some experiments."""
    (root / "metadata" / "experiments").mkdir(parents=True)
    (root / "repository.json").write_text('{"version":1}', encoding="ascii")
    for experiment in experiments:
        write_metadata(root, experiment)
    return root


def write_metadata(root: Path, experiment: Mapping[str, Any]) -> None:
    """Write the JSON of one experiment, in place as the old program does."""
    path = root / "metadata" / "experiments" / f"{experiment['id']}.json"
    path.write_text(json.dumps(experiment, indent=1), encoding="utf-8")


def experiment(experiment_id: str = EXPERIMENT, **fields: Any) -> dict[str, Any]:
    """Return the JSON of an experiment."""
    return {"id": experiment_id, "created": "2021-01-02T03:04:05.123456789Z", "checkpoints": None} | fields


def checkpoint(checkpoint_id: str = CHECKPOINT, **fields: Any) -> dict[str, Any]:
    """Return the JSON of a checkpoint."""
    return {"id": checkpoint_id, "created": "2021-01-02T03:04:06Z", "step": 0, "path": ""} | fields


def write_tarball(path: Path, members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> None:
    """Write a tarball whose members say what they like."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(tarball(members))


def tarball(members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """Return a gzipped tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:", format=tarfile.PAX_FORMAT) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


def file_member(name: str, content: bytes = b"content") -> tuple[tarfile.TarInfo, bytes]:
    """Return a regular file for `write_tarball`."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info, content


def special_member(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    """Return a link or device for `write_tarball`."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info, b""


def hash_tree(root: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below `root`."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
