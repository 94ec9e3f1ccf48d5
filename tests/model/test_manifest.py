"""Manifests: encoded and decoded exactly, and damage noticed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keepsake._model.manifest import Entry, Extent, Manifest, decode_manifest, encode_manifest
from keepsake.errors import CorruptionError, FormatError, UnsupportedVersionError
from keepsake.testing import strategies

digests = st.integers(0, 5).map(lambda number: f"{number:064x}")
paths = st.lists(strategies.file_names(), min_size=1, max_size=3).map("/".join)
extents = st.builds(
    lambda digest, start, size: Extent(digest, start, start + size),
    digests,
    st.integers(0, 2**40),
    st.integers(0, 2**40),
)
entries = st.one_of(
    st.builds(Entry, paths, st.just("file"), st.booleans(), st.lists(extents, max_size=4).map(tuple)),
    st.builds(Entry, paths, st.just("directory")),
    st.builds(Entry, paths, st.just("link"), target=strategies.file_names()),
    st.builds(Entry, paths, st.just("missing"), reason=st.text(max_size=10)),
)
manifests = st.lists(entries, max_size=8, unique_by=lambda entry: entry.path).map(
    lambda found: Manifest(tuple(sorted(found, key=lambda entry: entry.path)))
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.sampled_from(["file", "a", "0" * 64]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
rows = st.fixed_dictionaries(
    {},
    optional={
        name: json_values | sensible
        for name, sensible in {
            "path": st.just("a"),
            "kind": st.sampled_from(["file", "link", "directory", "missing"]),
            "extents": st.lists(st.integers(-1, 3), max_size=6),
            "target": st.just("b"),
            "executable": st.just(True),
        }.items()
    },
)
documents = st.fixed_dictionaries(
    {"version": st.just(1) | json_values},
    optional={
        "chunks": json_values | st.just(["0" * 64, "1" * 64]),
        "entries": json_values | st.lists(rows, max_size=3),
    },
)


@given(manifests)
def test_what_was_encoded_comes_back(manifest: Manifest) -> None:
    assert decode_manifest(encode_manifest(manifest)) == manifest


@given(manifests)
def test_equal_manifests_give_equal_bytes_whatever_their_order(manifest: Manifest) -> None:
    backwards = Manifest(manifest.entries[::-1])

    assert encode_manifest(backwards) == encode_manifest(manifest)
    assert encode_manifest(manifest).isascii()


@given(manifests)
def test_its_digests_are_those_of_its_entries(manifest: Manifest) -> None:
    table = json.loads(encode_manifest(manifest))["chunks"]

    assert len(table) == len(set(table))
    assert manifest.digests() == set(table)
    assert manifest.size_bytes == sum(extent.size_bytes for entry in manifest.entries for extent in entry.extents)
    assert all(manifest.find(entry.path) == entry for entry in manifest.entries)
    assert manifest.find("no/such/\0path") is None


@given(documents)
@example({"version": 1, "chunks": "abc", "entries": [{"path": "a", "kind": "file", "extents": [0, 0, 1]}]})
@example({"version": 1, "chunks": [5], "entries": [{"path": "a", "kind": "file", "extents": [0, 0, 1]}]})
@example({"version": 1, "chunks": [], "entries": [{"path": 5, "kind": "file"}]})
@example({"version": 1, "chunks": [], "entries": [{"path": "a", "kind": "link", "target": 5}]})
@example({"version": 1, "chunks": ["a"], "entries": [{"path": "a", "kind": "file", "extents": [False, 0, 1]}]})
@example({"version": 1, "chunks": [], "entries": {}})
@example({"version": True, "chunks": [], "entries": []})
def test_a_document_of_another_shape_is_damage_or_a_whole_manifest(document: dict[str, Any]) -> None:
    try:
        manifest = decode_manifest(json.dumps(document).encode())
    except FormatError as error:
        assert isinstance(error, (CorruptionError, UnsupportedVersionError))  # noqa: PT017
        return
    again = decode_manifest(encode_manifest(manifest))
    assert sorted(again.entries, key=repr) == sorted(manifest.entries, key=repr)
    assert all(isinstance(digest, str) for digest in manifest.digests())


@given(st.binary(max_size=50))
@example(b"[" * 100_000)
@example(b'{"version":1,"chunks":[],"entries":' + b"9" * 5000 + b"}")
@example(b"1")
@example(b"{}")
def test_bytes_that_are_no_manifest_are_corruption(data: bytes) -> None:
    with pytest.raises(CorruptionError, match="not a manifest"):
        decode_manifest(data)


@given(manifests, st.data())
def test_a_truncated_manifest_is_corruption(manifest: Manifest, data: st.DataObject) -> None:
    whole = encode_manifest(manifest)

    with pytest.raises(CorruptionError):
        decode_manifest(whole[: data.draw(st.integers(0, len(whole) - 1))])


@pytest.mark.parametrize("version", [2, 99])
def test_a_newer_manifest_asks_for_a_newer_keepsake(version: int) -> None:
    with pytest.raises(UnsupportedVersionError, match=f"version {version}"):
        decode_manifest(b'{"version":%d,"chunks":[],"entries":[]}' % version)
