"""Manifests: the saved state of a path at one moment, as sorted entries that point into chunks.

Encoded as ASCII JSON, so that names in any encoding survive (as `surrogateescape` strings) and a person can read one
with `zstd -d | jq`. Extents point into a table of the digests, which stand there once each.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal, TypeAlias, cast, get_args

from keepsake._model.ids import is_id
from keepsake.errors import CorruptionError, UnsupportedVersionError

MANIFEST_VERSION = 1

Kind: TypeAlias = Literal["file", "directory", "link", "missing"]
_KINDS = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a stretch of a file lies: bytes `start` to `stop` (exclusive) of what the chunk `digest` decodes to."""

    digest: str
    start: int
    stop: int

    @property
    def size_bytes(self) -> int:
        """Length of the stretch."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a snapshot, relative to the project directory, `/`-separated."""

    path: str
    kind: Kind
    executable: bool = False
    extents: tuple[Extent, ...] = ()
    target: str = ""
    """Of a link: where it points, as written."""
    reason: str = ""
    """Of a missing file: why it could not be saved."""

    @property
    def size_bytes(self) -> int:
        """Length of a file; 0 for everything else."""
        return sum(extent.stop - extent.start for extent in self.extents)


_path_of = attrgetter("path")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A snapshot: its entries in the order of their paths. Only empty directories have an entry."""

    entries: tuple[Entry, ...]

    @property
    def size_bytes(self) -> int:
        """Total length of the files."""
        return sum(entry.size_bytes for entry in self.entries)

    def digests(self) -> set[str]:
        """The digests of every chunk that the entries point into."""
        return {extent.digest for entry in self.entries for extent in entry.extents}

    def chunk_lengths(self) -> dict[str, int]:
        """The lengths of those chunks, by digest: a chunk ends where the last extent in it does."""
        lengths: dict[str, int] = {}
        for entry in self.entries:
            for extent in entry.extents:
                lengths[extent.digest] = max(lengths.get(extent.digest, 0), extent.stop)
        return lengths

    def find(self, path: str) -> Entry | None:
        """Return the entry of `path`, if there is one."""
        place = bisect_left(self.entries, path, key=_path_of)
        found = self.entries[place : place + 1]
        return found[0] if found and found[0].path == path else None


def encode_manifest(manifest: Manifest) -> bytes:
    """Encode a manifest; equal manifests give equal bytes."""
    table: dict[str, int] = {}
    rows = [_encode_entry(entry, table) for entry in sorted(manifest.entries, key=lambda entry: entry.path)]
    document = {"version": MANIFEST_VERSION, "chunks": list(table), "entries": rows}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def decode_manifest(data: bytes) -> Manifest:
    """Decode a manifest.

    Raises:
        UnsupportedVersionError: a newer Keepsake wrote it.
        CorruptionError: these bytes are no manifest.
    """
    try:
        document = json.loads(data)
        version = document["version"]
        if version != MANIFEST_VERSION:
            raise UnsupportedVersionError(
                f"this manifest has version {version!r}, and this Keepsake reads version {MANIFEST_VERSION}",
                hint="use a newer Keepsake",
            )
        digests, rows = document["chunks"], document["entries"]
        if (
            type(digests) is not list
            or type(rows) is not list
            or not all(type(digest) is str and is_id(digest) for digest in digests)
        ):
            raise ValueError("its chunks and entries are not lists of digests and rows")
        return Manifest(tuple(_decode_entry(row, digests) for row in rows))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptionError(f"not a manifest: {type(error).__name__}: {error}") from error


def _encode_entry(entry: Entry, table: dict[str, int]) -> dict[str, Any]:
    row: dict[str, Any] = {"path": entry.path, "kind": entry.kind}
    if entry.executable:
        row["executable"] = True
    if entry.kind == "file":
        flat: list[int] = []
        for extent in entry.extents:
            flat += (table.setdefault(extent.digest, len(table)), extent.start, extent.stop)
        row["extents"] = flat
    if entry.target:
        row["target"] = entry.target
    if entry.reason:
        row["reason"] = entry.reason
    return row


def _decode_entry(row: dict[str, Any], digests: list[str]) -> Entry:
    # Called for each of a hundred thousand files: a generator for each check took four times as long.
    path, kind, target, reason = row["path"], row["kind"], row.get("target", ""), row.get("reason", "")
    if kind not in _KINDS:
        raise ValueError(f"unknown kind of entry {kind!r}")
    if not (type(path) is str and type(target) is str and type(reason) is str):
        raise ValueError("a path, target or reason is no text")
    flat = row.get("extents")
    extents = _decode_extents(flat, digests) if flat else ()
    return Entry(path, cast(Kind, kind), bool(row.get("executable", False)), extents, target, reason)


def _decode_extents(flat: list[int], digests: list[str]) -> tuple[Extent, ...]:
    if len(flat) % 3:
        raise ValueError("extents are not triples of whole numbers")
    extents: list[Extent] = []
    for index, start, stop in zip(flat[::3], flat[1::3], flat[2::3], strict=True):
        if not (type(index) is int and type(start) is int and type(stop) is int and index >= 0):
            raise ValueError("extents are not triples of whole numbers")
        if not 0 <= start <= stop:
            raise ValueError("an extent begins before its chunk, or ends before it begins")
        extents.append(Extent(digests[index], start, stop))
    return tuple(extents)
