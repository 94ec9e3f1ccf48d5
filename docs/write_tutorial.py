"""Run the commands of `docs/tutorial.md` and of the README and write what they print into them.

    python docs/write_tutorial.py

- A fenced block that begins ```` ```python title="train.py" ```` is written to that file, in an empty directory.
- Of a ```` ```console ```` block, each line that begins with `$ ` is run there by a shell; what it prints, on both
  outputs, belongs below it.
- Ids and times differ from run to run, figures from machine to machine. Where the text uses an id of an earlier output
  in a command, the one that stands in its place now is used.

A test runs the same and compares, with all of those masked.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

TUTORIAL = Path(__file__).parent / "tutorial.md"
README = Path(__file__).parent.parent / "README.md"

_FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
_ID = re.compile(r"\b[0-9a-f]{64}\b|\b(?=[0-9a-f]*\d)[0-9a-f]{7}\b")
_VARIES = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d( [+-]\d{4})?"  # a time
    r"|(?<=host )\s*\S+"
    r"|[+-]?\b\d+(\.\d+)?s?\b( (kB|B|MB)\b)?"
    r"|, better|, worse"
)


@dataclass
class Command:
    """A line that is run, and what the text says it prints."""

    line: str
    expected: str
    printed: str = ""


@dataclass
class Tutorial:
    """The tutorial as commands and their output."""

    text: str
    commands: list[Command] = field(default_factory=list)

    def run(self, directory: Path, environment: Mapping[str, str]) -> None:
        """Run every command in `directory`, in order."""
        ids: dict[str, str] = {}
        for kind, title, body in _FENCE.findall(self.text):
            if title:
                (directory / title).write_text(body, encoding="utf-8")
            elif kind == "console":
                for command in _commands(body):
                    line = _ID.sub(lambda found: ids.get(found[0], found[0]), command.line)
                    command.printed = _run(line, directory, environment)
                    ids.update(zip(_ID.findall(command.expected), _ID.findall(command.printed), strict=False))
                    self.commands.append(command)

    def rewritten(self) -> str:
        """Return the text with what was printed in place of what stood there."""
        outputs = iter(self.commands)
        ids: dict[str, str] = {}

        def rewrite(found: re.Match[str]) -> str:
            kind, _, body = found.groups()
            if kind != "console":
                return found[0]
            lines = []
            for _ in _commands(body):
                command = next(outputs)
                shown = _ID.sub(lambda one: ids.get(one[0], one[0]), command.line)
                ids.update(zip(_ID.findall(command.expected), _ID.findall(command.printed), strict=False))
                lines.append(f"$ {shown}\n{command.printed}")
            return f"```console\n{''.join(lines)}```"

        return _FENCE.sub(rewrite, self.text)


def masked(output: str) -> str:
    """Return output without what differs from run to run."""
    names: dict[str, str] = {}
    named = _ID.sub(lambda found: names.setdefault(found[0], f"<{len(names)}>"), output)
    # Columns are as wide as their longest cell, which may be a time or a size.
    return re.sub(r" +", " ", _VARIES.sub("…", named))


def tutorial_environment(home: Path) -> dict[str, str]:
    """Return an environment in which the tutorial prints the same everywhere."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "USER": "ada",
        "LOGNAME": "ada",
        "COLUMNS": "100",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "KEEPSAKE_COURIER": "off",
        # On a machine with other work, threads that compute together mostly wait for each other.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _commands(body: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        line, _, expected = part.partition("\n")
        yield Command(line, expected)


def _run(line: str, directory: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    return "\n".join(text.rstrip() for text in done.stdout.replace(str(directory), "/home/ada/digits").splitlines()) + (
        "\n" if done.stdout else ""
    )


def main() -> None:
    """Run what each document says and write what it prints into it."""
    for document in (TUTORIAL, README):
        tutorial = Tutorial(document.read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory() as home:
            directory = Path(home) / "digits"
            directory.mkdir()
            tutorial.run(directory, tutorial_environment(Path(home)))
        document.write_text(tutorial.rewritten(), encoding="utf-8")


if __name__ == "__main__":
    main()
