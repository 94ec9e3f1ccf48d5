"""The fields of `--json` are those that the reference says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import cli, trained
from tests.cli.subjects import RunCli, TwoExperiments

__all__ = ["cli", "trained"]

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "json.md"
COMMANDS: dict[str, Callable[[TwoExperiments, str], list[str]]] = {
    "ls": lambda trained, other: ["ls"],
    "show EXPERIMENT": lambda trained, other: ["show", trained.first.id],
    "show CHECKPOINT": lambda trained, other: ["show", trained.first.checkpoints[0].id],
    "name": lambda trained, other: ["name", trained.first.id],
    "note": lambda trained, other: ["note", trained.first.id, "diverged"],
    "tag": lambda trained, other: ["tag", trained.first.id, "paper"],
    "log": lambda trained, other: ["log", trained.first.id],
    "diff": lambda trained, other: ["diff", trained.first.id, trained.second.id],
    "du": lambda trained, other: ["du"],
    "check": lambda trained, other: ["check"],
    "collect": lambda trained, other: ["collect"],
    "push": lambda trained, other: ["push", other],
}


def documented(title: str) -> set[str]:
    """Return the fields in the first column of a section's table, and those that its other column names in a list."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"## keepsake {title} --json\n")
    section = rest.partition("\n## ")[0]
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def fields(document: Any, prefix: str = "", *, deep: tuple[str, ...]) -> set[str]:
    """Return the names of all fields; those of an object within only when its name is in `deep`."""
    if isinstance(document, list):
        return {name for one in document for name in fields(one, prefix, deep=deep)}
    found = set()
    for name, value in document.items():
        found.add(f"{prefix}{name}")
        if name in deep and isinstance(value, dict):
            found |= fields(value, f"{prefix}{name}.", deep=deep)
    return found


@pytest.mark.parametrize("title", COMMANDS)
def test_the_fields_are_those_that_are_documented(
    title: str, cli: RunCli, trained: TwoExperiments, tmp_path: Path
) -> None:
    done = cli(*COMMANDS[title](trained, str(tmp_path / "other")), "--json", at=trained.directory)
    assert done.code == 0
    document = [json.loads(line) for line in done.out.splitlines()] if title == "log" else json.loads(done.out)
    deep = ("latest_checkpoint", "best_checkpoint", "primary_metric") if title == "ls" else ()
    assert fields(document, deep=deep) == documented(title)


@pytest.mark.parametrize("title", ["ls", "show EXPERIMENT", "show CHECKPOINT", "log", "diff"])
def test_times_are_written_as_documented(title: str, cli: RunCli, trained: TwoExperiments) -> None:
    out = cli(*COMMANDS[title](trained, ""), "--json", at=trained.directory).out
    times = re.findall(r'"created": ?"([^"]*)"', out)
    assert times
    assert [one for one in times if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", one)] == []


def test_every_command_that_prints_json_is_documented(cli: RunCli) -> None:
    from keepsake.cli.main import COMMANDS as ALL

    with_json = {name for name in ALL if "--json" in cli(name, "--help").out}
    assert with_json - {"ps"} == {title.split()[0] for title in COMMANDS}
