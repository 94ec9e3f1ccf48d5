"""Joining modules: the script does what they did, shown by running both in Chromium in `browser/test_export.py`."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

import keepsake.ui
from keepsake.errors import InternalError
from keepsake.ui.bundle import all_modules, join_modules, needed_modules
from keepsake.ui.files import AHEAD, APP, VIEW_STYLES, VIEWS, PageFiles

STATIC = Path(keepsake.ui.__file__).parent / "static"


def join(**modules: str) -> str:
    texts = {f"{name}.js": text for name, text in modules.items()}
    return join_modules(all_modules("app.js", texts.__getitem__), texts.__getitem__, run="app.js")


def test_a_module_that_is_imported_twice_is_there_once() -> None:
    script = join(
        app='import { a } from "./one.js";\nimport { b } from "./two.js";\n',
        one='import { c } from "./two.js";\nexport const a = c;\n',
        two="export const b = 1;\nexport const c = 2;\n",
    )
    assert script.count("definitions['two.js'] =") == 1


def test_names_keep_their_other_names() -> None:
    script = join(app='import { a as b } from "./one.js";\nb();\n', one="function f() {}\nexport { f as a };\n")
    assert "const { a: b } = __load__('one.js');" in script
    assert "__exports__.a = f;" in script
    assert "export {" not in script


def test_what_is_imported_on_demand_is_in_the_script() -> None:
    script = join(app='const view = await import("./one.js");\n', one="export default 1;\n")
    assert "__load_later__('one.js')" in script
    assert "__exports__.default = 1;" in script


def test_comments_are_left_out_and_addresses_are_not() -> None:
    script = join(app='// What it does.\nconst a = "http://b"; // why\n  // inside\n/*! a licence */\n//\nrun(a);\n')
    assert 'const a = "http://b"; // why\n  // inside\n/*! a licence */\nrun(a);' in script
    assert "What it does" not in script


def test_no_text_of_a_module_has_a_line_that_looks_like_a_comment() -> None:
    for path in STATIC.rglob("*.js"):
        if "vendor" not in path.parts:
            marks = 0  # that begin or end a text of several lines
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.startswith("//"):
                    assert marks % 2 == 0, (path, line)
                elif not line.startswith("const WORD = /"):  # a pattern, with an odd number of them
                    marks += line.count("`")


def test_modules_that_import_each_other_are_refused() -> None:
    with pytest.raises(InternalError, match=r"app\.js > one\.js > app\.js"):
        join(app='import { a } from "./one.js";\n', one='import { b } from "./app.js";\n')


@pytest.mark.parametrize("line", ["export let x = 1;", 'import "./one.js";', 'import * as x from "./one.js";'])
def test_a_form_that_is_not_understood_is_refused(line: str) -> None:
    with pytest.raises(InternalError, match=r"app\.js has an import or export"):
        join(app=f"{line}\n", one="")


def read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def defined_in(script: str) -> list[str]:
    return re.findall(r"^  definitions\['([^']+)'\]", script, re.MULTILINE)


def test_the_whole_page_can_be_joined() -> None:
    script = join_modules(all_modules(APP, read), read, run=APP)
    modules = {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js")}
    assert sorted(defined_in(script)) == sorted(modules)


@pytest.mark.parametrize("view", ["", *VIEWS])
def test_the_scripts_of_an_address_have_every_module_that_it_begins_with_once(view: str) -> None:
    files = PageFiles()
    index = files.find(f"/{view}")
    assert index is not None
    scripts = re.findall(r'<script defer src="([^"]+)"></script>', index.data.decode())
    found = [files.find(address) for address in scripts]
    defined = [name for one in found if one is not None for name in defined_in(one.data.decode())]
    begun_with = [APP, *AHEAD.get(view, ()), *([VIEWS[view]] if view else [])]
    needed = {name for module in begun_with for name in needed_modules(module, read)}
    assert sorted(defined) == sorted(needed)


def test_a_script_is_only_of_a_module_of_the_page() -> None:
    for name in ("../files.py", "nothing.js", "", "views/../app.js"):
        assert PageFiles().find(f"/static/joined/{name}") is None


def test_the_libraries_are_the_files_that_were_recorded() -> None:
    record = json.loads((STATIC / "vendor" / "vendor.json").read_text())
    recorded = {name: digest for package in record.values() for name, digest in package["files"].items()}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (STATIC / "vendor").iterdir()}
    del found["vendor.json"]
    assert found == recorded
    assert {name.partition(".")[0] for name in found if name.endswith(".LICENSE")} == {
        "preact", "htm", "uplot", "highlight",
    }  # fmt: skip


def test_no_module_of_the_page_makes_markup_of_text() -> None:
    for path in STATIC.rglob("*.js"):
        if path.parent.name != "vendor":
            text = path.read_text(encoding="utf-8")
            for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
                assert way not in text, f"{path.name} has {way}"


def test_a_browser_that_guesses_where_the_icon_is_gets_it() -> None:
    guessed, named = (PageFiles().find(address) for address in ("/favicon.ico", "/static/icon.svg"))
    assert guessed is not None
    assert named is not None
    assert (guessed.media_type, guessed.data) == ("image/svg+xml", named.data)


def test_the_styles_that_a_view_asks_for_are_those_that_come_with_its_address() -> None:
    (named,) = re.findall(r"^const STYLES = (\[.*?\]);", read(APP), re.MULTILINE)
    assert tuple(json.loads(named)) == VIEW_STYLES
    landing, charts = (PageFiles().find(address) for address in ("/", "/charts"))
    assert landing is not None
    assert charts is not None
    assert not any(style in landing.data.decode() for style in VIEW_STYLES)
    assert all(f'<link rel="stylesheet" href="/static/{style}">' in charts.data.decode() for style in VIEW_STYLES)
