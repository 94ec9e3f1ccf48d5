"""Secrets in source code: what `secrets` finds by name or form, where it is written as a literal.

Code that gets a secret from elsewhere (`token=read_token()`) is left as it is, so that it can be read and run. Lines
for the shell and magics of IPython are no Python: they are masked like any other text.
"""

from __future__ import annotations

import re

from keepsake._tracking.secrets import (
    MASK,
    is_secret_name,
    mask_flags,
    mask_pair_value,
    mask_text,
    mask_tokens,
    mask_url,
)

# A literal of more than 8,192 characters is no secret, and looking for the end of each would take long.
_LITERAL = (
    r"""(?:(?P<quotes>"{3}|'{3})(?P<long>.{0,8192}?)(?P=quotes)"""
    r"""|(?P<quote>["'])(?P<short>(?:\\.|(?!(?P=quote))[^\\\n]){0,8192})(?P=quote))"""
)
_ANY_LITERAL = re.compile(_LITERAL, re.DOTALL)
# `token = "…"`, `token: str = "…"`, `environ["TOKEN"] = "…"`, `{"token": "…"}`, `f(token="…")`; and where the name is
# a text itself, `setenv("TOKEN", "…")` and `["--token", "…"]`.
_NAMED_LITERAL = re.compile(
    r"""(?:(?<![\w.-])(?P<name>[A-Za-z_][\w.-]*)["']?\s*\]?\s*(?::\s*[A-Za-z_][\w.\[\]| ]*)?(?::=|=|:)"""
    r"""|(?:\(\s*["']|["']-{1,2})(?P<said>[A-Za-z_][\w-]*)["']\s*,)\s*[A-Za-z]{0,2}""" + _LITERAL,
    re.DOTALL,
)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s\"'<>]+")
_PAIR_IN_LITERAL = re.compile(r"(?<![\w.-])(?P<name>[A-Za-z_][\w.-]*)=(?P<value>[^\s\"'&;,|<>)}\]{%$]+)")
_NOT_PYTHON = re.compile(r"^[ \t]*[!%].*$", re.MULTILINE)
_SET_ENV = re.compile(r"^(?P<start>\s*%(?:set_)?env\s+(?P<name>\w+)[ \t]+)(?P<value>\S.*)$")
_CELL_MAGIC = re.compile(r"\s*%%(?P<name>[\w!]+)")
_PYTHON_MAGICS = frozenset({"time", "timeit", "prun", "capture", "python", "python3", "memit", "mprun", "lprun"})


def mask_code(source: str) -> str:
    """Return the source of a cell, or of other Python, with `***` for every secret that is written in it."""
    magic = _CELL_MAGIC.match(source)
    if magic is not None and magic["name"] not in _PYTHON_MAGICS:
        return "\n".join(map(_mask_line, source.split("\n")))
    source = _NOT_PYTHON.sub(lambda found: _mask_line(found[0]), source)
    source = _URL.sub(lambda found: mask_url(found[0]), mask_tokens(source))
    return _ANY_LITERAL.sub(_mask_pairs, _mask_named(source))


def _mask_named(source: str) -> str:
    """Mask the literals that a secret's name is given to, also inside of other literals."""
    parts: list[str] = []
    done = position = 0
    while found := _NAMED_LITERAL.search(source, position):
        group = "long" if found["quotes"] else "short"
        if is_secret_name(found["name"] or found["said"]) and found[group]:
            parts += [source[done : found.start(group)], MASK]
            done, position = found.end(group), found.end()
        else:
            # What lies between the quotes is looked through as well.
            position = found.start(group)
    return "".join([*parts, source[done:]])


def _mask_pairs(literal: re.Match[str]) -> str:
    return _PAIR_IN_LITERAL.sub(mask_pair_value, literal[0])


def _mask_line(line: str) -> str:
    setting = _SET_ENV.match(line)
    if setting is not None and is_secret_name(setting["name"]):
        return setting["start"] + MASK
    return mask_flags(mask_text(line))
