"""Joins modules of the page into one script, since many small files take longer to fetch than to run.

(And a page that is opened from a folder may load no modules at all.) A script defines modules, and runs one of them or
none. All scripts of a page share what they define, so each module runs once, and one that is imported on demand is
fetched as a script of its own unless it is defined already.

Pure: names and texts in, a text out. It understands the forms of `import` and `export` that the page keeps to, and
fails on any other:

    import { a, b as c } from "./x.js";    import d from "./x.js";    await import("./x.js")
    export function f…  export async function f…  export class C…  export const c…
    export { a, b as c };    export default …;

Comments that begin a line are left out: they are a seventh of what would be sent. No text of several lines may have a
line that begins with `//`; what the libraries say of their licences is in `/* … */`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator

from keepsake.errors import InternalError

_IMPORT = re.compile(r'^import\s*(?:\{(?P<names>[^}]*)\}|(?P<default>\w+))\s*from\s*"(?P<path>[^"]+)";?', re.MULTILINE)
_DYNAMIC_IMPORT = re.compile(r'\bimport\("(?P<path>[^"]+)"\)')
_EXPORT_DECLARATION = re.compile(
    r"^export (?P<rest>(?:async function|function|class|const) (?P<name>\w+))", re.MULTILINE
)
_EXPORT_LIST = re.compile(r"(?:^|;|\})export\s*\{(?P<names>[^}]*)\};?", re.MULTILINE)
_EXPORT_DEFAULT = re.compile(r"(?:^|(?<=;))export default\s*", re.MULTILINE)
_COMMENT = re.compile(r"^//.*\n", re.MULTILINE)
_STRAY = re.compile(r"^\s*(?:import|export)\b(?!\()", re.MULTILINE)

SCRIPTS = "/static/joined/"
"""Where a page asks for the script of a module that it imports on demand."""
_HEAD = """\
(() => {
  "use strict";
  const { definitions, __load__, __load_later__ } = (globalThis.keepsakeModules ??= (() => {
    const definitions = {};
    const loaded = {};
    function __load__(name) {
      if (!(name in loaded)) definitions[name]((loaded[name] = {}));
      return loaded[name];
    }
    function fetchScript(name) {
      return new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = `SCRIPTS${name}`;
        script.onload = resolve;
        script.onerror = () => reject(new Error(`${name} cannot be fetched: is \\`keepsake ui\\` still running?`));
        document.head.append(script);
      });
    }
    async function __load_later__(name) {
      if (!(name in definitions)) await fetchScript(name);
      return __load__(name);
    }
    return { definitions, __load__, __load_later__ };
  })());
""".replace("SCRIPTS", SCRIPTS)

Read = Callable[[str], str]
"""Returns the text of a module; names are paths relative to one directory."""


def join_modules(names: Iterable[str], read: Read, *, run: str | None = None) -> str:
    """Return one script that defines modules, and runs one of them.

    Raises:
        InternalError: a module is written in a form that is not understood.
    """
    # The parentheses tell the browser that the function will be called: it is then parsed once, not twice.
    parts = [
        f"  definitions[{name!r}] = ((__exports__) => {{\n{_rewrite(name, read(name))}\n  }});\n" for name in names
    ]
    return "".join([_HEAD, *parts, f"  __load__({run!r});\n" if run else "", "})();\n"])


def needed_modules(entry: str, read: Read) -> list[str]:
    """Return a module and all that it imports, directly or not, but for what it imports on demand.

    Raises:
        InternalError: modules import each other in a circle.
    """
    found: dict[str, None] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise InternalError(f"modules import each other: {' > '.join([*above, name])}")
        if name not in found:
            for match in _IMPORT.finditer(read(name)):
                visit(_resolve(name, match["path"]), (*above, name))
            found[name] = None

    visit(entry, ())
    return list(found)


def all_modules(entry: str, read: Read) -> list[str]:
    """Return a module and all that it imports, also on demand. Errors as of `needed_modules`."""
    found: dict[str, None] = {}
    waiting = [entry]
    while waiting:
        for name in needed_modules(waiting.pop(), read):
            if name not in found:
                found[name] = None
                waiting += [_resolve(name, match["path"]) for match in _DYNAMIC_IMPORT.finditer(read(name))]
    return list(found)


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

    text = _COMMENT.sub("", text)
    text = _IMPORT.sub(import_names, text)
    text = _DYNAMIC_IMPORT.sub(lambda match: f"__load_later__({_resolve(name, match['path'])!r})", text)
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
