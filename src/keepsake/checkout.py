"""A checkout: what it will write, overwrite and leave alone, known before it is run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from keepsake._repository.repository import Repository
from keepsake.errors import InvalidInputError
from keepsake.notices import notice, warn
from keepsake.stores.base import concurrency_of, reading_once

if TYPE_CHECKING:
    from keepsake._snapshots.present import Present


class Checkout:
    """The files of a checkpoint, or of an experiment, to be written to a directory. Nothing is written before `run`.

    Args:
        repository: where they are.
        manifests: digests of the snapshots, later ones over earlier ones.
        output_directory: where to; made by `run` when it is not there.
        only: a file or directory to take alone, as it is in the snapshot.
        what: what it is of, for messages.

    Raises:
        InvalidInputError: `output_directory` is no path, or a file is there.
        NotFoundError: there is nothing at `only`.
        CorruptionError: a snapshot is damaged.
    """

    def __init__(
        self,
        repository: Repository,
        manifests: Sequence[str],
        output_directory: str | os.PathLike[str],
        *,
        only: str | None,
        what: str,
    ) -> None:
        from keepsake._snapshots.checkout import plan_checkout

        if not isinstance(output_directory, (str, os.PathLike)) or not os.fspath(output_directory):
            raise InvalidInputError(
                f"the output directory must be a path, not {output_directory!r}", hint='"." is the current directory'
            )
        self.directory = Path(output_directory)
        if self.directory.exists() and not self.directory.is_dir():
            raise InvalidInputError(f"{self.directory} is not a directory to check out to", hint="give another one")
        self._repository = repository
        self._what = what
        loaded = repository.load_manifests(manifests)
        self._plan = plan_checkout([loaded[digest] for digest in manifests], only)

    @cached_property
    def _present(self) -> Present:
        from keepsake._snapshots.present import find_present

        threads = max(2, concurrency_of(self._repository.store))
        return find_present(self._plan, self._repository.chunks, self.directory, threads=threads)

    @property
    def overwrites(self) -> list[str]:
        """The paths of files that are there with another content, relative to the directory."""
        return list(self._present.overwritten)

    @property
    def unchanged(self) -> list[str]:
        """The paths of files that are there as they should be; they are left alone."""
        return sorted(self._present.unchanged)

    def run(self, *, quiet: bool = False, on_progress: Callable[[int, int], None] | None = None) -> None:
        """Write the files. Each appears whole or not at all; other files in the directory stay.

        Args:
            quiet: whether to say nothing about it.
            on_progress: called with (bytes written, bytes in all).

        Raises:
            CorruptionError, NotFoundError: some files are damaged; they are named, and all others are written.
            ConflictError: something of another kind stands in the way; nothing was written.
            WriteError, PermissionDeniedError: writing failed.
        """
        from keepsake._analysis.text import format_bytes
        from keepsake._snapshots.checkout import run_checkout

        plan = self._present.without_unchanged(self._plan)
        written_bytes, total_bytes = 0, plan.size_bytes

        def advance(size_bytes: int) -> None:
            nonlocal written_bytes
            written_bytes += size_bytes
            if on_progress is not None:
                on_progress(written_bytes, total_bytes)

        store = self._repository.store
        with reading_once(store, total_bytes):
            result = run_checkout(
                plan,
                self._repository.chunks,
                self.directory,
                threads=max(2, concurrency_of(store)),
                on_progress=advance,
            )
        for entry in result.missing:
            warn(f"{entry.path} is not there to check out: it could not be saved ({entry.reason})")
        for path in result.refused_links:
            warn(f"{path} is a symbolic link, which this system does not let you make")
        if not quiet:
            kept = len(self._present.unchanged)
            if kept and not result.files:
                notice(f"{_files(kept)} of {self._what} in {self.directory} already: nothing to write")
                return
            as_they_were = f"; {kept} more {'was' if kept == 1 else 'were'} there already" if kept else ""
            written = f"{_files(result.files)} ({format_bytes(result.size_bytes)})"
            notice(f"{written} of {self._what} written to {self.directory}{as_they_were}")


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"
