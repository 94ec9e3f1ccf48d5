"""Reading a YAML file of settings so that every mistake is reported with file, line and key.

PyYAML is imported with this module, which is therefore imported only once there is a file to read.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from keepsake.errors import ConfigError

_MAX_BYTES = 1 << 20
"""No file of settings is larger. (Nor can aliases in so small a file unfold to much: they are objects, not copies.)"""


@dataclass(frozen=True, slots=True)
class Document:
    """The settings in one file, with the line of each."""

    path: Path
    values: dict[str, Any]
    lines: dict[str, int]

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def place(self, key: str) -> str:
        """Return file and line of a key, for messages."""
        return f"{self.path}, line {self.lines[key]}" if key in self.lines else str(self.path)

    def get_text(self, key: str) -> str | None:
        """Return a setting that must be text, or None when it is absent. Raises `ConfigError` for another type."""
        if key not in self.values:
            return None
        value = self.values[key]
        if not isinstance(value, str):
            raise ConfigError(
                f"{self.place(key)}: `{key}` must be text, not {_describe(value)}", hint=f'for example {key}: "…"'
            )
        return value

    def get_mapping(self, key: str, inner: str | None = None) -> dict[str, object]:
        """Return a setting that must be a mapping with text as keys, or one in it; empty when it is absent.

        Raises `ConfigError` for another type.
        """
        value = self.values.get(key) if inner is None else self.get_mapping(key).get(inner)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
            raise ConfigError(
                f"{self.place(key)}: `{key}` must be a mapping of names to values, not {_describe(value)}"
            )
        return value

    def get_switch(self, key: str, *, default: bool) -> bool:
        """Return a setting that must be true or false. Raises `ConfigError` for another type."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise ConfigError(f"{self.place(key)}: `{key}` must be true or false, not {_describe(value)}")
        return value


def load_mapping(path: Path, *, known: Sequence[str]) -> Document:
    """Read a file of settings.

    Args:
        path: the file.
        known: the keys that it may have.

    Raises:
        ConfigError: the file cannot be read, is empty or no YAML mapping, or has a key twice or one that is unknown.
    """
    text = _read(path)
    try:
        node = _check_root(yaml.compose(text, Loader=yaml.SafeLoader), path, known)
        _refuse_repeated_keys(node, path)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{_place_of(error, path)}: this is not YAML: {_reason(error)}") from error
    except (ValueError, RecursionError) as error:
        # A date such as 2026-99-99, or brackets a thousand deep.
        raise ConfigError(f"{path}: this cannot be read as YAML: {error}") from error
    return Document(path, values, {key.value: key.start_mark.line + 1 for key, _ in node.value})


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"{path} is larger than {_MAX_BYTES:,} bytes; this is no file of settings")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}, line {line}: this is not UTF-8", hint="save the file as UTF-8") from error


def _check_root(node: Any, path: Path, known: Sequence[str]) -> yaml.MappingNode:
    """Return the node of the whole file, which must be a mapping with known keys."""
    if node is None:
        raise ConfigError(f"{path} is empty", hint="write for example: repository: .keepsake")
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(
            f"{path}, line {line}: these are no settings", hint="write for example: repository: .keepsake"
        )
    for key, _ in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else "…"
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise ConfigError(
                f"{path}, line {key.start_mark.line + 1}: unknown key `{name}`",
                hint=f"did you mean `{near[0]}`?" if near else f"the keys are {', '.join(known)}",
            )
    return node


def _refuse_repeated_keys(node: Any, path: Path) -> None:
    """Refuse a key that stands twice in one mapping, of which YAML would take the last without a word."""
    waiting, seen_nodes = [node], set()
    while waiting:
        current = waiting.pop()
        if id(current) in seen_nodes or isinstance(current, yaml.ScalarNode):
            continue
        seen_nodes.add(id(current))
        if isinstance(current, yaml.SequenceNode):
            waiting.extend(current.value)
            continue
        lines: dict[str, int] = {}
        for key, value in current.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and lines.setdefault(key.value, line) != line:
                raise ConfigError(
                    f"{path}, line {line}: the key `{key.value}` stands there again, after line {lines[key.value]}",
                    hint="keep one of the two",
                )
            waiting.append(value)


def _place_of(error: yaml.YAMLError, path: Path) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"{path}, line {mark.line + 1}" if mark is not None else str(path)


def _reason(error: yaml.YAMLError) -> str:
    return getattr(error, "problem", None) or str(error).partition("\n")[0]


def _describe(value: object) -> str:
    if value is None:
        return "nothing"
    return {"dict": "a mapping", "list": "a list", "bool": "true or false"}.get(type(value).__name__, repr(value))
