"""Files to save: finding them when an argument names a path, and saving them into whichever repository works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from keepsake._model.manifest import Manifest
from keepsake._repository.repository import Repository
from keepsake._tracking.configsecrets import is_config, read_secret
from keepsake._tracking.place import Place
from keepsake.errors import InvalidInputError
from keepsake.notices import first_time, notice, warn

if TYPE_CHECKING:
    import os

    from keepsake._snapshots.scan import Found

SaveFiles: TypeAlias = Callable[[Repository], Manifest]
"""Saves the chunks of files into a repository and returns the manifest, which is not saved yet."""


class FoundFiles:
    """The files at one path of a project, as they were found.

    Args:
        place: the project.
        path: a file or directory, relative to the project directory.

    Raises:
        InvalidInputError: the path cannot be saved.
        ConfigError: `.keepsakeignore` has a line that cannot be read.
    """

    def __init__(self, place: Place, path: str | os.PathLike[str]) -> None:
        from keepsake._snapshots.ignore import IgnoreRules
        from keepsake._snapshots.scan import scan_path

        self._place = place
        rules = IgnoreRules.load(place.directory)
        self._never_saved: list[Found] = []
        self._found = [
            self._without_secrets(one) for one in scan_path(place.directory, path, rules, excluded=place.excluded)
        ]
        self.path = project_path(path)

    def mention_large(self) -> None:
        """Tell the user when this is more than code usually is, and how to leave some of it out."""
        from keepsake._snapshots.sizes import describe_large

        text = describe_large(self._found, self.path)
        if text:
            notice(text)

    def saver(self, *, quiet: bool) -> SaveFiles:
        """Return the function that saves these files; what cannot be read is recorded, and said unless `quiet`."""
        from keepsake._snapshots.save import save_snapshot

        known = {one.path for one in self._never_saved}
        if not quiet:
            self._mention_never_saved()

        def save(repository: Repository) -> Manifest:
            manifest = save_snapshot(self._place.directory, self._found, repository.chunks)
            missing = [entry for entry in manifest.entries if entry.kind == "missing" and entry.path not in known]
            if missing and not quiet:
                more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
                are = "are" if more else "is"
                warn(f"{missing[0].path}{more} could not be saved and {are} recorded as missing: {missing[0].reason}")
            return manifest

        return save

    def _without_secrets(self, found: Found) -> Found:
        """Return what was found, as missing if whoever may read the repository would read keys in it."""
        if found.kind != "file" or not (is_config(found.path) or is_config(found.source)):
            return found
        missing = replace(found, kind="missing", size_bytes=0, source="", executable=False)
        try:
            line = read_secret(Path(found.source) if found.source else self._place.directory / found.path)
        except OSError as error:
            return replace(missing, reason=f"cannot be read: {error.strerror or error}")
        if line is None:
            return found
        missing = replace(missing, reason=f"it holds a secret, in line {line}")
        self._never_saved.append(missing)
        return missing

    def _mention_never_saved(self) -> None:
        for one in self._never_saved:
            text = (
                f"{one.path} is not saved: {one.reason}; put keys where the cloud's own tools have them instead, as "
                "docs/clouds.md says"
            )
            if first_time(text):
                warn(text)


def project_path(path: str | os.PathLike[str]) -> str:
    """Return a path of a project as snapshots have it: `/`-separated, without `.` and without a slash at the end."""
    import os
    import posixpath

    text: object = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(text, str) or not text:
        raise InvalidInputError(f"a path must be a non-empty string, not {path!r}")
    return posixpath.normpath(text.replace(os.sep, "/"))
