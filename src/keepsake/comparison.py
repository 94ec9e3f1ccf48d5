"""What is compared of an experiment or a checkpoint, taken from the repository: the way from `diff()` to `compare`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from keepsake._analysis.compare import Subject, compare
from keepsake._analysis.diff import Side
from keepsake._model.events import Body, ExperimentState, references
from keepsake._snapshots.overlay import plan_checkout
from keepsake._snapshots.read import open_entry
from keepsake.errors import InvalidInputError, NotFoundError
from keepsake.stores.base import concurrency_of

if TYPE_CHECKING:
    import io

    from keepsake._analysis.diff import Diff
    from keepsake._model.manifest import Entry
    from keepsake._repository.repository import Repository


class Comparable(Protocol):
    """An experiment or a checkpoint."""

    def to_subject(self) -> Subject:
        """Return what is compared of it."""


class SnapshotFiles:
    """The files of a checkpoint over those of its experiment, read when they are needed.

    Args:
        repository: where they are.
        manifests: digests of the snapshots, later ones over earlier ones.
        unsaved: why the files of the checkpoint are not among them, if they could not be saved.
        own: how many of the snapshots, the last ones, are the checkpoint's.
    """

    def __init__(
        self, repository: Repository, manifests: Sequence[str], unsaved: str | None = None, *, own: int = 0
    ) -> None:
        self._repository = repository
        self._manifests = manifests
        self._own = own
        self.unsaved = unsaved

    def entries(self) -> Sequence[Entry]:
        """Return what was saved. Raises `KeepsakeError` when it cannot be read, or could not be saved."""
        if self.unsaved:
            raise NotFoundError(f"the files of a checkpoint could not be saved: {self.unsaved}")
        return self.list_entries()

    def list_entries(self) -> Sequence[Entry]:
        """Return what was saved, with the experiment alone when more could not be. Raises `KeepsakeError` as above."""
        return plan_checkout([self._repository.load_manifest(digest) for digest in self._manifests]).entries

    def own_paths(self) -> set[str]:
        """Return the paths that the checkpoint has itself."""
        own = self._manifests[len(self._manifests) - self._own :]
        return {entry.path for digest in own for entry in self._repository.load_manifest(digest).entries}

    def open(self, entry: Entry) -> io.BufferedReader:
        """Open one of the files; see `Checkpoint.open`."""
        return open_entry(entry, self._repository.chunks, threads=max(2, concurrency_of(self._repository.store)))


def make_subject(
    repository: Repository,
    state: ExperimentState,
    checkpoint: Body | None,
    *,
    chosen: Literal["best", "latest"] | None = None,
    status: str | None = None,
) -> Subject:
    """Put together what is compared.

    Args:
        repository: where it is.
        state: the experiment.
        checkpoint: its checkpoint, whose metrics and files count; None to take the experiment's own files alone.
        chosen: how the checkpoint was chosen, when nobody asked for it by its id.
        status: how the experiment stands, where an experiment was asked for.
    """
    created = state.created
    body: Body = checkpoint or {}
    pair = body.get("primary_metric")
    return Subject(
        Side(
            experiment_id=state.id,
            checkpoint_id=body.get("id"),
            chosen=chosen,
            name=state.name,
            status=status,
            created=(checkpoint or created)["time"],
            step=body.get("step"),
            path=body.get("path") or created.get("path"),
        ),
        params=created.get("params") or {},
        environment=state.environment(),
        metrics=body.get("metrics") or {},
        primary_metric=(pair["name"], pair["goal"]) if pair else None,
        files=SnapshotFiles(repository, [*references(created), *references(body)], body.get("unsaved")),
    )


def compare_things(
    things: Sequence[Comparable], *, only: str | Sequence[str] | None = None, show_all: bool = False
) -> Diff:
    """Compare experiments and checkpoints.

    Args:
        things: two or more; each is compared with the first.
        only: what to compare: one or some of "params", "environment", "git", "packages", "metrics", "code", "tensors".
        show_all: whether to list also params, packages and so on that are the same everywhere.

    Returns:
        What differs. It prints as text, shows as tables in a notebook, and has `to_json()`.

    Raises:
        InvalidInputError: there is one thing only, or one that is no experiment or checkpoint; or `only` is wrong.
        NotFoundError: the experiment of a checkpoint was deleted.
    """
    for thing in things:
        if not callable(getattr(thing, "to_subject", None)):
            raise InvalidInputError(
                f"{type(thing).__name__} is nothing to compare", hint="give experiments or checkpoints"
            )
    return compare([thing.to_subject() for thing in things], only=only, show_all=show_all)
