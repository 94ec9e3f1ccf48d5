"""The reference is what the code says."""

from __future__ import annotations

import ast
import re

import pytest

from docs.write_reference import REFERENCE, reference_pages


@pytest.mark.parametrize("name", ["cli.md", "python.md"])
def test_the_reference_is_not_stale(name: str) -> None:
    written = (REFERENCE / name).read_text(encoding="utf-8")
    assert written == reference_pages()[name], "run: python docs/write_reference.py"


def test_signatures_are_python() -> None:
    shown = re.findall(r"^```python\n(\w+\(.*\))\n```$", reference_pages()["python.md"], re.MULTILINE)
    assert len(shown) > 50
    for signature in shown:
        ast.parse(f"def {signature}: ...")


def test_every_error_is_there() -> None:
    assert {f"`{name}`" for name in ("KeepsakeError", "NotFoundError", "StoreError")} <= set(
        re.findall(r"^\| (`\w+`) \|", reference_pages()["python.md"], re.MULTILINE)
    )
