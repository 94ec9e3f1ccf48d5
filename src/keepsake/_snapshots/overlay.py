"""What a checkout will write: manifests laid over each other, and every path checked. Pure.

Who reads a repository may not trust who wrote it, so a manifest that could make a checkout write outside of its target
is refused whole, before anything is written.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from keepsake._model.manifest import Entry, Manifest
from keepsake._snapshots.paths import ancestors, name_nearest, why_unusable, why_unusable_on_windows
from keepsake.errors import ConflictError, CorruptionError, FileNotSavedError


@dataclass(frozen=True, slots=True)
class CheckoutPlan:
    """What a checkout will write: entries sorted by path, of which none lies at or below another but in directories."""

    entries: tuple[Entry, ...]

    @property
    def size_bytes(self) -> int:
        """Total length of the files."""
        return sum(entry.size_bytes for entry in self.entries)

    @property
    def missing(self) -> tuple[Entry, ...]:
        """What the snapshots do not hold, since it could not be read when they were saved."""
        return tuple(entry for entry in self.entries if entry.kind == "missing")


def plan_checkout(manifests: Sequence[Manifest], only: str | None = None) -> CheckoutPlan:
    """Lay manifests over each other, later ones on top.

    A later entry replaces an earlier one of the same path, and what stands in its way: a file or link where it needs a
    directory, a directory with all that is in it where it is a file or link. Directories are merged. What the later
    snapshot misses is not taken from an earlier one: that would be another version.

    Args:
        manifests: the snapshots, the bottom one first.
        only: a file or directory to take alone, with all that is in it; None or "." for everything.

    Raises:
        FileNotSavedError: there is nothing at `only`; the nearest paths are named.
        CorruptionError: a manifest holds a path that no snapshot may hold, or contradicts itself.
    """
    entries: dict[str, Entry] = {}
    for manifest in manifests:
        check_manifest(manifest)
        entries = _overlay(entries, manifest.entries)
    chosen = _drop_filled_directories(entries)
    wanted = (only or "").strip("/").removeprefix("./")
    if wanted not in ("", "."):
        inside = [entry for entry in chosen if entry.path == wanted or entry.path.startswith(f"{wanted}/")]
        if not inside:
            raise _unknown(wanted, entries)
        chosen = inside
    return CheckoutPlan(tuple(sorted(chosen, key=lambda entry: entry.path)))


def check_manifest(manifest: Manifest) -> None:
    """Raise `CorruptionError` if the manifest holds a path that no snapshot may hold, or contradicts itself."""
    paths = set()
    for entry in manifest.entries:
        reason = why_unusable(entry.path)
        if reason is None and entry.path in paths:
            reason = "it is there twice"
        if reason is None and entry.kind == "link" and (not entry.target or "\0" in entry.target):
            reason = "it is a link to no path"
        if reason is not None:
            raise _tampered(entry.path, reason)
        paths.add(entry.path)
    above = _directories_of(paths)
    for entry in manifest.entries:
        if entry.kind != "directory" and entry.path in above:
            raise _tampered(entry.path, f"it is a {entry.kind}, and others are said to lie in it")


def check_for_windows(plan: CheckoutPlan) -> None:
    """Raise `ConflictError` if Windows cannot hold one of the paths, or would take it for something else."""
    for entry in plan.entries:
        reason = why_unusable_on_windows(entry.path)
        if reason is not None:
            raise ConflictError(
                f"{entry.path!r} cannot be written on Windows: {reason}",
                hint="nothing was written; check out other paths alone, or do it on another system",
            )


def find_look_alikes(plan: CheckoutPlan) -> tuple[str, str] | None:
    """Return two different names in one directory that some file systems take for the same, or None.

    They differ in case or in how accents are encoded (macOS and Windows; source: HFS+ and APFS compare normalized
    names, NTFS case-folded ones).
    """
    seen: dict[str, str] = {}
    for entry in plan.entries:
        for path in (*ancestors(entry.path), entry.path):
            other = seen.setdefault(unicodedata.normalize("NFC", path).casefold(), path)
            if other != path:
                return other, path
    return None


def _overlay(lower: dict[str, Entry], above: Iterable[Entry]) -> dict[str, Entry]:
    upper = {entry.path: entry for entry in above}
    directories = _directories_of(upper)
    directories.update(path for path, entry in upper.items() if entry.kind == "directory")
    solid = {path for path, entry in upper.items() if entry.kind != "directory"}
    kept = {
        path: entry
        for path, entry in lower.items()
        if not (entry.kind != "directory" and path in directories)
        and path not in solid
        and solid.isdisjoint(ancestors(path))
    }
    return kept | upper


def _drop_filled_directories(entries: dict[str, Entry]) -> list[Entry]:
    """Leave out directories that others lie in, since those make them; missing ones are nothing to make."""
    above = _directories_of(path for path, entry in entries.items() if entry.kind != "missing")
    return [entry for path, entry in entries.items() if entry.kind != "directory" or path not in above]


def _directories_of(paths: Iterable[str]) -> set[str]:
    """Return every directory above the paths."""
    directories: set[str] = set()
    for path in paths:
        stop = path.rfind("/")
        while stop != -1 and path[:stop] not in directories:
            directories.add(path[:stop])
            stop = path.rfind("/", 0, stop)
    return directories


def _unknown(wanted: str, known: Collection[str]) -> FileNotSavedError:
    hint = name_nearest(wanted, sorted({*known, *_directories_of(known)}))
    return FileNotSavedError(f"nothing was saved at {wanted!r}", hint=hint or f"{len(known)} paths were looked at")


def _tampered(path: str, reason: str) -> CorruptionError:
    return CorruptionError(
        f"the manifest holds the path {path!r}, which no snapshot can hold: {reason}",
        hint="nothing was written; somebody changed this snapshot, or it is damaged (`keepsake check` says more)",
    )
