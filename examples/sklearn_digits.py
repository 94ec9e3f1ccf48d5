"""Keepsake with scikit-learn: pickle a classifier of handwritten digits after every epoch, and load the best one.

Run it in a directory of its own: `python sklearn_digits.py`. It saves to `.keepsake` there.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import keepsake


def main() -> None:
    """Train two networks of different sizes, then score the best checkpoint of all."""
    images, labels = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(images / 16, labels, test_size=0.3, random_state=0)
    for hidden in (16, 64):
        with keepsake.init(params={"hidden": hidden, "solver": "adam"}) as experiment:
            model = MLPClassifier((hidden,), learning_rate_init=0.01, random_state=0)
            for epoch in range(8):
                model.partial_fit(x_train, y_train, classes=np.arange(10))
                Path("model.pkl").write_bytes(pickle.dumps(model))
                accuracy = model.score(x_test, y_test)
                experiment.checkpoint(
                    path="model.pkl",
                    step=epoch,
                    metrics={"accuracy": accuracy, "loss": model.loss_},
                    primary_metric=("accuracy", "maximize"),
                )

    best_of_each = [experiment.best() for experiment in keepsake.experiments.list()]
    best = max(best_of_each, key=lambda checkpoint: checkpoint.metrics["accuracy"])
    with best.open("model.pkl") as file:
        restored = pickle.load(file)
    accuracy = restored.score(x_test, y_test)
    print(f"best: {restored.hidden_layer_sizes[0]} hidden units at step {best.step}, accuracy {accuracy:.4f}")
    assert accuracy == best.metrics["accuracy"]


if __name__ == "__main__":
    main()
