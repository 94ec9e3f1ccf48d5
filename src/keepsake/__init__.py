"""Version control for machine learning.

    experiment = keepsake.init(path=".", params={"learning_rate": 0.01})
    experiment.checkpoint(path="weights/", metrics={"loss": 0.42}, primary_metric=("loss", "minimize"))

Importing this package opens no file and loads nothing: each name is loaded when it is first used (PEP 562), so that a
script which imports `keepsake` and does not track anything pays nothing for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keepsake._version import __version__

if TYPE_CHECKING:
    from keepsake import errors, exceptions
    from keepsake.checkpoint import Checkpoint, PrimaryMetric
    from keepsake.checkpointlist import CheckpointList
    from keepsake.collection import ExperimentCollection
    from keepsake.errors import KeepsakeError
    from keepsake.experiment import Experiment
    from keepsake.experimentlist import ExperimentList
    from keepsake.project import Project, default_project, diff, experiments, init, migrate, wait

__all__ = [
    "Checkpoint",
    "CheckpointList",
    "Experiment",
    "ExperimentCollection",
    "ExperimentList",
    "KeepsakeError",
    "PrimaryMetric",
    "Project",
    "__version__",
    "default_project",
    "diff",
    "errors",
    "exceptions",
    "experiments",
    "init",
    "migrate",
    "wait",
]

_MODULE_OF = {
    "Checkpoint": "checkpoint",
    "CheckpointList": "checkpointlist",
    "Experiment": "experiment",
    "ExperimentCollection": "collection",
    "ExperimentList": "experimentlist",
    "KeepsakeError": "errors",
    "PrimaryMetric": "checkpoint",
    "Project": "project",
    "default_project": "project",
    "diff": "project",
    "experiments": "project",
    "init": "project",
    "migrate": "project",
    "wait": "project",
}
_MODULES = ("errors", "exceptions")


def __getattr__(name: str) -> Any:
    import importlib

    if name in _MODULES:
        return importlib.import_module(f"keepsake.{name}")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'keepsake' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"keepsake.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
