from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import keepsake
from tests.ui.serving import Asker, serving


@pytest.fixture
def project(tmp_path: Path) -> keepsake.Project:
    """A project with a repository that nothing is in yet."""
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "train.py").write_text("print('training')\n")
    return keepsake.Project(str(directory / "repository"), directory)


@pytest.fixture
def trained(project: keepsake.Project) -> list[keepsake.Experiment]:
    """Two finished experiments with three checkpoints each, the second of which is the best."""
    made = []
    for rate in (0.1, 0.01):
        experiment = project.experiments.create(
            path="train.py", params={"lr": rate, "optim": {"name": "adam"}}, name=f"rate {rate}", quiet=True
        )
        for step, loss in enumerate((0.5, 0.2, 0.3)):
            experiment.checkpoint(step=step, metrics={"loss": loss * rate}, primary_metric=("loss", "minimize"))
        experiment.log(train_loss=0.7, step=2)
        experiment.stop()
        made.append(experiment)
    return made


@pytest.fixture
def asker(project: keepsake.Project, trained: list[keepsake.Experiment]) -> Iterator[Asker]:
    """Asks a server of the project with `trained` in it."""
    assert project.repository is not None
    with serving(Path(project.repository)) as asker:
        yield asker
