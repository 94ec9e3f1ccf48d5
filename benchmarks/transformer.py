"""A small transformer, trained for real: it learns to predict the next byte of source code.

Pre-norm blocks as in GPT-2 (Radford et al. 2019, section 2.3), Adam as by Kingma and Ba (2015), adapters as in LoRA
(Hu et al. 2021, section 4.1). What matters here is that the weights are those of training: the sizes that compression
reaches depend on how their exponents and mantissas are distributed.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.source_text import standard_library

BYTES = 256
CONTEXT = 128
TEXT_BYTES = 2 * 10**6
ADAPTER_RANK = 8


class Block(nn.Module):
    """Attention and a two-layer network, each added to what goes in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // 32
        self.norm_1 = nn.LayerNorm(width)
        self.attention_in = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.norm_2 = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, time, width) to the same shape."""
        batch, time, width = x.shape
        parts = self.attention_in(self.norm_1(x)).view(batch, time, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], is_causal=True)
        x = x + self.attention_out(attended.transpose(1, 2).reshape(batch, time, width))
        narrowed: Tensor = self.narrow(functional.gelu(self.widen(self.norm_2(x))))
        return x + narrowed


class Transformer(nn.Module):
    """Predicts the next byte: 3.3 million weights at width 256 with four layers."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(BYTES, width)
        self.position = nn.Parameter(torch.randn(CONTEXT, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, BYTES)

    def forward(self, text: Tensor) -> Tensor:
        """Map bytes (batch, time) to logits (batch, time, 256)."""
        x = self.embedding(text) + self.position[: text.shape[1]]
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.head(self.norm(x))
        return logits


class Adapted(nn.Module):
    """A frozen linear layer with a trained product of two narrow matrices beside it."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Parameter(torch.randn(ADAPTER_RANK, base.in_features).to(base.weight) * 0.02)
        self.up = nn.Parameter(torch.zeros(base.out_features, ADAPTER_RANK).to(base.weight))

    def forward(self, x: Tensor) -> Tensor:
        """Do what the frozen layer does, and add to it."""
        based: Tensor = self.base(x)
        return based + x @ self.down.T @ self.up.T


class Training:
    """A model under way: call `run` to train on.

    Args:
        model: what to train; parameters that need no gradient stay as they are.
        batch: how many texts each step learns from.
    """

    def __init__(self, model: Transformer, batch: int) -> None:
        self.model = model
        self._batch = batch
        self.step = 0
        self.losses: list[float] = []
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.Adam(trained, lr=1e-3)
        self._text = torch.frombuffer(bytearray(standard_library(TEXT_BYTES)), dtype=torch.uint8).long()

    def run(self, steps: int) -> None:
        """Take some steps."""
        for _ in range(steps):
            starts = torch.randint(len(self._text) - CONTEXT - 1, (self._batch,))
            rows = torch.stack([self._text[start : start + CONTEXT + 1] for start in starts])
            logits = self.model(rows[:, :-1])
            loss = functional.cross_entropy(logits.flatten(0, 1).float(), rows[:, 1:].flatten())
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.step += 1
            self.losses.append(loss.item())

    def optimizer_tensors(self) -> dict[str, Tensor]:
        """Return Adam's state under flat names, as safetensors needs it."""
        state: dict[int, dict[str, Any]] = self.optimizer.state_dict()["state"]
        return {
            f"optimizer.{number}.{name}": value for number, values in state.items() for name, value in values.items()
        }


def new_model(width: int, layers: int, dtype: torch.dtype) -> Transformer:
    """Return an untrained model; the same every time."""
    torch.manual_seed(0)
    return Transformer(width, layers).to(dtype)


def freeze_backbone(model: Transformer) -> Transformer:
    """Leave only the head to be trained."""
    model.requires_grad_(requires_grad=False)
    model.head.requires_grad_(requires_grad=True)
    return model


def add_adapters(model: Transformer) -> Transformer:
    """Freeze everything and put adapters beside all linear layers of the blocks."""
    model.requires_grad_(requires_grad=False)
    for block in model.blocks:
        for name, layer in list(block.named_children()):
            if isinstance(layer, nn.Linear):
                setattr(block, name, Adapted(layer))
    return model
