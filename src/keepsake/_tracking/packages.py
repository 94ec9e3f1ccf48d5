"""Which installed distributions the program has imported: `{"scikit-learn": "1.9.1", "torch": "2.13.0", …}`.

`importlib.metadata.packages_distributions()` reads the file lists of everything installed (60 to 500 ms). Here a module
belongs to the distribution of its own name where there is one, and only for what remains (`sklearn`, `yaml`, `PIL`)
are file lists searched, for the very file that was imported. So namespace packages (`google.protobuf`) come out right,
as do several distributions that share a package. Editable installs are known by the directory that they point to.
"""

from __future__ import annotations

import functools
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from keepsake._tracking.dependencies import contents_of, unused_dependencies

_NOT_IMPORTED_BY_THE_USER = frozenset({"__main__", "__mp_main__", "_distutils_hack", "_virtualenv", "sitecustomize"})
_MAX_METADATA_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class _Module:
    """An imported module that an import of the user's led to: a top-level one, or one just below a namespace."""

    name: str
    root: str
    """The directory that it was imported from, as it stands in `sys.path`."""
    file: str
    """Its file relative to that, `/`-separated."""


@dataclass(frozen=True, slots=True)
class _Installed:
    """The `.dist-info` or `.egg-info` of one distribution."""

    path: str
    stem: str
    """Its name as in the directory's name, lower case with `_` for every separator."""

    def read(self, name: str, max_bytes: int = -1) -> str:
        """Return the text of one of its files, "" when there is no such file."""
        try:
            with open(os.path.join(self.path, name), "rb") as file:  # noqa: PTH118, PTH123 (hot: one for each package)
                return file.read(max_bytes).decode("utf-8", "replace")
        except OSError:
            return ""


@dataclass(frozen=True, slots=True)
class _Metadata:
    """What a distribution says of itself."""

    name: str
    version: str
    requirements: frozenset[str]
    """Names of the distributions that it needs, without those of its extras."""


def imported_packages() -> dict[str, str]:
    """Return the version of every distribution that a module of this process comes from, by distribution name.

    The standard library and modules that were not installed (the project's own) belong to none, and what only Keepsake
    has imported is left out. Sorted by name. Whom a module belongs to is remembered, so a second call looks for new
    ones only.
    """
    imported = list(_imported_modules())
    found = {one.name: one for one in map(_read_metadata, _find_owners(imported)) if one is not None}
    program = {module.name for module in imported if _owner_of.get(module) is None} | {"__main__", "__mp_main__"}
    unused = unused_dependencies(found, sys.modules.copy(), program, lambda name: found[name].requirements)
    return {name: found[name].version for name in sorted(found, key=str.lower) if name not in unused}


def _imported_modules() -> Iterator[_Module]:
    # A copy: another thread may be importing.
    modules = sys.modules.copy()
    standard = sys.stdlib_module_names
    children: dict[str, list[str]] | None = None
    waiting = [name for name in modules if "." not in name and name not in standard | _NOT_IMPORTED_BY_THE_USER]
    while waiting:
        name = waiting.pop()
        contents = contents_of(modules[name])
        file = contents.get("__file__")
        if isinstance(file, str):
            module = _locate(name, file)
            if module is not None:
                yield module
        elif contents.get("__path__") is not None:
            # A namespace package belongs to nobody; what lies in it does.
            children = children if children is not None else _children(modules)
            waiting += children.get(name, ())


def _children(modules: Iterable[str]) -> dict[str, list[str]]:
    children: dict[str, list[str]] = {}
    for name in modules:
        parent, dot, _ = name.rpartition(".")
        if dot:
            children.setdefault(parent, []).append(name)
    return children


def _locate(name: str, file: str) -> _Module | None:
    parts = file.replace(os.sep, "/").split("/")
    is_package = parts[-1].startswith("__init__.")
    depth = name.count(".") + (2 if is_package else 1)
    if len(parts) <= depth:
        return None
    return _Module(name, "/".join(parts[:-depth]), "/".join(parts[-depth:]))


