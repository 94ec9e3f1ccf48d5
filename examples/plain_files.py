"""Keepsake without any framework: fit a line by gradient descent, and save whatever files there are.

Run it in a directory of its own: `python plain_files.py`. It saves to `.keepsake` there.
"""

from __future__ import annotations

import json
from pathlib import Path

import keepsake

POINTS = [(x / 10, 3 * x / 10 + 1) for x in range(20)]


def train(learning_rate: float) -> None:
    """Fit a slope and an intercept; the model is a directory with two plain files."""
    experiment = keepsake.init(params={"learning_rate": learning_rate}, name=f"rate {learning_rate}")
    model = Path("model")
    model.mkdir(exist_ok=True)
    slope = intercept = 0.0
    for step in range(30):
        errors = [slope * x + intercept - y for x, y in POINTS]
        slope -= learning_rate * sum(error * x for error, (x, _) in zip(errors, POINTS, strict=True)) / len(POINTS)
        intercept -= learning_rate * sum(errors) / len(POINTS)
        loss = sum(error**2 for error in errors) / len(POINTS)
        if step % 10 != 9:
            experiment.log(step=step, metrics={"loss": loss})  # only a number: no files, no checkpoint
            continue
        (model / "weights.json").write_text(json.dumps({"slope": slope, "intercept": intercept}))
        (model / "notes.txt").write_text(f"after {step + 1} steps\n")
        experiment.checkpoint(path="model", step=step, metrics={"loss": loss}, primary_metric=("loss", "minimize"))
    experiment.stop()


def main() -> None:
    """Train twice, then read the better model back in two ways."""
    for learning_rate in (0.05, 0.4):
        train(learning_rate)
    experiments = keepsake.experiments.list()
    best = min((experiment.best() for experiment in experiments), key=lambda best: best.metrics["loss"])
    with best.open("model/weights.json") as file:
        print("best of", len(experiments), "experiments:", json.load(file), "with loss", best.metrics["loss"])
    best.checkout("restored", quiet=True)
    print("checked out:", Path("restored/model/notes.txt").read_text().strip())


if __name__ == "__main__":
    main()
