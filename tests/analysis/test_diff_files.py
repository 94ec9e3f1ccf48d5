"""Files of saved directories compared: what is read, what is said, and what damage does."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save as safetensors_bytes

from keepsake._analysis import compare as comparing
from keepsake._analysis.diff import FileChange, FilesDiff
from keepsake._model.manifest import Entry
from keepsake.errors import CorruptionError
from tests.analysis.saved import SavedFiles, Shelf, make_subject

CODE = {f"pkg/m{number}.py": f"name = {number}\n".encode() * (number + 1) for number in range(60)}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def files_of(diff: Any) -> dict[str, FileChange]:
    (files,) = diff.files
    return {change.path: change for change in files.changes}


def torch_bytes(state: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def npz_bytes(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def test_files_are_added_removed_and_changed(shelf: Shelf) -> None:
    old = {"train.py": b"a = 1\nb = 2\n", "gone.py": b"x\n", "same.py": b"same\n"}
    new = {"train.py": b"a = 1\nb = 3\n", "new.py": b"y\nz\n", "same.py": b"same\n"}
    diff = shelf.diff(old, new)
    changes = files_of(diff)
    assert {path: change.change for path, change in changes.items()} == {
        "gone.py": "removed", "new.py": "added", "train.py": "changed",
    }  # fmt: skip
    counts = {path: (one.text.added_lines, one.text.removed_lines) for path, one in changes.items() if one.text}
    assert counts == {"gone.py": (0, 1), "new.py": (2, 0), "train.py": (1, 1)}
    assert diff.files[0].unchanged == 1


def test_nothing_is_read_of_what_two_snapshots_share(shelf: Shelf) -> None:
    one, other = shelf.save(CODE), shelf.save(CODE)
    shelf.store.clear()
    assert shelf.diff(one, other).is_empty
    assert shelf.store.operations == []


def test_only_neighbours_in_a_bundle_are_read_beside_what_changed(shelf: Shelf) -> None:
    """The others lie in chunks that both snapshots have."""
    one, other = shelf.save(CODE), shelf.save(CODE | {"pkg/m7.py": b"name = 8\n" * 8})
    diff = shelf.diff(one, other)
    assert set(files_of(diff)) == {"pkg/m7.py"}
    assert diff.files[0].unchanged == 59
    assert "pkg/m7.py" in other.opened
    assert len(set(other.opened)) < 40


def test_a_large_file_with_one_other_byte_is_read_where_it_differs_only(shelf: Shelf) -> None:
    content = np.random.default_rng(0).bytes(6_000_000)
    changed = bytearray(content)
    changed[5_500_000] ^= 1
    one, other = shelf.save({"data.bin": content}), shelf.save({"data.bin": bytes(changed)})
    shelf.store.clear()
    assert files_of(shelf.diff(one, other))["data.bin"].note == "binary"
    assert shelf.store.bytes_read() < 6_000_000


def test_modes_links_and_kinds_are_compared(shelf: Shelf) -> None:
    old = shelf.save({"run.sh": b"x\n", "was-file": b"1\n"}, links={"link": "run.sh"})
    new = shelf.save({"run.sh": b"x\n"}, executable=["run.sh"], links={"link": "elsewhere", "was-file": "run.sh"})
    changes = files_of(shelf.diff(old, new))
    mode, link, kind = changes["run.sh"], changes["link"], changes["was-file"]
    assert mode.text is None
    assert [state and state.executable for state in (mode.old, mode.new)] == [False, True]
    assert [state and state.target for state in (link.old, link.new)] == ["run.sh", "elsewhere"]
    assert [state and state.kind for state in (kind.old, kind.new)] == ["file", "link"]


def test_binary_and_long_files_are_not_compared_line_by_line(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "MAX_TEXT_BYTES", 1000)
    old = {"image.png": b"\x89PNG\0\1", "long.csv": b"1,2\n" * 300, "latin.txt": b"gr\xfc\xdfe\n"}
    new = {"image.png": b"\x89PNG\0\2", "long.csv": b"1,3\n" * 300, "latin.txt": b"gr\xfc\xdf\n"}
    changes = files_of(shelf.diff(old, new))
    assert changes["image.png"].note == "binary"
    assert changes["long.csv"].note == "too long to compare line by line"
    assert changes["latin.txt"].text is not None


def test_so_many_texts_that_nobody_reads_them_are_only_named(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "MAX_TEXTS_BYTES", 100)
    changes = files_of(shelf.diff({}, {f"{number}.txt": b"x" * 40 for number in range(5)}))
    assert [change.text is not None for change in changes.values()] == [True, True, False, False, False]


@pytest.mark.parametrize("save", [torch_bytes, safetensors_bytes], ids=["torch", "safetensors"])
def test_tensors_are_added_removed_changed_and_moved(shelf: Shelf, save: Any) -> None:
    torch.manual_seed(0)
    frozen, head = torch.randn(300, 400), torch.randn(10, 400)
    old = {"backbone": frozen, "head": head, "gone": torch.ones(2), "typed": torch.ones(3)}
    new = {"backbone": frozen, "head": head + 0.5, "new": torch.ones(4), "typed": torch.ones(3).half()}
    tensors = files_of(shelf.diff({"w": save(old)}, {"w": save(new)}))["w"].tensors
    assert tensors is not None
    assert tensors.unchanged == 1
    changes = {change.name: change for change in tensors.changes}
    assert {name: change.change for name, change in changes.items()} == {
        "head": "changed", "gone": "removed", "new": "added", "typed": "changed",
    }  # fmt: skip
    assert [one and one.dtype for one in (changes["typed"].old, changes["typed"].new)] == ["float32", "float16"]
    values = changes["head"].values
    assert values is not None
    assert values.changed_items == 4000
    assert values.max_abs_difference == pytest.approx(0.5, rel=1e-3)
    assert values.relative_l2 == pytest.approx(float(torch.full((10, 400), 0.5).norm() / head.norm()), rel=1e-5)
    assert changes["typed"].values is None


@pytest.mark.parametrize("save", [torch_bytes, safetensors_bytes], ids=["torch", "safetensors"])
def test_the_bytes_of_a_frozen_backbone_are_never_read(shelf: Shelf, save: Any) -> None:
    torch.manual_seed(0)
    state = {f"backbone.{number}": torch.randn(700, 1000) for number in range(4)} | {"head": torch.randn(10, 10)}
    old = shelf.save({"w": save(state)})
    new = shelf.save({"w": save(state | {"head": torch.randn(10, 10), "another": torch.zeros(3)})})
    shelf.store.clear()
    tensors = files_of(shelf.diff(old, new))["w"].tensors
    assert tensors is not None
    assert tensors.unchanged == 4
    assert shelf.store.bytes_read() < 100_000


def test_an_added_weights_file_lists_its_tensors(shelf: Shelf) -> None:
    tensors = files_of(shelf.diff({}, {"a.npz": npz_bytes(x=np.ones(3))}))["a.npz"].tensors
    assert tensors is not None
    assert [(change.name, change.change) for change in tensors.changes] == [("x", "added")]


def test_a_file_that_only_looks_like_weights_is_binary(shelf: Shelf) -> None:
    zipped = b"PK\x05\x06" + bytes(18)
    changes = files_of(shelf.diff({"z": b"PK\x03\x04" + zipped}, {"z": b"PK\x03\x04\1" + zipped}))
    assert changes["z"].tensors is None
    assert changes["z"].note == "binary" or "cannot be read" in str(changes["z"].problem)


def test_a_weights_file_that_cannot_be_read_says_so_and_the_rest_is_compared(shelf: Shelf) -> None:
    old = {"w.pt": torch_bytes({"model": torch.nn.Linear(2, 2)}), "a.py": b"1\n"}
    new = {"w.pt": torch_bytes({"model": torch.nn.Linear(2, 3)}), "a.py": b"2\n"}
    changes = files_of(shelf.diff(old, new))
    assert "torch.nn.modules.linear.Linear" in str(changes["w.pt"].problem)
    assert changes["a.py"].text is not None


def test_only_tensors_leaves_out_code_and_only_code_the_tensors(shelf: Shelf) -> None:
    old = {"w.npz": npz_bytes(x=np.ones(3)), "a.py": b"1\n"}
    new = {"w.npz": npz_bytes(x=np.zeros(3)), "a.py": b"2\n"}
    assert set(files_of(shelf.diff(old, new, only="tensors"))) == {"w.npz"}
    code = files_of(shelf.diff(old, new, only="code"))
    assert code["a.py"].text is not None
    assert (code["w.npz"].tensors, code["w.npz"].note) == (None, "weights")
    assert shelf.diff(old, new, only="params").files == ()


def test_a_damaged_chunk_is_reported_with_its_file_and_the_rest_is_compared(shelf: Shelf) -> None:
    big = os.urandom(1_500_000)
    old = shelf.save({"big.bin": big, "a.py": b"1\n"})
    new = shelf.save({"big.bin": os.urandom(1_500_000), "a.py": b"2\n"})
    entry = next(entry for entry in old.entries() if entry.path == "big.bin")
    for info in shelf.store.list(f"chunks/{entry.extents[0].digest[:2]}/{entry.extents[0].digest}"):
        shelf.store.put(info.key, b"damaged")
    changes = files_of(shelf.diff(old, new))
    assert entry.extents[0].digest in str(changes["big.bin"].problem)
    assert changes["a.py"].text is not None


def test_a_snapshot_that_cannot_be_read_is_reported_and_the_rest_is_compared(shelf: Shelf) -> None:
    broken = SavedFiles(shelf.chunks, (), CorruptionError("manifest manifests/ab/abcd is damaged"))
    diff = comparing.compare([make_subject(shelf.save({"a": b"1"}), params={"a": 1}), make_subject(broken)])
    assert diff.files == (FilesDiff(1, (), 0, problem="manifest manifests/ab/abcd is damaged"),)
    assert [row.name for row in diff.params] == ["a"]
    assert not diff.is_empty


def test_what_could_not_be_saved_says_why(shelf: Shelf) -> None:
    missing = SavedFiles(shelf.chunks, [Entry("a.py", "missing", reason="was deleted while it was read")])
    change = files_of(shelf.diff(shelf.save({"a.py": b"1\n"}), missing))["a.py"]
    assert change.change == "changed"
    assert change.note == "when it was saved, it was deleted while it was read"


def test_several_sides_are_compared_with_the_first(shelf: Shelf) -> None:
    diff = shelf.diff({"a": b"1\n"}, {"a": b"1\n"}, {"a": b"2\n"})
    assert [(files.side, [change.path for change in files.changes]) for files in diff.files] == [(1, []), (2, ["a"])]


NAMES = st.sampled_from(["a.py", "d/b.py", "w.npz", "bin"])
CONTENTS = st.sampled_from(
    [b"", b"x\n", b"x\ny\n", b"\0\1", b"\0\2", npz_bytes(x=np.ones(3)), npz_bytes(x=np.zeros(3), y=np.ones(1))]
)
TREES = st.dictionaries(NAMES, CONTENTS)
_OPPOSITE = {"added": "removed", "removed": "added", "changed": "changed"}


@settings(deadline=None, max_examples=40)
@given(old=TREES, new=TREES)
def test_the_comparison_of_files_from_the_other_side_is_its_mirror_image(
    old: dict[str, bytes], new: dict[str, bytes]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        shelf = Shelf(Path(directory))
        one, other = shelf.save(old), shelf.save(new)
        forth, back = files_of(shelf.diff(one, other)), files_of(shelf.diff(other, one))
        assert shelf.diff(one, one).is_empty
    assert set(forth) == {path for path in {*old, *new} if old.get(path) != new.get(path)} == set(back)
    for path, change in forth.items():
        mirrored = back[path]
        assert (change.old, change.new, change.change) == (mirrored.new, mirrored.old, _OPPOSITE[mirrored.change])
        if change.text is not None and mirrored.text is not None:
            assert change.text.added_lines == mirrored.text.removed_lines
        assert (change.text is None, change.note) == (mirrored.text is None, mirrored.note)
        if change.tensors is not None and mirrored.tensors is not None:
            names = {one.name: (one.change, one.old, one.new) for one in change.tensors.changes}
            assert names == {one.name: (_OPPOSITE[one.change], one.new, one.old) for one in mirrored.tensors.changes}
