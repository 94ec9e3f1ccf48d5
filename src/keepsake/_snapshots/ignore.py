"""What is left out of snapshots: Keepsake's own rules, then the project's `.keepsakeignore`, read as git would.

The last rule that matches a path decides, so a `!` line of the user's brings back what our rules leave out. As with
git, what lies below an ignored directory cannot be brought back alone: the directory is never walked. `.gitignore`
itself is not applied: weights and data stand there, and they are what is to be saved.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from keepsake._snapshots.paths import ancestors
from keepsake._snapshots.pattern import Pattern, compile_pattern
from keepsake.errors import ConfigError

IGNORE_FILE = ".keepsakeignore"

_CACHES = (
    "__pycache__/ .mypy_cache/ .pytest_cache/ .ruff_cache/ .hypothesis/ .pytype/ .pyre/ .tox/ .nox/ .eggs/ "
    ".ipynb_checkpoints/ .virtual_documents/ .venv/ site-packages/ node_modules/ wandb/ mlruns/ "
    ".DS_Store .AppleDouble/ ._* Thumbs.db desktop.ini .nfs* .fuse_hidden* .keepsake-*.tmp"
)
_SECRETS = (
    ".env* .netrc _netrc .aws/ .azure/ .ssh/ .gnupg/ .kube/ .kaggle/ kaggle.json .git-credentials .pypirc .npmrc "
    ".pgpass .my.cnf .htpasswd .s3cfg .boto .dockercfg .databrickscfg application_default_credentials.json "
    "id_rsa* id_dsa* id_ecdsa* id_ed25519* *.pem *.key *.p12 *.pfx *.ppk *.jks *.keystore *.kdbx"
)
_NO_SECRETS = "!.env.example !.env.sample !.env.template !id_*.pub"

BUILT_IN_LINES = tuple(f"{_CACHES} {_SECRETS} {_NO_SECRETS}".split())
"""Keepsake's own rules, as lines of `.keepsakeignore`."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """Patterns that follow each other and agree on what a match means."""

    negated: bool
    directory_only: bool
    names: frozenset[str]
    name_regex: re.Pattern[str] | None
    path_regex: re.Pattern[str] | None

    def matches(self, path: str, name: str) -> bool:
        return (
            name in self.names
            or (self.name_regex is not None and self.name_regex.match(name) is not None)
            or (self.path_regex is not None and self.path_regex.match(path) is not None)
        )


class IgnoreRules:
    """Rules in the order in which they were written; the last that matches a path decides."""

    def __init__(self, patterns: Iterable[Pattern], *, ignore_case: bool | None = None) -> None:
        """Combine patterns.

        Args:
            patterns: the first rule first.
            ignore_case: whether `README` matches `readme`; by default as git does, where file systems usually do.
        """
        self.patterns = tuple(patterns)
        if ignore_case is None:
            ignore_case = sys.platform in ("win32", "darwin")
        self._flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
        groups = groupby(self.patterns, key=lambda pattern: (pattern.negated, pattern.directory_only))
        self._layers = [self._layer(list(group)) for _, group in groups]
        self._layers.reverse()

    @classmethod
    def load(cls, project_directory: str | os.PathLike[str]) -> IgnoreRules:
        """Read the rules of a project: the built-in ones, then those of its `.keepsakeignore`, if there is one.

        Raises:
            ConfigError: `.keepsakeignore` cannot be read, or a line of it could never match; the line is named.
        """
        file = Path(project_directory, IGNORE_FILE)
        try:
            text = file.read_bytes().decode("utf-8-sig", "surrogateescape")
        except (FileNotFoundError, NotADirectoryError):
            text = ""
        except OSError as error:
            raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
        return _compile_rules(text, file)

    def ignores(self, path: str, *, is_directory: bool) -> bool:
        """Say whether `path` is left out, given that the directories above it are not.

        Args:
            path: relative to the project directory, `/`-separated.
            is_directory: whether it is a directory; a link to one is not.
        """
        name = path[path.rfind("/") + 1 :]
        for layer in self._layers:
            if (is_directory or not layer.directory_only) and layer.matches(path, name):
                return not layer.negated
        return False

    def find_rule(self, path: str, *, is_directory: bool) -> tuple[str, Pattern] | None:
        """Return what leaves `path` out: the path or the directory above it that is ignored, and the rule; or None."""
        for one in ancestors(path):
            pattern = self._deciding(one, is_directory=True)
            if pattern is not None and not pattern.negated:
                return one, pattern
        pattern = self._deciding(path, is_directory=is_directory)
        return (path, pattern) if pattern is not None and not pattern.negated else None

    def _deciding(self, path: str, *, is_directory: bool) -> Pattern | None:
        name = path[path.rfind("/") + 1 :]
        for pattern in reversed(self.patterns):
            if pattern.directory_only and not is_directory:
                continue
            if re.match(pattern.regex, name if pattern.by_name else path, self._flags):
                return pattern
        return None

    def _layer(self, patterns: Sequence[Pattern]) -> _Layer:
        plain = () if self._flags & re.IGNORECASE else patterns
        names = frozenset(pattern.name for pattern in plain if pattern.name is not None)
        by_name = [pattern for pattern in patterns if pattern.by_name and pattern.name not in names]
        by_path = [pattern for pattern in patterns if not pattern.by_name]
        first = patterns[0]
        return _Layer(first.negated, first.directory_only, names, self._join(by_name), self._join(by_path))

    def _join(self, patterns: Sequence[Pattern]) -> re.Pattern[str] | None:
        if not patterns:
            return None
        return re.compile("|".join(f"(?:{pattern.regex})" for pattern in patterns), self._flags)


def describe_rule(pattern: Pattern) -> str:
    """Name a rule for a message."""
    where = f"line {pattern.line} of {IGNORE_FILE}" if pattern.line else "Keepsake's own rule"
    return f"{where} ({pattern.text})"


@functools.lru_cache(maxsize=16)
def _compile_rules(text: str, file: Path) -> IgnoreRules:
    """Compile what was read; once for all checkpoints of a script, as it takes longer than saving a small file."""
    return IgnoreRules([*_built_in_patterns(), *_compile_lines(text.split("\n"), file)])


def _built_in_patterns() -> list[Pattern]:
    compiled = (compile_pattern(line) for line in BUILT_IN_LINES)
    return [pattern for pattern in compiled if pattern is not None]


def _compile_lines(lines: Iterable[str], file: Path) -> list[Pattern]:
    patterns: list[Pattern] = []
    for number, line in enumerate(lines, start=1):
        try:
            pattern = compile_pattern(line, number)
        except ValueError as error:
            raise ConfigError(
                f"line {number} of {file} is no pattern: {line.strip()!r}: {error}",
                hint="the format is that of .gitignore: https://git-scm.com/docs/gitignore",
            ) from error
        if pattern is not None:
            patterns.append(pattern)
    return patterns
