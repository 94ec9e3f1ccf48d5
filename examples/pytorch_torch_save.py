"""Keepsake with PyTorch: save model and optimizer with `torch.save` every epoch, and resume from a checkpoint.

Run it in a directory of its own: `python pytorch_torch_save.py`. It saves to `.keepsake` there.
"""

from __future__ import annotations

import torch
from torch import nn

import keepsake

torch.manual_seed(0)
INPUTS = torch.randn(512, 32)
TARGETS = (INPUTS @ torch.randn(32, 1)).tanh()


def build(learning_rate: float) -> tuple[nn.Module, torch.optim.Optimizer]:
    """Return a fresh model and its optimizer."""
    model = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 1))
    return model, torch.optim.Adam(model.parameters(), lr=learning_rate)


def train_epoch(model: nn.Module, optimizer: torch.optim.Optimizer) -> float:
    """Train once over the data; return the loss."""
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(INPUTS), TARGETS)
    loss.backward()
    optimizer.step()
    return loss.item()


def main() -> None:
    """Train ten epochs, then go on from the fifth as a second experiment."""
    learning_rate = 0.01
    model, optimizer = build(learning_rate)
    experiment = keepsake.init(params={"learning_rate": learning_rate, "device": torch.device("cpu")})
    for epoch in range(10):
        loss = train_epoch(model, optimizer)
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, "model.pt")
        experiment.checkpoint(path="model.pt", step=epoch, metrics={"loss": loss}, primary_metric=("loss", "minimize"))
    experiment.stop()

    saved = keepsake.experiments.get(experiment.id).checkpoints[4]
    model, optimizer = build(learning_rate)
    with saved.open("model.pt") as file:
        state = torch.load(file)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    resumed = keepsake.init(params={"learning_rate": learning_rate, "resumed_from": saved.id}, tags=["resumed"])
    losses = [train_epoch(model, optimizer) for _ in range(5)]
    resumed.checkpoint(step=saved.step + 5, metrics={"loss": losses[-1]})
    resumed.stop()
    print(f"resumed at step {saved.step}: losses {[round(loss, 5) for loss in losses]}")
    assert losses == experiment.checkpoints.metrics["loss"][5:], "the resumed run went another way"


if __name__ == "__main__":
    main()
