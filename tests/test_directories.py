"""The directories that belong to the user and not to a repository."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import keepsake
from keepsake.directories import cache_directory, lock_directory, private_directory, staging_directory
from keepsake.errors import ConfigError

as_root = pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root can create what others own")
NOBODY = 65534


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a temporary directory of this test's own."""
    path = tmp_path / "temporary"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_cache_lies_where_xdg_says(tmp_path: Path) -> None:
    env = {"XDG_CACHE_HOME": str(tmp_path / "xdg"), "HOME": str(tmp_path)}

    assert cache_directory(env) == tmp_path / "xdg" / "keepsake"
    assert mode(tmp_path / "xdg" / "keepsake") == 0o700


@pytest.mark.parametrize("xdg", ["", "relative/path"])
def test_else_under_the_home_directory(tmp_path: Path, xdg: str) -> None:
    assert cache_directory({"XDG_CACHE_HOME": xdg, "HOME": str(tmp_path)}) == tmp_path / ".cache" / "keepsake"


@pytest.mark.parametrize("home", ["", "/nonexistent", "relative"])
def test_without_a_home_directory_in_the_temporary_one(temporary: Path, home: str) -> None:
    found = cache_directory({"HOME": home})

    assert found.parent == temporary
    assert found.name == f"keepsake-{os.getuid()}"
    assert mode(found) == 0o700


def test_where_the_home_directory_cannot_hold_it_in_the_temporary_one(tmp_path: Path, temporary: Path) -> None:
    (tmp_path / ".cache").write_text("a file stands in the way")

    assert cache_directory({"HOME": str(tmp_path)}).parent == temporary


def test_where_the_home_directory_is_read_only_in_the_temporary_one() -> None:
    # Below /tmp, since pytest's own directory is closed to others; root may write anywhere, so nobody does it then.
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        home, other = Path(place, "home"), Path(place, "temporary")
        home.mkdir()
        other.mkdir(mode=0o777)
        for path in (Path(place), other):
            path.chmod(0o777)
        home.chmod(0o555)
        code = (
            # Imported first: nobody may not read root's Python.
            "import os, sys\nfrom keepsake.directories import cache_directory\n"
            f"if os.getuid() == 0: os.setgid({NOBODY}); os.setuid({NOBODY})\n"
            "print(cache_directory({'HOME': sys.argv[1]}).parent)"
        )
        command = [sys.executable, "-c", code, str(home)]
        environment = {**os.environ, "TMPDIR": str(other), "PYTHONPATH": str(Path(keepsake.__file__).parents[1])}
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert result.stdout.strip() == str(other)


def test_staging_lies_in_the_cache_and_locks_on_the_local_disk(tmp_path: Path, temporary: Path) -> None:
    assert staging_directory({"HOME": str(tmp_path)}) == tmp_path / ".cache" / "keepsake" / "staging"
    assert lock_directory() == temporary / f"keepsake-{os.getuid()}" / "locks"


def test_a_directory_that_others_could_enter_is_closed(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)

    private_directory(tmp_path / "open")
    assert mode(tmp_path / "open") == 0o700


@as_root
def test_what_somebody_else_created_is_refused(temporary: Path) -> None:
    theirs = temporary / f"keepsake-{os.getuid()}"
    theirs.mkdir()
    os.chown(theirs, 12345, 12345)

    with pytest.raises(ConfigError, match="belongs to another user"):
        lock_directory()


@as_root
def test_a_link_that_somebody_else_placed_is_refused(tmp_path: Path, temporary: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o700)
    link = temporary / f"keepsake-{os.getuid()}"
    link.symlink_to(tmp_path / "mine")
    os.chown(link, 12345, 12345, follow_symlinks=False)

    with pytest.raises(ConfigError, match="belongs to another user"):
        lock_directory()


def test_a_link_of_ones_own_is_followed(tmp_path: Path) -> None:
    (tmp_path / "large disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "large disk")

    private_directory(tmp_path / "link")
    assert mode(tmp_path / "large disk") == 0o700


def test_a_file_in_its_place_is_an_error_of_ours(temporary: Path) -> None:
    (temporary / f"keepsake-{os.getuid()}").write_text("")

    with pytest.raises(ConfigError, match=r"cannot be used(.|\n)*hint: set XDG_CACHE_HOME or TMPDIR"):
        cache_directory({})