def _find_owners(modules: list[_Module]) -> set[_Installed]:
    owners: set[_Installed] = set()
    unowned: dict[str, list[_Module]] = {}
    for module in modules:
        if module in _owner_of:
            owner = _owner_of[module]
        else:
            # A distribution of the same name: most are, and the file list of a large one takes a millisecond to search.
            owner = _installed_by_name(module.root).get(module.name.replace(".", "_").lower())
            if owner is None:
                unowned.setdefault(module.root, []).append(module)
                continue
            _owner_of[module] = owner
        if owner is not None:
            owners.add(owner)
    for root, its_modules in unowned.items():
        _search_file_lists(root, its_modules)
        owners.update(owner for owner in map(_owner_of.get, its_modules) if owner is not None)
    return owners


_owner_of: dict[_Module, _Installed | None] = {}
"""What was found out before. None: it was not installed."""


def _search_file_lists(root: str, modules: list[_Module]) -> None:
    """Find the distributions whose file lists name these modules, which were imported from `root`."""
    _owner_of.update(dict.fromkeys(modules))
    remaining = {module.file: module for module in modules}
    names = {module.name.partition(".")[0] for module in modules}
    for installed in _installed_by_name(root).values():
        if not remaining:
            return
        top_level = installed.read("top_level.txt").split()
        if top_level and names.isdisjoint(top_level):
            continue
        files = "\n" + installed.read("RECORD")
        for file, module in list(remaining.items()):
            # Packages of a Linux distribution have no file list.
            if f"\n{file}," in files or (len(files) == 1 and module.name in top_level):
                _owner_of[module] = installed
                del remaining[file]
    for file, module in remaining.items():
        _owner_of[module] = _find_editable(f"{root}/{file}")


def _find_editable(file: str) -> _Installed | None:
    """Return the distribution that was installed as a link to a directory in which `file` lies."""
    for directory in sys.path:
        for installed in _installed_by_name(directory).values():
            source = _editable_source(installed)
            if source and file.startswith(source + "/"):
                return installed
    return None


@functools.cache
def _editable_source(installed: _Installed) -> str | None:
    """Return the directory that an editable install points to (PEP 610), else None."""
    text = installed.read("direct_url.json")
    if not text:
        return None
    try:
        origin = json.loads(text)
        if not origin.get("dir_info", {}).get("editable"):
            return None
        path = unquote(urlsplit(origin["url"]).path)
    except (ValueError, KeyError, AttributeError):
        return None
    return (path[1:] if re.match("/[A-Za-z]:/", path) else path).rstrip("/")


def _installed_by_name(root: str) -> dict[str, _Installed]:
    """Return what is installed in a directory of `sys.path`, by name."""
    try:
        return _list_installed(root, Path(root).stat().st_mtime_ns)
    except OSError:
        return {}


@functools.lru_cache(maxsize=64)
def _list_installed(root: str, modified_ns: int) -> dict[str, _Installed]:  # noqa: ARG001 (part of what is remembered)
    found: dict[str, _Installed] = {}
    for name in os.listdir(root):  # noqa: PTH208 (a tenth of the time of iterdir)
        if name.endswith((".dist-info", ".egg-info")):
            stem = re.sub(r"[-_.]+", "_", name.rpartition(".")[0].partition("-")[0]).lower()
            found[stem] = _Installed(f"{root}/{name}", stem)
    return found


@functools.cache
def _read_metadata(installed: _Installed) -> _Metadata | None:
    text = installed.read("METADATA", _MAX_METADATA_BYTES) or installed.read("PKG-INFO", _MAX_METADATA_BYTES)
    name = re.search(r"^Name:\s*(\S+)", text, re.MULTILINE)
    version = re.search(r"^Version:\s*(\S+)", text, re.MULTILINE)
    needed = re.findall(r"^Requires-Dist:\s*([\w.-]+)(?!.*\bextra\b)", text, re.MULTILINE)
    return _Metadata(name[1], version[1], frozenset(needed)) if name and version else None
