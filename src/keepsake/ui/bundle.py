"""Joins the modules of the page into one script, for an export: a page opened from a folder may load no modules.

Pure: names and texts in, a text out. It understands the forms of `import` and `export` that the page keeps to, and
fails on any other:

    import { a, b as c } from "./x.js";    import d from "./x.js";    await import("./x.js")
    export function f…  export async function f…  export class C…  export const c…
    export { a, b as c };    export default …;
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from keepsake.errors import InternalError

_IMPORT = re.compile(r'^import\s*(?:\{(?P<names>[^}]*)\}|(?P<default>\w+))\s*from\s*"(?P<path>[^"]+)";?', re.MULTILINE)
_DYNAMIC_IMPORT = re.compile(r'\bimport\("(?P<path>[^"]+)"\)')
_EXPORT_DECLARATION = re.compile(
    r"^export (?P<rest>(?:async function|function|class|const) (?P<name>\w+))", re.MULTILINE
)
_EXPORT_LIST = re.compile(r"(?:^|;|\})export\s*\{(?P<names>[^}]*)\};?", re.MULTILINE)
_EXPORT_DEFAULT = re.compile(r"(?:^|(?<=;))export default\s*", re.MULTILINE)
_STRAY = re.compile(r"^\s*(?:import|export)\b(?!\()", re.MULTILINE)

_HEAD = """\
(() => {
  "use strict";
  const definitions = {};
  const loaded = {};
  function __load__(name) {
    if (!(name in loaded)) definitions[name]((loaded[name] = {}));
    return loaded[name];
  }
"""


def needed_modules(entry: str, read: Callable[[str], str]) -> list[str]:
    """Return a module and all that it imports, directly or not, but for what it imports on demand."""
    found: list[str] = []
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.append(name)
            waiting += [_resolve(name, match["path"]) for match in _IMPORT.finditer(read(name))]
    return found


def join_modules(entry: str, read: Callable[[str], str]) -> str:
    """Return one script that does what a module and all that it imports do.

    Args:
        entry: the module to begin with; names are paths relative to one directory.
        read: returns the text of a module.

    Raises:
        InternalError: modules import each other in a circle, or one is written in a form that is not understood.
    """
    parts = [_HEAD]
    for name, text in _in_order(entry, read):
        parts.append(f"  definitions[{name!r}] = (__exports__) => {{\n{_rewrite(name, text)}\n  }};\n")
    return "".join([*parts, f"  __load__({entry!r});\n}})();\n"])


def _in_order(entry: str, read: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Yield each module once, with its text."""
    texts: dict[str, str] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise InternalError(f"modules import each other: {' > '.join([*above, name])}")
        if name in texts:
            return
        texts[name] = text = read(name)
        for match in _IMPORT.finditer(text):
            visit(_resolve(name, match["path"]), (*above, name))
        for match in _DYNAMIC_IMPORT.finditer(text):
            visit(_resolve(name, match["path"]), ())  # run later, so a circle does no harm

    visit(entry, ())
    yield from texts.items()


def _resolve(importer: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), path))


def _rewrite(name: str, text: str) -> str:
    exported: list[tuple[str, str]] = []

    def export_declaration(match: re.Match[str]) -> str:
        exported.append((match["name"], match["name"]))
        return match["rest"]

    def export_list(match: re.Match[str]) -> str:
        exported.extend((public, own) for own, public in _renames(match["names"]))
        return match[0][: match[0].index("export")]

    def import_names(match: re.Match[str]) -> str:
        source = repr(_resolve(name, match["path"]))
        if match["default"]:
            return f"const {{ default: {match['default']} }} = __load__({source});"
        names = ", ".join(own if own == other else f"{own}: {other}" for own, other in _renames(match["names"]))
        return f"const {{ {names} }} = __load__({source});"

    text = _IMPORT.sub(import_names, text)
    text = _DYNAMIC_IMPORT.sub(lambda match: f"Promise.resolve(__load__({_resolve(name, match['path'])!r}))", text)
    text = _EXPORT_DECLARATION.sub(export_declaration, text)
    text = _EXPORT_LIST.sub(export_list, text)
    text = _EXPORT_DEFAULT.sub("__exports__.default = ", text)
    stray = _STRAY.search(text)
    if stray:
        raise InternalError(f"{name} has an import or export in a form that is not understood: {stray[0].strip()} …")
    return "\n".join([text, *(f"__exports__.{public} = {own};" for public, own in exported)])


def _renames(names: str) -> Iterator[tuple[str, str]]:
    """Yield (name before `as`, name after it) for each name of a list."""
    for part in filter(None, (part.strip() for part in names.split(","))):
        first, _, second = part.partition(" as ")
        yield first.strip(), (second or first).strip()
