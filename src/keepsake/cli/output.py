"""How commands print: data to stdout, talk to stderr, colour only where there is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from keepsake.errors import InvalidInputError


def print_json(document: Any) -> None:
    """Print a document as strict JSON, indented."""
    from keepsake._analysis.strict_json import json_text

    click.echo(json_text(document, indent=2))


def say(text: str) -> None:
    """Tell the user something that is not the data asked for."""
    click.echo(text, err=True)


def format_count(number: int, noun: str) -> str:
    """Return `1 checkpoint`, `2 checkpoints`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def terminal_width() -> int | None:
    """Return how many columns stdout has; None when it is no terminal, where nothing need be left out."""
    if not sys.stdout.isatty():
        return None
    import shutil

    return shutil.get_terminal_size().columns


def uses_color() -> bool:
    """Say whether stdout takes colour, by the options, `NO_COLOR` and where it leads."""
    wanted = click.get_current_context().color
    return sys.stdout.isatty() if wanted is None else wanted


def confirm(question: str, *, flag: str = "-f") -> None:
    """Ask on stderr, and end with exit code 1 unless the answer is yes.

    Raises:
        InvalidInputError: stdin has no answer.
    """
    while True:
        click.echo(f"{question} [y/N] ", err=True, nl=False)
        answer = sys.stdin.readline() if sys.stdin is not None else ""
        if not answer:
            say("")
            raise InvalidInputError("nobody answers on standard input", hint=f"pass {flag} to go on without a question")
        if answer.strip().lower() in ("y", "yes"):
            return
        if answer.strip().lower() in ("", "n", "no"):
            say("nothing was done")
            click.get_current_context().exit(1)
        say("please answer y or n")


def _no_progress(_done: int, _total: int) -> None:
    """Show nothing: there is no terminal."""


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far something is, on stderr, if that is a terminal.

    Yields:
        A function to call with (done, all), in any unit.
    """
    if not sys.stderr.isatty():
        yield _no_progress
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
