"""Lists of experiments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, SupportsIndex, overload

from keepsake.checkpointlist import only_primary_metric
from keepsake.errors import NotFoundError
from keepsake.experiment import Experiment

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

    from keepsake._analysis.diff import Diff


class ExperimentList(list[Experiment]):
    """Experiments, oldest first; slices are lists of this kind, too."""

    @overload
    def __getitem__(self, index: SupportsIndex) -> Experiment: ...
    @overload
    def __getitem__(self, index: slice) -> ExperimentList: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Experiment | ExperimentList:
        """Return one experiment, or for a slice a list of this kind."""
        if isinstance(index, slice):
            return ExperimentList(super().__getitem__(index))
        return super().__getitem__(index)

    def primary_metric(self) -> str:
        """Return the name of the primary metric. Raises `InvalidInputError` when there is none, or several."""
        from keepsake._analysis.history import metric_names

        found = [one.primary_metric for experiment in self for one in experiment.checkpoints]
        names = {one.name for one in found if one is not None}
        return only_primary_metric(names, find_known=lambda: (name for one in self for name in metric_names(one)))

    def plot(self, metric: str | None = None, logy: bool = False) -> Axes:
        """Draw one metric of every experiment into the current matplotlib axes, a curve each.

        Args:
            metric: its name; the primary metric when None.
            logy: whether the y-axis is logarithmic.

        Returns:
            The axes.

        Raises:
            InvalidInputError: no experiment has the metric, or none is given and there is no one primary metric.
        """
        from keepsake._analysis.plot import plot_experiments

        return plot_experiments(self, metric or self.primary_metric(), logy=logy)

    def scatter(self, param: str, metric: str | None = None, logx: bool = False, logy: bool = False) -> Axes:
        """Draw a metric against a param, a point an experiment: of its best checkpoint, else of its latest.

        Args:
            param: the param on the x-axis; dots reach into nested ones (`optim.lr`).
            metric: the metric on the y-axis; the primary metric when None.
            logx: whether the x-axis is logarithmic.
            logy: whether the y-axis is logarithmic.

        Returns:
            The axes.

        Raises:
            InvalidInputError: no experiment has the param or the metric.
        """
        from keepsake._analysis.plot import scatter_experiments

        return scatter_experiments(self, param, metric or self.primary_metric(), logx=logx, logy=logy)

    def delete(self) -> None:
        """Delete all of these experiments. One that is deleted already is passed over."""
        for experiment in self:
            try:
                experiment.delete()
            except NotFoundError:
                continue

    def diff(self, *, only: str | Sequence[str] | None = None, show_all: bool = False) -> Diff:
        """Compare these experiments with the first of them; see `Checkpoint.diff`."""
        from keepsake.comparison import compare_things

        return compare_things(self, only=only, show_all=show_all)

    def to_dataframe(self) -> DataFrame:
        """Return a pandas DataFrame with a row an experiment."""
        from keepsake._analysis.dataframe import experiments_dataframe

        return experiments_dataframe(self)

    def __repr__(self) -> str:
        from keepsake._analysis.text import list_text

        return list_text("ExperimentList", "experiment", [experiment.id for experiment in self])

    def _repr_html_(self) -> str:
        from keepsake._analysis.experimenthtml import experiments_html

        return str(experiments_html(self))
