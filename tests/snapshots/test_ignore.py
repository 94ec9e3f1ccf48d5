"""What is left out: our rules, the user's, and git as the judge of what the lines mean."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepsake._snapshots.ignore import BUILT_IN_LINES, IgnoreRules, describe_rule
from keepsake._snapshots.paths import ancestors
from keepsake._snapshots.pattern import compile_pattern
from keepsake.errors import ConfigError


def rules_of(*lines: str) -> IgnoreRules:
    compiled = [compile_pattern(line, number) for number, line in enumerate(lines, start=1)]
    return IgnoreRules([pattern for pattern in compiled if pattern is not None], ignore_case=False)


def is_left_out(rules: IgnoreRules, path: str, *, is_directory: bool) -> bool:
    """Ask as a walk does: from the top down, never below what is ignored."""
    return any(rules.ignores(one, is_directory=True) for one in ancestors(path)) or rules.ignores(
        path, is_directory=is_directory
    )


@pytest.mark.parametrize(
    "path",
    [
        "src/__pycache__",
        ".mypy_cache",
        "nb/.ipynb_checkpoints",
        "node_modules",
        "wandb",
        "mlruns",
        ".venv",
        ".aws",
        ".ssh",
        ".DS_Store",
        ".env",
        ".env.local",
        "deploy/id_rsa",
        "id_ed25519",
        "server.pem",
        "tls.key",
        ".netrc",
        ".git-credentials",
    ],
)
def test_caches_and_secrets_are_left_out(tmp_path: Path, path: str) -> None:
    assert IgnoreRules.load(tmp_path).ignores(path, is_directory=True)


@pytest.mark.parametrize(
    "path", [".env.example", "id_rsa.pub", "model.pt", "environment.yaml", "keys.py", ".gitignore"]
)
def test_what_only_looks_like_a_secret_is_saved(tmp_path: Path, path: str) -> None:
    assert not IgnoreRules.load(tmp_path).ignores(path, is_directory=False)


def test_a_user_brings_back_what_our_rules_leave_out(tmp_path: Path) -> None:
    (tmp_path / ".keepsakeignore").write_text("!.env\n!wandb/\n")
    rules = IgnoreRules.load(tmp_path)
    assert not rules.ignores(".env", is_directory=False)
    assert not rules.ignores("wandb", is_directory=True)
    assert rules.ignores(".env.local", is_directory=False)


def test_every_built_in_line_is_a_pattern() -> None:
    assert all(compile_pattern(line) is not None for line in BUILT_IN_LINES)


def test_a_file_with_windows_line_ends_and_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / ".keepsakeignore").write_bytes(b"\xef\xbb\xbfdata/\r\n*.log\r\n")
    rules = IgnoreRules.load(tmp_path)
    assert rules.ignores("data", is_directory=True)
    assert rules.ignores("a/run.log", is_directory=False)


def test_a_name_in_any_encoding_can_be_ignored(tmp_path: Path) -> None:
    (tmp_path / ".keepsakeignore").write_bytes(b"caf\xe9\n")
    assert IgnoreRules.load(tmp_path).ignores("caf\udce9", is_directory=False)


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    (tmp_path / ".keepsakeignore").write_text("data/\n\n*.[oa\n")
    with pytest.raises(ConfigError, match=r"line 3 .*\.keepsakeignore.*'\*\.\[oa'.*not closed"):
        IgnoreRules.load(tmp_path)


def test_an_ignore_file_that_is_a_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".keepsakeignore").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        IgnoreRules.load(tmp_path)


def test_the_gitignore_is_not_applied(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*\n")
    assert not IgnoreRules.load(tmp_path).ignores("model.pt", is_directory=False)


def test_case_is_ignored_where_file_systems_ignore_it() -> None:
    pattern = compile_pattern("Data")
    assert pattern is not None
    assert IgnoreRules([pattern], ignore_case=True).ignores("dATA", is_directory=False)
    assert not IgnoreRules([pattern], ignore_case=False).ignores("dATA", is_directory=False)


def test_the_rule_that_decides_is_found_and_named() -> None:
    rules = rules_of("*.pt", "weights/", "!keep.pt")
    found = rules.find_rule("weights/keep.pt", is_directory=False)
    assert found is not None
    assert found[0] == "weights"
    assert describe_rule(found[1]) == "line 2 of .keepsakeignore (weights/)"
    assert rules.find_rule("keep.pt", is_directory=False) is None


PARTS = (
    "a b ab * ? ** *** *.py [ab] [!a]* [^a]* [a-c].txt [[:digit:]] [[:upper:]x] [A-Z] []-] [a\\]] a*b a**b c.t?t "
    "\\!x \\#y !x #y x\\  a\\[1\\] a\\\\b *[a-]b [+-z]* a[/b]"
)
PART = st.sampled_from(PARTS.split(" "))
LINE = st.builds(
    lambda parts, start, end, sign, blanks: sign + start + "/".join(parts) + end + blanks,
    st.lists(PART, min_size=1, max_size=3),
    st.sampled_from(["", "", "/"]),
    st.sampled_from(["", "", "/"]),
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "", "  "]),
)
TREE_NAMES = ["a", "b", "ab", "a.py", "c.txt", "!x", "#y", "a[1]", "A", "1", "-", "]", "a\\b", "x "]


def is_pattern(line: str) -> bool:
    try:
        return compile_pattern(line) is not None
    except ValueError:
        return False


class GitTree:
    """A tree of files in a git repository, whose `info/exclude` says what is ignored."""

    def __init__(self, root: Path) -> None:
        self.root = root
        subprocess.run(["git", "init", "-q", root], check=True)
        self.paths: dict[str, bool] = {}
        self._fill("", TREE_NAMES, 2)

    def _fill(self, prefix: str, names: list[str], depth: int) -> None:
        for number, name in enumerate(names):
            is_directory = depth > 0 and number % 2 == 0
            path = prefix + name
            self.paths[path] = is_directory
            if is_directory:
                (self.root / path).mkdir()
                self._fill(f"{path}/", names[number % 3 :: 3], depth - 1)
            else:
                (self.root / path).touch()

    def ignored(self, lines: list[str]) -> set[str]:
        (self.root / ".git" / "info" / "exclude").write_text("\n".join(lines) + "\n")
        command = ["git", "-c", "core.excludesFile=/dev/null", "check-ignore", "--no-index", "-z", "--stdin"]
        stdin = "\0".join(self.paths).encode()
        done = subprocess.run(command, cwd=self.root, input=stdin, capture_output=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        return set(done.stdout.decode().split("\0")) - {""}


@pytest.fixture(scope="module")
def git_tree(tmp_path_factory: pytest.TempPathFactory) -> GitTree:
    return GitTree(tmp_path_factory.mktemp("git-tree"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(lines=st.lists(LINE.filter(is_pattern), min_size=1, max_size=6))
def test_git_ignores_the_same_paths(git_tree: GitTree, lines: list[str]) -> None:
    rules = rules_of(*lines)
    ours = {path for path, is_dir in git_tree.paths.items() if is_left_out(rules, path, is_directory=is_dir)}
    assert ours == git_tree.ignored(lines)


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(LINE.filter(is_pattern), min_size=1, max_size=6))
def test_the_rule_that_is_found_agrees_with_what_is_ignored(git_tree: GitTree, lines: list[str]) -> None:
    rules = rules_of(*lines)
    for path, is_directory in git_tree.paths.items():
        found = rules.find_rule(path, is_directory=is_directory)
        assert (found is not None) == is_left_out(rules, path, is_directory=is_directory)
