"""Lists of checkpoints, and what is the best of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from keepsake._model.best import find_best
from keepsake._model.ids import resolve_prefix
from keepsake._model.values import Value, get_dotted
from keepsake.checkpoint import Checkpoint
from keepsake.errors import InvalidInputError, MetricNotFoundError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

_ABSENT: Any = object()


class CheckpointMetrics:
    """The metrics of a list of checkpoints, as a list of values for each name."""

    def __init__(self, checkpoints: Sequence[Checkpoint]) -> None:
        self._checkpoints = checkpoints

    def __getitem__(self, name: str) -> list[Value]:
        """Return the metric of each checkpoint, None where there is none; dots reach into nested ones (`val.loss`).

        Raises:
            MetricNotFoundError: no checkpoint has it; the hint names those there are.
        """
        if name not in self:
            known = ", ".join(self) or "none"
            raise MetricNotFoundError(f"no checkpoint has a metric {name!r}", hint=f"there are: {known}")
        return [_find_metric(checkpoint, name) for checkpoint in self._checkpoints]

    def __iter__(self) -> Any:
        """Yield the names that any checkpoint has."""
        return iter(dict.fromkeys(name for checkpoint in self._checkpoints for name in checkpoint.metrics))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(
            _find_metric(checkpoint, name, _ABSENT) is not _ABSENT for checkpoint in self._checkpoints
        )

    def __repr__(self) -> str:
        return f"CheckpointMetrics({', '.join(self)})"


CheckpointListMetrics = CheckpointMetrics
"""As Keepsake 0.x called it."""


class CheckpointList(list[Checkpoint]):
    """Checkpoints in the order in which they were saved; slices are lists of this kind, too."""

    def __init__(self, checkpoints: Iterable[Checkpoint] = (), *, label: str = "") -> None:
        super().__init__(checkpoints)
        self._label = label

    @overload
    def __getitem__(self, index: SupportsIndex) -> Checkpoint: ...
    @overload
    def __getitem__(self, index: slice) -> CheckpointList: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Checkpoint | CheckpointList:
        """Return one checkpoint, or for a slice a list of this kind."""
        if isinstance(index, slice):
            return CheckpointList(super().__getitem__(index), label=self._label)
        return super().__getitem__(index)

    @property
    def metrics(self) -> CheckpointMetrics:
        """Lists of values by the metric's name: `checkpoints.metrics["loss"]`."""
        return CheckpointMetrics(self)

    @property
    def step(self) -> list[int | None]:
        """The step of each checkpoint."""
        return [checkpoint.step for checkpoint in self]

    def get(self, checkpoint_id: str) -> Checkpoint:
        """Return the checkpoint whose id is, or begins with, `checkpoint_id` (at least three digits)."""
        by_id = {checkpoint.id: checkpoint for checkpoint in self}
        return by_id[resolve_prefix(checkpoint_id, by_id, noun="checkpoint")]

    def primary_metric(self) -> str:
        """Return the name of the primary metric. Raises `InvalidInputError` when there is none, or several."""
        names = {checkpoint.primary_metric.name for checkpoint in self if checkpoint.primary_metric is not None}
        return only_primary_metric(names, find_known=lambda: self.metrics)

    def best(self) -> Checkpoint | None:
        """Return the best checkpoint by the primary metric: the earliest of equals, None without one."""
        return best_checkpoint(self)

    def plot(self, metric: str | None = None, logy: bool = False, plot_only: bool = False) -> Axes:  # noqa: ARG002 (see below)
        """Draw one metric over the steps into the current matplotlib axes.

        Args:
            metric: its name; the primary metric when None.
            logy: whether the y-axis is logarithmic.
            plot_only: without effect; scripts for Keepsake 0.x pass it.

        Returns:
            The axes.

        Raises:
            InvalidInputError: no checkpoint has the metric, or none is given and there is no primary metric.
        """
        from keepsake._analysis.plot import plot_checkpoints

        return plot_checkpoints(self, metric or self.primary_metric(), label=self._label, logy=logy)

    def to_dataframe(self) -> DataFrame:
        """Return a pandas DataFrame with a row a checkpoint."""
        from keepsake._analysis.dataframe import checkpoints_dataframe

        return checkpoints_dataframe(self)

    def __repr__(self) -> str:
        from keepsake._analysis.text import list_text

        return list_text("CheckpointList", "checkpoint", [checkpoint.id for checkpoint in self])

    def _repr_html_(self) -> str:
        from keepsake._analysis.experimenthtml import checkpoints_html

        return str(checkpoints_html(self, best=self.best()))


def best_checkpoint(checkpoints: Sequence[Checkpoint]) -> Checkpoint | None:
    """Return the best of `checkpoints` by the first primary metric among them.

    Missing values, values that are no numbers, NaN, and the infinity that is worst for the goal never win; of equals
    the earliest does. None when nothing is left, or no checkpoint has a primary metric.
    """
    place = find_best((one.primary_metric for one in checkpoints), (one.metrics for one in checkpoints))
    return checkpoints[place] if place is not None else None


def only_primary_metric(names: Iterable[str], *, find_known: Callable[[], Iterable[str]]) -> str:
    """Return the one name, or raise `InvalidInputError` that says what to pass instead: what `find_known` returns."""
    distinct = sorted(set(names))
    if len(distinct) == 1:
        return distinct[0]
    choices = ", ".join(sorted(set(find_known()))) or "none"
    if distinct:
        raise InvalidInputError(
            f"the primary metric differs between the checkpoints: {', '.join(distinct)}",
            hint=f"say which metric; there are: {choices}",
        )
    raise InvalidInputError(
        "no primary metric is defined for the checkpoints",
        hint=f"say which metric; there are: {choices}. Or pass primary_metric= to checkpoint()",
    )


def _find_metric(checkpoint: Checkpoint, name: str, default: Any = None) -> Any:
    try:
        return get_dotted(checkpoint.metrics, name)
    except KeyError:
        return default
