"""Keepsake with PyTorch and safetensors: fine-tune a head on a frozen backbone, and read one tensor back.

Every checkpoint holds the whole model, and only what changed is stored. Run it in a directory of its own:
`python pytorch_safetensors.py`. It saves to `.keepsake` there.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load, save_file
from torch import nn

import keepsake

torch.manual_seed(0)


def repository_bytes() -> int:
    """Return how many bytes the repository takes."""
    return sum(path.stat().st_size for path in Path(".keepsake").rglob("*") if path.is_file())


def main() -> None:
    """Train the head for five epochs."""
    backbone = nn.Sequential(nn.Linear(64, 2048), nn.ReLU(), nn.Linear(2048, 512), nn.ReLU()).requires_grad_(False)
    model = nn.ModuleDict({"backbone": backbone, "head": nn.Linear(512, 4)})
    optimizer = torch.optim.SGD(model["head"].parameters(), lr=0.1)
    inputs, labels = torch.randn(256, 64), torch.randint(0, 4, (256,))
    experiment = keepsake.init(params={"learning_rate": 0.1, "frozen": ["backbone"]})
    for epoch in range(5):
        loss = nn.functional.cross_entropy(model["head"](model["backbone"](inputs)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        save_file(model.state_dict(), "model.safetensors", metadata={"epoch": str(epoch)})
        experiment.checkpoint(
            path="model.safetensors", step=epoch, metrics={"loss": loss.item()}, primary_metric=("loss", "minimize")
        )
    experiment.stop()

    size = Path("model.safetensors").stat().st_size
    print(f"5 checkpoints of {size:,} bytes take {repository_bytes():,} bytes")
    best = keepsake.experiments.get(experiment.id).best()
    with best.open("model.safetensors") as file:
        restored = load(file.read())
    assert all(torch.equal(restored[name], tensor) for name, tensor in model.state_dict().items())
    print(f"restored {len(restored)} tensors of step {best.step}, bit for bit")


if __name__ == "__main__":
    main()
