"""Every `keepsake ...` in the documents is a command that there is, with options that it has."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from keepsake.cli.main import cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_LINE = re.compile(r"`keepsake ([^`\n]+)`|^\s*(?:\$ )?keepsake ((?!:)[a-z-][^\n]*)$", re.MULTILINE)


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words after `keepsake` of each command, up to where the shell takes over."""
    for inline, line in _LINE.findall(text):
        words = shlex.split(inline or line, comments=True)
        end = next((place for place, word in enumerate(words) if word in ("|", ">", "<", "&&", ";")), len(words))
        yield words[:end]


def unknown_part(words: list[str]) -> str | None:
    """Return the first word that is no command or no option of it; None when all are known."""
    context = click.Context(cli, info_name="keepsake")
    name = next((word for word in words if not word.startswith("-")), None)
    command = cli if name is None or name.isupper() else cli.get_command(context, name)
    if command is None:
        return name
    known = {
        option for each in (cli, command) for param in each.params for option in (*param.opts, *param.secondary_opts)
    }
    given = [word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)]
    return next((option for option in given if option not in known | {"-h", "--help"}), None)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_in_the_documents_exist(path: Path) -> None:
    found = list(commands(path.read_text(encoding="utf-8")))
    assert [(part, words) for words in found if (part := unknown_part(words)) is not None] == []


def test_there_are_commands_in_the_documents() -> None:
    assert sum(len(list(commands(path.read_text(encoding="utf-8")))) for path in DOCUMENTS) > 60
