"""The project as a whole: layers, a light import, one version, and a README that tells the truth."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import keepsake

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src" / "keepsake").rglob("*.py"))
README = (ROOT / "README.md").read_text(encoding="utf-8")

HEAVY = {
    "click", "concurrent.futures", "difflib", "h5py", "IPython", "matplotlib", "multiprocessing", "numpy",
    "pandas", "pathspec", "rich", "sqlite3", "subprocess", "tarfile", "torch", "urllib.request", "yaml", "zipfile",
    "zstandard", "asyncio", "boto3", "google.cloud", "azure", "obstore",
}  # fmt: skip
"""What importing Keepsake must not load."""

BANNED_IN_PLANS = {"open", "os", "pathlib", "Path", "shutil", "socket", "subprocess", "tempfile", "threading", "time"}


def run(*command: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, timeout=100, check=False
    )


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}(?: [^\n]*)?\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_imports_go_down_only() -> None:
    lint = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert lint is not None, "import-linter is not installed: make test does"
    done = run(lint, "--no-logo", "--no-cache")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("used", ["keepsake", "keepsake.init", "keepsake.experiments.list"])
def test_importing_keepsake_loads_nothing_heavy_and_writes_nothing(used: str, tmp_path: Path) -> None:
    script = f"import sys; before = set(sys.modules); import keepsake; {used}; print(*set(sys.modules) - before)"
    done = run(sys.executable, "-c", script, cwd=tmp_path, HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert HEAVY & set(done.stdout.split()) == set()
    assert list(tmp_path.iterdir()) == []


def test_planning_functions_do_no_input_or_output() -> None:
    guilty = []
    for path in SOURCES:
        for function in functions(ast.parse(path.read_text(encoding="utf-8"))):
            names = {node.id for node in ast.walk(ast.Module(function.body, [])) if isinstance(node, ast.Name)}
            if function.name.startswith("plan_") and names & BANNED_IN_PLANS:
                guilty.append(f"{path.name}: {function.name} uses {sorted(names & BANNED_IN_PLANS)}")
    assert guilty == []


def test_no_module_has_a_name_that_says_nothing_or_shadows_a_public_object() -> None:
    names = {
        part.removeprefix("_") for path in SOURCES for part in path.relative_to(ROOT / "src").with_suffix("").parts
    }
    assert names.isdisjoint({"utils", "util", "core", "helpers", "common", "misc", "experiments", "init"})


def test_every_module_opens_with_what_it_is_for() -> None:
    silent = [str(path) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert silent == []


def test_the_version_is_the_same_everywhere() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+)", changelog, flags=re.MULTILINE)
    assert newest is not None
    assert newest.group(1) == keepsake.__version__ == importlib.metadata.version("keepsake")


def test_the_commands_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"\bmake (?:\w+=\S+ )*(\w+)", "\n".join(blocks("sh")) + re.sub(r"```.*?```", "", README))
    assert {"demo", "test"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), f"no target {target} in the Makefile"


def test_the_python_snippets_of_the_readme_run(tmp_path: Path) -> None:
    training, reading = blocks("python")
    (tmp_path / "train.py").write_text(training, encoding="utf-8")
    (tmp_path / "read.py").write_text(reading, encoding="utf-8")
    environment = {"MPLBACKEND": "Agg", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    trained = run(sys.executable, "train.py", "0.01", cwd=tmp_path, **environment)
    assert trained.returncode == 0, trained.stderr
    read = run(sys.executable, "-W", "error", "read.py", cwd=tmp_path, **environment)
    assert read.returncode == 0, read.stderr
    assert read.stdout == f"2 {0.99 / 3}\n"
    assert (tmp_path / "restored" / "train.py").read_text(encoding="utf-8") == training
    assert (tmp_path / "restored" / "model.bin").read_bytes() == bytes([2]) * 1000


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")), ids=lambda p: p.name
)
def test_links_between_the_documents_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", path.read_text(encoding="utf-8"))
    broken = [link for link in links if not (path.parent / link).exists()]
    assert broken == []


def test_every_command_of_continuous_integration_is_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").rstrip().endswith("exec make test")
