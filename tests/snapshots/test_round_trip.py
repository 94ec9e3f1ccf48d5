"""What was saved comes back: random trees, saved and checked out."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepsake._chunks.chunkstore import ChunkStore
from keepsake._model.manifest import Manifest, decode_manifest, encode_manifest
from keepsake._snapshots.checkout import plan_checkout, run_checkout
from keepsake._snapshots.ignore import IgnoreRules
from keepsake._snapshots.read import open_entry
from keepsake._snapshots.save import save_snapshot
from keepsake._snapshots.scan import Found, scan_path
from keepsake.stores.memory import MemoryStore

pytestmark = pytest.mark.skipif(os.name == "nt", reason="uses names and links that Windows does not have")

NAME = st.one_of(
    st.sampled_from([b"a", b"b", b"A", b"model.pt", b"x.py", b"caf\xe9", b"-rf", b"new\nline", b" ", b"back\\slash"]),
    st.binary(min_size=1, max_size=12).filter(lambda name: not set(name) & set(b"/\0") and name not in (b".", b"..")),
)
FILE = st.tuples(
    st.just("file"),
    st.one_of(
        st.binary(max_size=100), st.integers(0, 300_000).map(lambda size: bytes(size // 2) + b"\1" * (size // 2))
    ),
    st.booleans(),
)
LINK = st.tuples(st.just("link"), st.sampled_from(["a", "../b", "/nowhere", "caf\udce9"]))
Tree: TypeAlias = dict[bytes, "tuple[str, bytes, bool] | tuple[str, str] | Tree"]
TREE: st.SearchStrategy[Tree] = st.recursive(
    st.dictionaries(NAME, st.one_of(FILE, LINK), max_size=4),
    lambda children: st.dictionaries(NAME, st.one_of(FILE, LINK, children), max_size=4),
    max_leaves=6,
)


def write_tree(directory: bytes, tree: Tree) -> None:
    os.makedirs(directory, exist_ok=True)
    for name, node in tree.items():
        path = os.path.join(directory, name)
        if isinstance(node, dict):
            write_tree(path, node)
        elif len(node) == 2:
            os.symlink(os.fsencode(node[1]), path)
        else:
            with open(path, "wb") as file:
                file.write(node[1])
            os.chmod(path, 0o755 if node[2] else 0o644)


def read_tree(directory: bytes) -> Tree:
    tree: Tree = {}
    for entry in os.scandir(directory):
        if entry.is_symlink():
            tree[entry.name] = ("link", os.fsdecode(os.readlink(entry.path)))
        elif entry.is_dir():
            tree[entry.name] = read_tree(entry.path)
        else:
            with open(entry.path, "rb") as file:
                tree[entry.name] = ("file", file.read(), bool(entry.stat().st_mode & 0o100))
    return tree


def save(project: Path, chunks: ChunkStore) -> Manifest:
    found = scan_path(project, ".", IgnoreRules([]))
    return decode_manifest(encode_manifest(save_snapshot(project, found, chunks)))


@settings(max_examples=80, deadline=None)
@given(tree=TREE)
def test_any_tree_comes_back(tree: Tree) -> None:
    place = Path(tempfile.mkdtemp())
    try:
        write_tree(os.fsencode(place / "project"), tree)
        chunks = ChunkStore(MemoryStore())
        manifest = save(place / "project", chunks)
        run_checkout(plan_checkout([manifest]), chunks, place / "target")
        assert read_tree(os.fsencode(place / "target")) == tree
        for entry in manifest.entries:
            if entry.kind == "file":
                with open_entry(entry, chunks) as file:
                    assert file.read() == (place / "project" / entry.path).read_bytes()
    finally:
        shutil.rmtree(place)


@settings(max_examples=40, deadline=None)
@given(lower=TREE, upper=TREE)
def test_a_checkpoint_over_its_experiment_looks_as_if_written_later(lower: Tree, upper: Tree) -> None:
    """Checking both out at once gives what checking out one after the other would, where nothing stands in the way."""
    place = Path(tempfile.mkdtemp())
    try:
        chunks = ChunkStore(MemoryStore())
        write_tree(os.fsencode(place / "lower"), lower)
        write_tree(os.fsencode(place / "upper"), upper)
        manifests = [save(place / "lower", chunks), save(place / "upper", chunks)]
        run_checkout(plan_checkout(manifests), chunks, place / "target")
        assert read_tree(os.fsencode(place / "target")) == laid_over(lower, upper)
    finally:
        shutil.rmtree(place)


def laid_over(lower: Tree, upper: Tree) -> Tree:
    result = dict(lower)
    for name, node in upper.items():
        below = result.get(name)
        result[name] = laid_over(below, node) if isinstance(node, dict) and isinstance(below, dict) else node
    return result


def test_a_deep_tree_comes_back(tmp_path: Path, deep_path: str) -> None:
    chunks = ChunkStore(MemoryStore())
    manifest = save(tmp_path, chunks)
    run_checkout(plan_checkout([manifest]), chunks, tmp_path / "t")
    assert (tmp_path / "t" / deep_path).read_bytes() == b"deep"


def test_a_file_named_through_a_link_is_saved_with_its_content(tmp_path: Path) -> None:
    project, scratch = tmp_path / "project", tmp_path / "scratch"
    project.mkdir()
    scratch.mkdir()
    (scratch / "epoch9.pt").write_bytes(b"weights")
    (project / "best.pt").symlink_to(scratch / "epoch9.pt")
    chunks = ChunkStore(MemoryStore())
    manifest = save_snapshot(project, scan_path(project, "best.pt", IgnoreRules([])), chunks)
    run_checkout(plan_checkout([manifest]), chunks, tmp_path / "target")
    assert not (tmp_path / "target" / "best.pt").is_symlink()
    assert (tmp_path / "target" / "best.pt").read_bytes() == b"weights"


def test_what_could_not_be_looked_at_stays_missing(tmp_path: Path) -> None:
    chunks = ChunkStore(MemoryStore())
    found = [Found("closed", "missing", reason="cannot be read: Permission denied")]
    manifest = decode_manifest(encode_manifest(save_snapshot(tmp_path, found, chunks)))
    result = run_checkout(plan_checkout([manifest]), chunks, tmp_path / "target")
    assert [(entry.path, entry.reason) for entry in result.missing] == [("closed", "cannot be read: Permission denied")]
    assert list((tmp_path / "target").iterdir()) == []
