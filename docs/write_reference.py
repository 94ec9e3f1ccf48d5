"""Write `docs/reference/`: the manual of the command line and of the Python API, from the code itself.

    python docs/write_reference.py

A test compares what is there with what this would write.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

import keepsake
from keepsake.cli.main import ALIASES, COMMANDS, cli

REFERENCE = Path(__file__).parent / "reference"

_CONVENTIONS = """\
Exit codes: 0, 1 (failed), 2 (usage), 3 (not found, or ambiguous). Data goes to standard output, everything else to
standard error. Where a command takes an ID, any beginning of one that fits no other is enough, from three digits on.
What `--json` prints is in [json.md](json.md), what filters and sort keys can say in [filters.md](../filters.md)."""

_ERRORS = """\
What Keepsake raises is a `keepsake.KeepsakeError`, and one of these. Each has a `message`, a `hint` on what to do
(or None) and a `kind`, a word for programs that does not change."""

FUNCTIONS = ("init", "wait", "diff", "migrate")
CLASSES = (
    "Experiment",
    "Checkpoint",
    "ExperimentCollection",
    "ExperimentList",
    "CheckpointList",
    "PrimaryMetric",
    "Project",
)


def reference_pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    return {"cli.md": _cli_page(), "python.md": _python_page()}


def _cli_page() -> str:
    context = click.Context(cli, info_name="keepsake")
    parts = [
        "# Command line",
        "`keepsake COMMAND --help` says the same. Written from the code by `docs/write_reference.py`.",
        _CONVENTIONS,
        "## Options of every command",
        _options(cli),
    ]
    other_names = {name: other for other, name in ALIASES.items()}
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        alias = f" (also `{other_names[name]}`)" if name in other_names else ""
        usage = " ".join(["keepsake", name, *command.collect_usage_pieces(context)])
        parts += [f"## keepsake {name}{alias}", f"```\n{usage}\n```", _prose(command.help or "")]
        own = _options(command, without=cli)
        if own:
            parts.append(own)
    return "\n\n".join(parts) + "\n"


def _options(command: click.Command, without: click.Command | None = None) -> str:
    common = {param.name for param in without.params} if without is not None else set()
    rows = [
        f"| `{_spelling(param)}` | {param.help} |"
        for param in command.params
        if isinstance(param, click.Option) and param.name not in common
    ]
    return "\n".join(["| option | |", "|---|---|", *rows]) if rows else ""


def _spelling(option: click.Option) -> str:
    names = ", ".join(option.opts + option.secondary_opts)
    if option.is_flag:
        return names
    choices = "\\|".join(option.type.choices) if isinstance(option.type, click.Choice) else ""
    return f"{names} {option.metavar or choices or 'N'}"


def _prose(text: str) -> str:
    """Return help text as Markdown; what click was told not to wrap becomes a code block."""
    return "\n\n".join(map(_paragraph, inspect.cleandoc(text).split("\n\n")))


def _paragraph(text: str) -> str:
    return f"```\n{text[2:]}\n```" if text.startswith("\b\n") else " ".join(text.split())


def _python_page() -> str:
    parts = ["# Python API", "Written from the code by `docs/write_reference.py`."]
    for name in FUNCTIONS:
        parts += _function(f"keepsake.{name}", getattr(keepsake, name), level=2)
    for name in CLASSES:
        parts += _class(name, getattr(keepsake, name))
    parts += ["## keepsake.errors", _ERRORS, _error_table()]
    return "\n\n".join(parts) + "\n"


def _error_table() -> str:
    rows = [
        f"| `{name}` | {', '.join(f'`{base.__name__}`' for base in kind.__bases__)} | `{kind.kind}` "
        f"| {' '.join(inspect.cleandoc(kind.__doc__ or '').split())} |"
        for name, kind in vars(keepsake.errors).items()
        if isinstance(kind, type) and issubclass(kind, keepsake.KeepsakeError)
    ]
    return "\n".join(["| error | is a | kind | |", "|---|---|---|---|", *rows])


def _class(name: str, kind: type) -> Iterator[str]:
    yield f"## keepsake.{name}"
    yield _docstring(kind)
    for member_name, member in _public_members(kind):
        if isinstance(member, property):
            yield f"### {name}.{member_name}"
            yield _docstring(member)
        else:
            yield from _function(f"{name}.{member_name}", member, level=3)


def _public_members(kind: type) -> Iterator[tuple[str, Any]]:
    own = [base for base in kind.__mro__ if base.__module__.startswith("keepsake.")]
    seen: set[str] = set()
    for base in own:
        for name, member in vars(base).items():
            if not name.startswith("_") and name not in seen and (callable(member) or isinstance(member, property)):
                seen.add(name)
                yield name, member


def _function(title: str, function: Callable[..., Any], *, level: int) -> Iterator[str]:
    yield f"{'#' * level} {title}()"
    yield f"```python\n{title.rpartition('.')[2]}({_parameters(function)})\n```"
    yield _docstring(function)


def _parameters(function: Callable[..., Any]) -> str:
    texts = []
    keyword_only = False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            texts.append("*")
        keyword_only |= parameter.kind in (parameter.VAR_POSITIONAL, parameter.KEYWORD_ONLY)
        star = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        star = "**" if parameter.kind is parameter.VAR_KEYWORD else star
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        texts.append(f"{star}{parameter.name}{default}")
    return ", ".join(texts)


def _docstring(thing: Any) -> str:
    """Return a docstring of the Google form as Markdown."""
    text = inspect.cleandoc(thing.__doc__ or "")
    lines: list[str] = []
    for line in text.splitlines():
        section = re.fullmatch(r"(Args|Returns|Raises|Yields|Attributes):", line)
        item = re.match(r"    (\*{0,2}[\w, ]+): (.*)", line)
        if section:
            lines += [f"**{section[1]}**", ""]
        elif item:
            lines.append(f"- `{item[1]}`: {item[2]}")
        elif line.startswith("        "):
            lines.append(textwrap.indent(line.strip(), "  "))
        else:
            lines.append(line.strip())
    return "\n".join(lines)


def main() -> None:
    """Write the pages."""
    REFERENCE.mkdir(exist_ok=True)
    for name, text in reference_pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
