"""What saving stores: the laws of deduplication and compression, on checkpoints of models that are really trained."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from keepsake._chunks.chunkstore import ChunkStore
from keepsake._snapshots.save import save_snapshot
from keepsake._snapshots.scan import Found
from keepsake.stores.memory import MemoryStore

State: TypeAlias = dict[str, torch.Tensor]
Write: TypeAlias = Callable[[State, Path], None]


class Shelf:
    """A repository that files are saved into; it says how much it holds."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._store = MemoryStore()
        self._chunks = ChunkStore(self._store)
        self.raw_bytes = 0
        """Total length of all that was saved."""

    def save(self, *paths: str) -> int:
        """Save files and return how many bytes the repository has grown by, encoded."""
        found = [Found(path, "file", size_bytes=(self._directory / path).stat().st_size) for path in paths]
        before = self.stored_bytes
        manifest = save_snapshot(self._directory, found, self._chunks)
        self._chunks.settle(manifest.digests())
        self.raw_bytes += manifest.size_bytes
        return self.stored_bytes - before

    @property
    def stored_bytes(self) -> int:
        """Length of all objects."""
        return sum(info.size_bytes for info in self._store.list())


@pytest.fixture(autouse=True)
def one_torch_thread() -> Iterator[None]:
    """Several threads that wait for each other are many times slower where other tests run beside these."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def write_torch(state: State, path: Path) -> None:
    torch.save(state, path)


def write_safetensors(state: State, path: Path) -> None:
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)


class Classifier(nn.Module):
    """A small transformer over tokens."""

    def __init__(self, width: int, layers: int, *, words: int = 2000, classes: int = 10) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        block = nn.TransformerEncoderLayer(width, 4, 2 * width, batch_first=True, dropout=0.0)
        self.encoder = nn.TransformerEncoder(block, layers, enable_nested_tensor=False)
        self.head: nn.Module = nn.Linear(width, classes)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.encoder(self.embedding(tokens)).mean(1))
        return logits


def train(model: nn.Module, epochs: int, *, dtype: torch.dtype = torch.float32) -> Iterator[State]:
    """Train the parameters that are not frozen; yield the weights after each epoch."""
    torch.manual_seed(0)
    model.to(dtype)
    optimizer = torch.optim.Adam([one for one in model.parameters() if one.requires_grad], lr=1e-3)
    for _ in range(epochs):
        for _ in range(2):
            tokens = torch.randint(0, 2000, (4, 12))
            loss = nn.functional.cross_entropy(model(tokens).float(), tokens[:, 0] % 10)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        yield copy.deepcopy(model.state_dict())


@pytest.mark.parametrize("write", [write_torch, write_safetensors])
@pytest.mark.parametrize(("dtype", "percent"), [(torch.float32, 85), (torch.bfloat16, 68)], ids=["fp32", "bf16"])
def test_weights_of_dense_training_are_stored_smaller(
    tmp_path: Path, shelf: Shelf, write: Write, dtype: torch.dtype, percent: float
) -> None:
    torch.manual_seed(1)
    for epoch, state in enumerate(train(Classifier(256, 4), 3, dtype=dtype)):
        write(state, tmp_path / f"model-{epoch}")
        shelf.save(f"model-{epoch}")
    assert shelf.stored_bytes <= shelf.raw_bytes * percent / 100


@pytest.mark.parametrize("write", [write_torch, write_safetensors])
def test_a_frozen_backbone_is_stored_once_though_names_and_head_change(
    tmp_path: Path, shelf: Shelf, write: Write
) -> None:
    torch.manual_seed(1)
    model = Classifier(256, 6)
    for parameter in [*model.embedding.parameters(), *model.encoder.parameters()]:
        parameter.requires_grad = False
    for epoch, state in enumerate(train(model, 10)):
        name = f"checkpoint-{'x' * epoch}-{10**epoch}"
        write(state, tmp_path / name)
        shelf.save(name)
    assert shelf.stored_bytes <= shelf.raw_bytes * 11.5 / 100


@pytest.mark.parametrize("write", [write_torch, write_safetensors])
def test_adapters_cost_what_they_are(tmp_path: Path, shelf: Shelf, write: Write) -> None:
    torch.manual_seed(1)
    model = Classifier(256, 6)
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.head = nn.Sequential(nn.Linear(256, 8, bias=False), nn.Linear(8, 10))
    adapters = nn.ModuleList(nn.Sequential(nn.Linear(256, 8), nn.Linear(8, 256)) for _ in range(6))
    adapted = nn.ModuleDict({"model": model, "adapters": adapters})

    def forward(tokens: torch.Tensor) -> torch.Tensor:
        hidden = model.embedding(tokens)
        for layer, adapter in zip(model.encoder.layers, adapters, strict=True):
            hidden = layer(hidden) + adapter(hidden)
        logits: torch.Tensor = model.head(hidden.mean(1))
        return logits

    adapted.forward = forward
    for epoch, state in enumerate(train(adapted, 10)):
        write(state, tmp_path / f"epoch={epoch}")
        shelf.save(f"epoch={epoch}")
    assert shelf.stored_bytes <= shelf.raw_bytes * 14 / 100


def test_a_renamed_archive_stores_its_names_again_and_no_tensor(tmp_path: Path, shelf: Shelf) -> None:
    state = {f"layer.{number}": torch.randn(600, 700) for number in range(8)}
    torch.save(state, tmp_path / "a.pt")
    shelf.save("a.pt")
    torch.save({"model": state, "note": "a longer pickle " * 50}, tmp_path / "a-much-longer-name.pt")
    assert (tmp_path / "a-much-longer-name.pt").stat().st_size > 13_000_000
    assert shelf.save("a-much-longer-name.pt") < 3_000


@pytest.mark.parametrize("lengths", [(300, 5000), (1000, 60_000)], ids=["tiny", "small"])
def test_a_model_of_small_tensors_under_another_name_is_hardly_stored_again(
    tmp_path: Path, shelf: Shelf, lengths: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    rng = random.Random(0)
    state: dict[str, Any] = {f"block.{number}.weight": torch.randn(rng.randint(*lengths)) for number in range(600)}
    torch.save(state, tmp_path / "a.pt")
    shelf.save("a.pt")
    torch.save({**state, "history": [0.5] * 100, "name": "x" * 999}, tmp_path / "another-name.pt")
    assert shelf.save("another-name.pt") <= 0.05 * (tmp_path / "another-name.pt").stat().st_size


def test_a_safetensors_file_with_a_longer_header_stores_its_header_again(tmp_path: Path, shelf: Shelf) -> None:
    state = {f"block.{number}": torch.randn(20_000) for number in range(60)}
    save_file(state, tmp_path / "a.safetensors")
    shelf.save("a.safetensors")
    save_file(state, tmp_path / "b.safetensors", metadata={"note": "x" * 3000})
    assert shelf.save("b.safetensors") < 5_000


def test_an_array_in_another_container_is_known(tmp_path: Path, shelf: Shelf) -> None:
    array = np.random.default_rng(0).standard_normal(1_000_000)
    np.save(tmp_path / "a.npy", array)
    shelf.save("a.npy")
    np.savez(tmp_path / "a.npz", weights=array)
    save_file({"weights": torch.from_numpy(array)}, tmp_path / "a.safetensors")
    torch.save(torch.from_numpy(array), tmp_path / "a.pt")
    assert shelf.save("a.npz", "a.safetensors", "a.pt") < 3_000


def test_an_edit_in_a_large_file_without_structure_stores_little_again(tmp_path: Path, shelf: Shelf) -> None:
    data = np.random.default_rng(0).bytes(12_000_000)
    (tmp_path / "a.bin").write_bytes(data)
    shelf.save("a.bin")
    (tmp_path / "b.bin").write_bytes(b"a few more bytes" + data[:5_000_000] + data[5_000_100:])
    assert shelf.save("b.bin") < 2_500_000


def test_a_tree_of_small_files_with_a_few_edits_stores_little_again(tmp_path: Path, shelf: Shelf) -> None:
    rng = random.Random(0)
    words = Path(torch.nn.modules.rnn.__file__).read_text().split()
    paths = [f"{number:03}.py" for number in range(800)]

    def write(path: str) -> None:
        (tmp_path / path).write_text(" ".join(rng.choices(words, k=rng.randint(50, 600))))

    for path in paths:
        write(path)
    for _ in range(10):
        shelf.save(*paths)
        for path in rng.sample(paths, 3):
            write(path)
    assert shelf.stored_bytes <= shelf.raw_bytes * 6 / 100
