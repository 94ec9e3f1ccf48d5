"""Which of the packages that Keepsake itself needs are used by the program, too.

Keepsake imports its dependencies when it needs them, so that they may stand in `sys.modules` though the program knows
nothing of them; and the second experiment of a process would seem to have other packages than the first. A dependency
counts when

- a module of the program holds it under any name, or something that comes from it (`from yaml import safe_load`), or a
  function that imports it;
- a module of another package holds it under its usual name;
- another package says that it needs it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import CodeType, ModuleType
from typing import Any

DEPENDENCIES: Mapping[str, str] = {
    "blake3": "blake3",
    "boto3": "boto3",
    "botocore": "botocore",
    "click": "click",
    "jmespath": "jmespath",
    "markdown-it-py": "markdown_it",
    "mdurl": "mdurl",
    "numpy": "numpy",
    "obstore": "obstore",
    "pathspec": "pathspec",
    "pygments": "pygments",
    "python-dateutil": "dateutil",
    "pyyaml": "yaml",
    "rich": "rich",
    "s3transfer": "s3transfer",
    "six": "six",
    "typing-extensions": "typing_extensions",
    "urllib3": "urllib3",
    "zstandard": "zstandard",
}
"""What Keepsake needs, what that needs in turn, and the module of each: as imported while an experiment runs."""


def unused_dependencies(
    packages: Iterable[str],
    modules: Mapping[str, ModuleType],
    program: Collection[str],
    requirements: Callable[[str], Iterable[str]],
) -> set[str]:
    """Return those of the imported distributions that only Keepsake has imported.

    Args:
        packages: the distributions that something was imported of, by name.
        modules: the imported modules by name.
        program: names of the modules that belong to no distribution: those of the program itself.
        requirements: returns the names of the distributions that one needs.
    """
    names = {normalized(name): name for name in packages}
    suspects = {name: DEPENDENCIES[name] for name in names if name in DEPENDENCIES}
    if not suspects:
        return set()
    used = _held_modules({root: name for name, root in suspects.items()}, modules, program)
    waiting = [name for name in names if name not in suspects and name != "keepsake"] + list(used)
    while waiting:
        needed = {normalized(one) for one in requirements(names[waiting.pop()])} & suspects.keys() - used
        used |= needed
        waiting += needed
    return {names[name] for name in suspects.keys() - used}


def normalized(name: str) -> str:
    """Return the one way to write the name of a distribution."""
    # https://packaging.python.org/en/latest/specifications/name-normalization/
    return re.sub(r"[-_.]+", "-", name).lower()


def _held_modules(roots: Mapping[str, str], modules: Mapping[str, ModuleType], program: Collection[str]) -> set[str]:
    """Return the suspects that a module of somebody else's holds; `roots` has their names by their modules."""
    used: set[str] = set()
    aliases = {alias: root for alias, root in _ALIASES.items() if root in roots}
    for name, module in modules.items():
        root = _root(name)
        if root in _OURS:
            continue
        contents = contents_of(module)
        if name in program or root in program:
            values = list(contents.values())
            used.update(roots[one] for value in values for one in _known_origins(value) if one in roots)
        else:
            # There may be thousands of these: looked at are the names that people give such a module.
            used.update(
                roots[one] for alias, one in aliases.items() if alias in contents and _is_of(contents[alias], one)
            )
    return used


_OURS = frozenset({"keepsake", *DEPENDENCIES.values()})
_ALIASES = {root: root for root in DEPENDENCIES.values()} | {"np": "numpy", "zstd": "zstandard"}


def _root(name: str) -> str:
    return name.partition(".")[0]


def contents_of(module: object) -> dict[str, Any]:
    """Return a module's dictionary without waking a lazy module, which would import what it stands for.

    Empty for what only looks like a module, and for modules without a dictionary, as cffi makes them.
    """
    if not isinstance(module, ModuleType):
        return {}
    try:
        contents: dict[str, Any] = object.__getattribute__(module, "__dict__")
    except AttributeError:
        return {}
    return contents


def _is_of(value: object, root: str) -> bool:
    return isinstance(value, ModuleType) and _root(str(contents_of(value).get("__name__"))) == root


def _known_origins(value: object) -> list[str]:
    try:
        return list(_origins(value))
    except Exception:  # noqa: BLE001 (an object of the program's: asking it for an attribute may raise anything)
        return []


def _origins(value: object) -> Iterator[str]:
    """Yield the top-level modules that a value of the program comes from, and those that its functions may import."""
    if isinstance(value, ModuleType):
        yield _root(str(contents_of(value).get("__name__")))
        return
    origin = getattr(value, "__module__", None) if isinstance(value, type) or callable(value) else None
    if isinstance(origin, str):
        yield _root(origin)
    functions = vars(value).values() if isinstance(value, type) else (value,)
    for function in functions:
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        if isinstance(code, CodeType):
            yield from map(_root, _names(code))


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names that a function uses, among them what it imports."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
