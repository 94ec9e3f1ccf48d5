"""What the strategies draw is what they say, and odd enough to be worth drawing."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, find, given, settings

from keepsake._model.values import Value
from keepsake.stores.base import is_key
from keepsake.testing import strategies
from keepsake.testing.strategies import Tree

SEARCH = settings(max_examples=5000, deadline=None, suppress_health_check=list(HealthCheck))


@given(strategies.keys(), strategies.not_keys())
def test_keys_are_keys_and_the_others_are_not(key: str, other: str) -> None:
    assert is_key(key)
    assert key == key.lower()
    assert not is_key(other)


@given(strategies.values())
def test_values_are_what_json_can_hold_besides_nan_and_infinities(value: Value) -> None:
    assert repr(json.loads(json.dumps(value))) == repr(value)


@pytest.mark.parametrize(
    "wanted",
    [
        lambda value: isinstance(value, float) and math.isnan(value),
        lambda value: value == math.inf,
        lambda value: isinstance(value, int) and value > 2**63,
        lambda value: isinstance(value, float) and value == 1.0,
        lambda value: isinstance(value, dict) and any(isinstance(inner, list) and inner for inner in value.values()),
    ],
    ids=["nan", "infinity", "huge integer", "whole float", "nested"],
)
def test_values_are_found_that_programs_get_wrong(wanted: object) -> None:
    find(strategies.values(), wanted, settings=SEARCH)  # type: ignore[arg-type]


@given(strategies.file_trees(max_files=6, max_bytes=200))
@settings(max_examples=50, deadline=None)
def test_file_trees_can_be_written_and_read_back(tree: Tree) -> None:
    with TemporaryDirectory() as directory:
        _write(Path(directory), tree)
        assert _read(os.fsencode(directory)) == {_encoded(name): _encoded_tree(inner) for name, inner in tree.items()}


@pytest.mark.parametrize(
    "wanted",
    [
        lambda name: any("\udc80" <= character <= "\udcff" for character in name),
        lambda name: "\n" in name,
        lambda name: name.startswith("."),
        lambda name: not name.isascii(),
    ],
    ids=["undecodable", "newline", "hidden", "not ASCII"],
)
def test_file_names_are_found_that_programs_get_wrong(wanted: object) -> None:
    find(strategies.file_names(), wanted, settings=SEARCH)  # type: ignore[arg-type]


def test_neither_pytest_nor_hypothesis_is_imported_before_it_is_used() -> None:
    script = "import sys, keepsake.testing; print(sorted({'pytest', 'hypothesis'} & set(sys.modules)))"
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert process.stdout == "[]\n"


def test_an_unknown_name_is_an_attribute_error() -> None:
    import keepsake.testing

    with pytest.raises(AttributeError, match="nothing"):
        keepsake.testing.nothing  # noqa: B018


def _write(directory: Path, tree: Tree) -> None:
    for name, inner in tree.items():
        if isinstance(inner, bytes):
            (directory / name).write_bytes(inner)
        else:
            (directory / name).mkdir()
            _write(directory / name, inner)


def _read(directory: bytes) -> dict[bytes, object]:
    return {
        entry.name: _read(entry.path) if entry.is_dir() else Path(os.fsdecode(entry.path)).read_bytes()
        for entry in os.scandir(directory)
    }


def _encoded(name: str) -> bytes:
    return os.fsencode(name)


def _encoded_tree(tree: bytes | Tree) -> object:
    return tree if isinstance(tree, bytes) else {_encoded(name): _encoded_tree(inner) for name, inner in tree.items()}
