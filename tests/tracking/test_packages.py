"""Which distributions the program has imported: a real installation, made of files, for each case."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import packages_distributions, version
from pathlib import Path

import click  # noqa: F401 (held by this module, as by one of a program)
import numpy as np  # noqa: F401
import pytest
import yaml  # noqa: F401

from keepsake._tracking.dependencies import DEPENDENCIES, normalized
from keepsake._tracking.packages import imported_packages

SOURCE = Path(__file__).parents[2] / "src"


def install(
    site: Path,
    name: str,
    *files: str,
    top_level: Sequence[str] = (),
    record: bool = True,
    editable: Path | None = None,
    egg: bool = False,
) -> None:
    """Write a distribution into a directory as an installer does."""
    stem = name.replace("-", "_")
    information = site / f"{stem}-1.5{'-py3.11.egg-info' if egg else '.dist-info'}"
    information.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n\nName: not this one\n"
    (information / ("PKG-INFO" if egg else "METADATA")).write_text(metadata)
    for file in files:
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_text("")
    if record:
        lines = [f"{file},sha256=abc,0" for file in files] + [f"{information.name}/RECORD,,"]
        (information / "RECORD").write_text("\n".join(lines) + "\n")
    if top_level:
        (information / "top_level.txt").write_text("\n".join(top_level) + "\n")
    if editable:
        origin = {"url": editable.as_uri(), "dir_info": {"editable": True}}
        (information / "direct_url.json").write_text(json.dumps(origin))


def packages_of(statement: str, *paths: Path) -> dict[str, str]:
    """Run a statement in a fresh Python that sees only these directories, and return what it imported."""
    program = (
        f"import sys; sys.path[:0] = {[str(path) for path in paths]!r}\n{statement}\n"
        f"sys.path.append({str(SOURCE)!r})\n"
        "import json; from keepsake._tracking.packages import imported_packages\n"
        "first = imported_packages(); assert imported_packages() == first; print(json.dumps(first))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_a_distribution_of_the_modules_own_name(tmp_path: Path) -> None:
    install(tmp_path, "Alpha-Beta", "alpha_beta/__init__.py")
    install(tmp_path, "unused", "unused/__init__.py")

    assert packages_of("import alpha_beta", tmp_path) == {"Alpha-Beta": "1.5"}


@pytest.mark.parametrize("top_level", [(), ("yamlish", "_yamlish")])
def test_a_distribution_of_another_name(tmp_path: Path, top_level: tuple[str, ...]) -> None:
    install(tmp_path, "PyYAMLish", "yamlish/__init__.py", "_yamlish/__init__.py", top_level=top_level)
    install(tmp_path, "aaa", "aaa/yamlish/__init__.py", top_level=("aaa",))

    assert packages_of("import yamlish", tmp_path) == {"PyYAMLish": "1.5"}


def test_a_distribution_of_a_single_file(tmp_path: Path) -> None:
    install(tmp_path, "python-one", "one.py")

    assert packages_of("import one", tmp_path) == {"python-one": "1.5"}


def test_namespace_packages_belong_to_who_installed_what_is_in_them(tmp_path: Path) -> None:
    install(tmp_path, "proto", "goo/proto/__init__.py", top_level=("goo",))
    install(tmp_path, "goo-cloud-store", "goo/cloud/store/__init__.py", top_level=("goo",))
    install(tmp_path, "goo-cloud-other", "goo/cloud/other/__init__.py", top_level=("goo",))

    assert packages_of("import goo.proto", tmp_path) == {"proto": "1.5"}
    assert packages_of("import goo.cloud.store, goo.proto", tmp_path) == {"goo-cloud-store": "1.5", "proto": "1.5"}


def test_a_namespace_over_two_directories(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    install(one, "first", "goo/first.py")
    install(other, "second", "goo/second.py")

    assert packages_of("import goo.first, goo.second", one, other) == {"first": "1.5", "second": "1.5"}


def test_an_editable_install_is_known_by_its_directory(tmp_path: Path) -> None:
    project = tmp_path / "my project"
    (project / "src" / "mine").mkdir(parents=True)
    (project / "src" / "mine" / "__init__.py").write_text("")
    install(tmp_path / "site", "my-project", "__editable__.pth", editable=project)

    assert packages_of("import mine", project / "src", tmp_path / "site") == {"my-project": "1.5"}


@pytest.mark.parametrize("egg", [False, True])
def test_what_a_linux_distribution_installed_without_a_file_list(tmp_path: Path, egg: bool) -> None:
    install(tmp_path, "python-apt-thing", "apt_thing/__init__.py", top_level=("apt_thing",), record=False, egg=egg)
    install(tmp_path, "same-name", "same_name.py", record=False, egg=egg)

    found = packages_of("import apt_thing, same_name", tmp_path)
    assert found == {"python-apt-thing": "1.5", "same-name": "1.5"}


def test_the_projects_own_modules_and_the_standard_library_belong_to_none(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("")
    install(tmp_path / "site", "train-tools", "tools/train.py")

    assert packages_of("import train, json, email, sqlite3", tmp_path, tmp_path / "site") == {}


def test_damaged_information_is_passed_over(tmp_path: Path) -> None:
    install(tmp_path, "good", "good.py")
    (tmp_path / "bad-1.dist-info").mkdir()
    (tmp_path / "bad.py").write_text("")
    (tmp_path / "worse-1.dist-info").write_text("a file")
    (tmp_path / "worse.py").write_text("")
    (tmp_path / "evil-1.dist-info").mkdir()
    (tmp_path / "evil-1.dist-info" / "direct_url.json").write_text("[1")
    (tmp_path / "evil-1.dist-info" / "METADATA").write_bytes(b"\xff\xfe")
    (tmp_path / "other.py").write_text("")

    assert packages_of("import good, bad, worse, other", tmp_path) == {"good": "1.5"}


def test_odd_objects_among_the_modules_do_no_harm_and_lazy_ones_stay_asleep(tmp_path: Path) -> None:
    install(tmp_path, "lazy", "lazy.py")
    (tmp_path / "lazy.py").write_text("raise SystemExit('woken up')")
    statement = (
        "import importlib.util as u; spec = u.find_spec('lazy'); spec.loader = u.LazyLoader(spec.loader)\n"
        "module = u.module_from_spec(spec); sys.modules['lazy'] = module; spec.loader.exec_module(module)\n"
        "class Odd:\n  def __getattr__(self, name): raise RuntimeError(name)\n"
        "sys.modules['odd'] = Odd(); sys.modules['none'] = None"
    )

    packages_of(statement, tmp_path)


def test_this_process_agrees_with_the_standard_library_for_what_it_has_imported() -> None:
    found = imported_packages()
    owners = packages_distributions()
    top_level = {name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names - {"_distutils_hack"}

    assert found.items() >= {"numpy": version("numpy"), "PyYAML": version("PyYAML")}.items()
    for name in top_level & {"numpy", "yaml", "click", "_pytest", "pytest", "hypothesis", "xdist", "dateutil", "PIL"}:
        assert set(owners[name]) <= set(found), name
    assert list(found) == sorted(found, key=str.lower)


def packages_of_the_demo(program: str, tmp_path: Path) -> dict[str, dict[str, str]]:
    """Run a program that prints what two experiments, one after the other, record as packages."""
    (tmp_path / "train.py").write_text(
        f"import keepsake, json\n{program}\n"
        "def packages():\n"
        "    experiment = keepsake.init(path='.', quiet=True)\n"
        "    experiment.checkpoint(path='train.py', metrics={'loss': 1.0})\n"
        "    experiment.stop()\n"
        "    return experiment.python_packages\n"
        "print(json.dumps([packages(), packages()]))\n"
    )
    environment = os.environ | {"PYTHONPATH": str(SOURCE), "KEEPSAKE_COURIER": "off", "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "train.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    first, second = json.loads(done.stdout)
    return {"first": first, "second": second}


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("", set()),
        ("import numpy", {"numpy"}),
        ("import numpy.linalg as algebra", {"numpy"}),
        ("from numpy import array", {"numpy"}),
        ("from yaml import safe_load", {"PyYAML"}),
        ("import tool", {"zstandard"}),
        ("def work():\n    import numpy as np\nwork()", {"numpy"}),
        (
            "class Work:\n    @staticmethod\n    def go():\n        def deep(): import yaml\n        deep()\nWork.go()",
            {"PyYAML"},
        ),
        ("import pandas", {"numpy", "pandas", "python-dateutil", "six"}),
    ],
)
def test_what_keepsake_needs_counts_only_when_the_program_uses_it(
    tmp_path: Path, program: str, expected: set[str]
) -> None:
    (tmp_path / "tool.py").write_text("import zstandard\n")
    found = packages_of_the_demo(program, tmp_path)
    assert set(found["first"]) >= expected
    assert {name for name in found["first"] if normalized(name) in DEPENDENCIES} <= expected
    assert found["second"] == found["first"]


def test_every_dependency_of_keepsake_is_known_to_be_one() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    _, _, rest = project.partition("\ndependencies = [")
    names = [
        line.strip().strip('",').partition(">=")[0] for line in rest.partition("]")[0].splitlines() if line.strip()
    ]
    assert len(names) > 5
    assert {normalized(name) for name in names} <= set(DEPENDENCIES)


def test_a_module_without_a_dictionary_hides_no_package() -> None:
    import cryptography.hazmat.bindings._rust  # noqa: F401 (puts one into `sys.modules`, made by cffi)

    with pytest.raises(AttributeError):
        object.__getattribute__(sys.modules["_openssl.lib"], "__dict__")
    assert {"cryptography", "pytest"} <= imported_packages().keys()


class Grumpy:
    """As proxies are that stand for something which is not there yet."""

    @property
    def __module__(self) -> str:  # type: ignore[override]
        raise RuntimeError("working outside of application context")

    def __call__(self) -> None:
        """Be something that has a module."""


GRUMPY = Grumpy()


def test_an_object_of_the_program_that_answers_nothing_hides_no_package() -> None:
    with pytest.raises(RuntimeError):
        GRUMPY.__module__  # noqa: B018 (asked for)
    assert "pytest" in imported_packages()
