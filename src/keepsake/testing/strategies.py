"""What Hypothesis can draw: keys, values of params and metrics, and trees of files.

A tree is a dictionary from names to contents: `bytes` for a file, another dictionary for a directory.
"""

from __future__ import annotations

import math
from typing import TypeAlias, Union

from hypothesis import strategies as st

from keepsake._model.values import Value
from keepsake.stores.base import is_key

Scalar: TypeAlias = bool | int | float | str | None
Tree: TypeAlias = dict[str, Union[bytes, "Tree"]]

_KEY_CHARACTERS = "".join(
    chr(code) for code in range(0x20, 0x7F) if chr(code) not in "/\\:" and not chr(code).isupper()
)

_TRICKY_NAMES = (
    *(
        ".hidden",
        "-rf",
        "~",
        "a b",
        " leading",
        "trailing ",
        "trailing.",
        "con",
        "new\nline",
        "tab\t",
        "quote'\"",
        "*?[x]",
    ),
    *("back\\slash", "colon:", "%41", "é", "e\u0301", "日本語.txt", "🦀", "x" * 200, "...", "#", "$HOME", "\x7f"),
)

_TRICKY_NUMBERS = (0, -1, 2**53 + 1, 2**63, -(2**63) - 1, 10**30)
_TRICKY_FLOATS = (1.0, -0.0, 1e16, 1e22, 1e-7, 0.1, 5e-324, 1.7976931348623157e308, math.nan, math.inf, -math.inf)
_TRICKY_TEXTS = ("", "null", "NaN", "1.0", "true", "$float", "\ud800", "\0", "\u2028", "é", "🦀", "a.b", '"', "\\")


def key_parts() -> st.SearchStrategy[str]:
    """Draw one part of a key: what stands between two slashes."""
    return st.text(_KEY_CHARACTERS, min_size=1, max_size=20).filter(is_key)


def keys(*, max_parts: int = 4) -> st.SearchStrategy[str]:
    """Draw keys of up to `max_parts` parts, without capital letters, so that none differ in case only."""
    return st.lists(key_parts(), min_size=1, max_size=max_parts).map("/".join)


def not_keys() -> st.SearchStrategy[str]:
    """Draw texts that no store may accept as a key."""
    wrong = (
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "a/..",
        "../a",
        "a/./b",
        "./a",
        "é",
        "a\\b",
        "c:/a",
        "a\0b",
        "a\nb",
    )
    return st.sampled_from(wrong) | st.text().filter(lambda text: not is_key(text))


def scalars() -> st.SearchStrategy[Scalar]:
    """Draw single values, often the ones that programs get wrong: NaN, infinities, huge integers, `1.0`, odd texts."""
    return st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from(_TRICKY_NUMBERS) | st.integers(),
        st.sampled_from(_TRICKY_FLOATS) | st.floats(),
        st.sampled_from(_TRICKY_TEXTS) | st.text(max_size=20),
    )


def values(*, max_leaves: int = 10) -> st.SearchStrategy[Value]:
    """Draw values as params may hold them: scalars, lists and dictionaries of values."""
    leaves: st.SearchStrategy[Value] = scalars()
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names(), inner, max_size=4),
        max_leaves=max_leaves,
    )


def params(*, max_size: int = 6) -> st.SearchStrategy[dict[str, Value]]:
    """Draw params: a dictionary of values."""
    return st.dictionaries(_names(), values(), max_size=max_size)


def metrics(*, max_size: int = 6) -> st.SearchStrategy[dict[str, Value]]:
    """Draw metrics: mostly numbers, now and then any other value."""
    numbers: st.SearchStrategy[Value] = st.sampled_from(_TRICKY_FLOATS) | st.floats() | st.integers()
    return st.dictionaries(_names(), numbers | numbers | values(), max_size=max_size)


def file_names() -> st.SearchStrategy[str]:
    """Draw names that a POSIX file system takes, undecodable ones (as `surrogateescape`) among them."""
    undecodable = st.binary(min_size=1, max_size=20).map(lambda name: name.decode("utf-8", "surrogateescape"))
    anything = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
    plain = st.from_regex(r"[a-z]{1,8}\.(py|txt|bin)", fullmatch=True)
    drawn = plain | st.sampled_from(_TRICKY_NAMES) | anything | undecodable
    return drawn.filter(lambda name: name not in (".", "..") and "/" not in name and "\0" not in name)


def file_trees(*, max_files: int = 12, max_bytes: int = 2000) -> st.SearchStrategy[Tree]:
    """Draw trees of up to `max_files` files and empty directories, each file of up to `max_bytes`."""
    contents: st.SearchStrategy[bytes | Tree] = st.binary(max_size=64) | st.binary(max_size=max_bytes)
    inner = st.recursive(
        contents,
        lambda below: st.dictionaries(file_names(), below, max_size=4),
        max_leaves=max_files,
    )
    return st.dictionaries(file_names(), inner, max_size=4)


def _names() -> st.SearchStrategy[str]:
    return st.sampled_from(("lr", "loss", "optim", "a.b", "", "$float", "é")) | st.text(max_size=10)
