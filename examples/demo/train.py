"""Train a classifier of handwritten digits; the two lines of Keepsake are marked.

The model is a frozen layer of random features (Rahimi and Recht, "Random Features for Large-Scale Kernel Machines",
2007) under a linear layer that learns: small, but of the shape of every fine-tuned network.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split

import keepsake

FEATURES = 4096


def load_data() -> list[Any]:
    """Return training images, test images, training labels and test labels; the split is always the same."""
    images, labels = load_digits(return_X_y=True)
    return list(train_test_split(images / 16, labels, test_size=0.3, random_state=0))


def random_features(images: Any, frozen: Any, phase: Any) -> Any:
    """Return what the frozen layer makes of the images."""
    return np.sqrt(2 / FEATURES) * np.cos(images @ frozen + phase)


def classify(weights: Any, images: Any) -> Any:
    """Return the digits that a model, as it was saved, sees in the images."""
    features = random_features(images, weights["frozen"], weights["phase"])
    return np.argmax(features @ weights["head"].T + weights["bias"], axis=1)


def main() -> None:
    """Train with the hyperparameters of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--learning-rate", type=float, default=1.0)
    parser.add_argument("--alpha", type=float, default=1e-5, help="strength of the regularization")
    parser.add_argument("--epochs", type=int, default=12)
    args = parser.parse_args()
    experiment = keepsake.init(path="train.py", params=args)  # line 1: code, hyperparameters, environment

    train_images, test_images, train_labels, test_labels = load_data()
    random = np.random.default_rng(0)
    frozen = random.normal(0, 0.6, (train_images.shape[1], FEATURES)).astype(np.float32)
    phase = random.uniform(0, 2 * np.pi, FEATURES).astype(np.float32)
    features = random_features(train_images, frozen, phase)
    model = SGDClassifier(
        loss="log_loss", learning_rate="constant", eta0=args.learning_rate, alpha=args.alpha, random_state=0
    )
    for epoch in range(args.epochs):
        model.partial_fit(features, train_labels, classes=np.arange(10))
        weights = {
            "frozen": frozen,
            "phase": phase,
            "head": model.coef_.astype(np.float32),
            "bias": model.intercept_.astype(np.float32),
        }
        np.savez("model.npz", **weights)
        accuracy = float(np.mean(classify(weights, test_images) == test_labels))
        train_accuracy = float(np.mean(classify(weights, train_images) == train_labels))
        experiment.checkpoint(  # line 2: the weights and the metrics of this epoch
            path="model.npz",
            step=epoch,
            metrics={"accuracy": accuracy, "train_accuracy": train_accuracy},
            primary_metric=("accuracy", "maximize"),
        )
    print(f"accuracy {accuracy:.4f} after {args.epochs} epochs, model.npz saved {args.epochs} times")


if __name__ == "__main__":
    main()
