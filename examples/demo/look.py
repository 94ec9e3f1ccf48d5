"""What one does after training: compare, load the best model, check it out, plot. Run it where `train.py` ran."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")

from matplotlib import pyplot as plt
from train import classify, load_data  # type: ignore[import-not-found]  # lies beside this script

import keepsake


def say(text: str) -> None:
    """Print a line of code or text that the reader should see."""
    print(f"  {text}")


def show_best(experiments: Any) -> Any:
    """Print the experiments with their best checkpoints; return the best checkpoint of all."""
    say(f"{'experiment':12}{'learning_rate':>14}  {'checkpoints':>11}  {'best':9}{'step':>5}{'accuracy':>10}")
    for experiment in experiments:
        best = experiment.best()
        say(
            f"{experiment.short_id():12}{experiment.params['learning_rate']:14g}  {len(experiment.checkpoints):11}"
            f"  {best.short_id():9}{best.step:5}{best.metrics['accuracy']:10.4f}"
        )
    return max((experiment.best() for experiment in experiments), key=lambda best: best.metrics["accuracy"])


def score_again(best: Any) -> None:
    """Load a model straight out of the repository and measure it again."""
    _, images, _, labels = load_data()
    with best.open("model.npz") as file:
        weights = np.load(file)
        accuracy = float(np.mean(classify(weights, images) == labels))
    same = "the same as" if accuracy == best.metrics["accuracy"] else "NOT the same as"
    say(f"accuracy {accuracy:.4f}, {same} when it was saved")


def check_out(best: Any, directory: str) -> None:
    """Write the files of a checkpoint, and the code that made it, to a directory."""
    best.checkout(directory, quiet=True)
    for path in sorted(Path(directory).iterdir()):
        say(f"{path}  {path.stat().st_size:,} bytes")


def draw(experiments: Any) -> None:
    """Draw learning curves, and the learning rate against the accuracy."""
    for name, plot in {
        "curves.png": lambda: experiments.plot("accuracy"),
        "scatter.png": lambda: experiments.scatter("learning_rate", "accuracy", logx=True),
    }.items():
        plt.figure(figsize=(7, 4))
        plot()
        plt.savefig(name, dpi=120, bbox_inches="tight")
        plt.close()
        say(f"{Path.cwd().name}/{name}")


def compare_sizes(experiments: Any) -> None:
    """Print what the repository takes, and what one copy of the files for every checkpoint would."""
    copies = sum(
        size_of(checkpoint, "model.npz") for experiment in experiments for checkpoint in experiment.checkpoints
    )
    code = sum(size_of(experiment.latest(), "train.py") for experiment in experiments)
    stored = sum(path.stat().st_size for path in Path(".keepsake").rglob("*") if path.is_file())
    count = sum(len(experiment.checkpoints) for experiment in experiments)
    say(f"{copies + code:12,} bytes  one copy of the files for each of the {count} checkpoints")
    say(f"{stored:12,} bytes  the repository, with everything that it knows: {stored / (copies + code):.1%}")


def size_of(checkpoint: Any, path: str) -> int:
    """Return the length in bytes of a file in a checkpoint."""
    with checkpoint.open(path) as file:
        return int(file.seek(0, 2))


def main() -> None:
    """Look at the experiments of the project in the current directory."""
    experiments = keepsake.experiments.list()
    print("\n>>> experiments = keepsake.experiments.list()    # each with its best checkpoint")
    best = show_best(experiments)
    print(f'\n>>> np.load(best.open("model.npz"))              # the weights of {best.short_id()}, and scored again')
    score_again(best)
    print('\n>>> best.checkout("best")                        # weights, and the code that made them')
    check_out(best, "best")
    print('\n>>> experiments.plot("accuracy"); experiments.scatter("learning_rate", "accuracy", logx=True)')
    draw(experiments)
    print("\nSize")
    compare_sizes(experiments)


if __name__ == "__main__":
    main()
