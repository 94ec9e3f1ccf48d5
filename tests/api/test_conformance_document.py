"""`docs/api-conformance.md`: every statement has a test, and every test that it names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "api-conformance.md"


def rows() -> list[tuple[str, list[str]]]:
    """Return the statement and the tests of each row of the tables."""
    lines = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [line.strip("| ").rsplit(" | ", 1) for line in lines]
    return [(statement, re.findall(r"`(\w+\.py::\w+)`", tests)) for statement, tests in cells if tests != "tests"]


def existing_tests() -> set[str]:
    found: set[str] = set()
    for path in HERE.glob("test_*.py"):
        module = ast.parse(path.read_text(encoding="utf-8"))
        found.update(f"{path.name}::{node.name}" for node in module.body if isinstance(node, ast.FunctionDef))
    return found


def test_every_statement_has_a_test() -> None:
    found = rows()
    assert len(found) > 100
    assert [statement for statement, tests in found if not tests] == []


def test_every_test_that_is_named_exists() -> None:
    named = {test for _, tests in rows() for test in tests}
    assert named - existing_tests() == set()


def test_no_statement_stands_there_twice() -> None:
    statements = [statement for statement, _ in rows()]
    assert len(set(statements)) == len(statements)
