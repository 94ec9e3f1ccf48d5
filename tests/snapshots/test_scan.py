"""What is found below a path."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from keepsake._snapshots.ignore import IgnoreRules
from keepsake._snapshots.scan import Found, scan_path
from keepsake._snapshots.start import Start, find_start
from keepsake.errors import InvalidInputError


def scan(directory: Path, path: str = ".", *excluded: Path) -> list[Found]:
    return scan_path(directory, path, IgnoreRules.load(directory), excluded=excluded)


def paths(directory: Path, path: str = ".", *excluded: Path) -> list[str]:
    return [one.path for one in scan(directory, path, *excluded)]


def write(file: Path, data: bytes = b"x") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def public_directory() -> Iterator[Path]:
    """A directory that another user may enter, unlike pytest's own."""
    directory = Path(tempfile.mkdtemp(dir="/tmp"))
    directory.chmod(0o755)
    yield directory
    for parent, names, _ in os.walk(directory):
        for name in names:
            (Path(parent) / name).chmod(0o755)
    shutil.rmtree(directory)


def test_files_are_found_sorted_with_sizes_and_executable_bits(project: Path) -> None:
    write(project / "b.sh", b"#!").chmod(0o755)
    write(project / "a" / "x.py", b"four")
    write(project / "a.py")
    assert scan(project) == [
        Found("a.py", "file", size_bytes=1),
        Found("a/x.py", "file", size_bytes=4),
        Found("b.sh", "file", executable=True, size_bytes=2),
    ]


def test_one_file_can_be_named(project: Path) -> None:
    write(project / "models" / "best.pt", b"abc")
    assert scan(project, "models/best.pt") == [Found("models/best.pt", "file", size_bytes=3)]
    assert paths(project, "./models//best.pt") == ["models/best.pt"]


def test_paths_below_a_named_directory_stay_relative_to_the_project(project: Path) -> None:
    write(project / "models" / "a" / "best.pt")
    write(project / "other.py")
    assert paths(project, "models") == ["models/a/best.pt"]
    assert paths(project, "models/") == ["models/a/best.pt"]


def test_links_are_kept_and_not_followed(project: Path) -> None:
    write(project / "data" / "x")
    (project / "to_file").symlink_to("data/x")
    (project / "to_directory").symlink_to("data")
    (project / "broken").symlink_to("nowhere")
    (project / "data" / "cycle").symlink_to("..")
    found = {one.path: (one.kind, one.target) for one in scan(project)}
    assert found == {
        "broken": ("link", "nowhere"),
        "data/cycle": ("link", ".."),
        "data/x": ("file", ""),
        "to_directory": ("link", "data"),
        "to_file": ("link", "data/x"),
    }


def test_a_link_that_is_named_itself_is_followed(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = write(tmp_path_factory.mktemp("scratch") / "best.pt", b"weights")
    write(project / "run3" / "w.pt")
    (project / "latest").symlink_to("run3")
    (project / "best.pt").symlink_to(elsewhere)
    assert paths(project, "latest") == ["latest/w.pt"]
    assert paths(project, "latest/w.pt") == ["latest/w.pt"]
    assert scan(project, "best.pt") == [Found("best.pt", "file", size_bytes=7, source=str(elsewhere))]


def test_an_empty_directory_is_found_and_one_of_ignored_files_is_not(project: Path) -> None:
    (project / "empty" / "inner").mkdir(parents=True)
    write(project / "cached" / "__pycache__" / "x.pyc")
    write(project / "secret" / ".env")
    assert scan(project) == [Found("empty/inner", "directory")]
    assert scan(project, "empty/inner") == [Found("empty/inner", "directory")]


def test_an_empty_project_holds_nothing(project: Path) -> None:
    assert scan(project) == []


def test_ignored_directories_are_not_even_listed(project: Path) -> None:
    write(project / "data" / "x")
    (project / ".keepsakeignore").write_text("data/\n!data/x\n")
    (project / "data").chmod(0)
    try:
        assert paths(project) == [".keepsakeignore"]
    finally:
        (project / "data").chmod(0o755)


@pytest.mark.parametrize("name", [".git", ".hg", ".svn", ".keepsake"])
def test_what_is_never_saved_cannot_be_brought_back(project: Path, name: str) -> None:
    write(project / "a" / name / "config")
    (project / ".keepsakeignore").write_text(f"!{name}\n!{name}/\n")
    write(project / "a" / "x")
    assert paths(project) == [".keepsakeignore", "a/x"]
    with pytest.raises(InvalidInputError, match="never saved"):
        scan(project, f"a/{name}/config")


@pytest.mark.parametrize("mark", ["env/pyvenv.cfg", "env/conda-meta/history"])
def test_virtual_environments_are_left_out_by_what_they_hold(project: Path, mark: str) -> None:
    write(project / mark)
    write(project / "env" / "bin" / "python")
    (project / ".keepsakeignore").write_text("!env/\n")
    write(project / "train.py")
    assert paths(project) == [".keepsakeignore", "train.py"]
    with pytest.raises(InvalidInputError, match="'env' is a virtual environment"):
        scan(project, "env/bin")


def test_of_a_project_that_is_itself_an_environment_the_rest_is_saved(project: Path) -> None:
    for name in ("pyvenv.cfg", "bin/python", "lib/python3.11/site-packages/x.py", "train.py", "src/model.py"):
        write(project / name)
    assert paths(project) == ["src/model.py", "train.py"]


def test_the_repository_is_left_out_under_any_name(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    repository = project / "store" / "repo"
    write(repository / "chunks" / "ab")
    write(project / "store" / "notes.txt")
    other_name = tmp_path_factory.mktemp("elsewhere") / "alias"
    other_name.symlink_to(project)
    assert paths(project, ".", repository) == ["store/notes.txt"]
    assert paths(other_name, ".", repository) == ["store/notes.txt"]
    assert paths(project, ".", other_name / "store" / "repo") == ["store/notes.txt"]
    with pytest.raises(InvalidInputError, match="never saved"):
        scan(other_name, "store/repo/chunks", repository)


def test_a_repository_that_is_not_there_yet_excludes_nothing(project: Path) -> None:
    write(project / "a")
    assert paths(project, ".", project / "later") == ["a"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_in_any_encoding_are_found(project: Path) -> None:
    for name in (b"caf\xe9.txt", "snow\u2603.txt".encode(), b"new\nline", b"back\\slash", b" blanks "):
        write(Path(os.fsdecode(os.path.join(os.fsencode(project), name))))
    assert set(paths(project)) == {"caf\udce9.txt", "snow\u2603.txt", "new\nline", "back\\slash", " blanks "}


def test_a_tree_deeper_than_the_python_stack_is_found(project: Path, deep_path: str) -> None:
    assert paths(project) == [deep_path]


@pytest.mark.skipif(os.name == "nt", reason="relies on changing into a directory to go deeper")
def test_what_lies_deeper_than_a_path_can_say_is_missing_with_the_reason(project: Path) -> None:
    write(project / "train.py")
    start = Path.cwd()
    os.chdir(project)
    try:
        for _ in range(30):
            name = "n" * 200
            os.mkdir(name)
            os.chdir(name)
        Path("leaf").touch()
    finally:
        os.chdir(start)
    found = scan(project)
    assert [(one.kind, one.reason) for one in found if one.kind != "file"] == [
        ("missing", "cannot be read: File name too long")
    ]
    assert found[-1].path == "train.py"


def test_sockets_and_pipes_are_left_out_and_each_named_once(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(project / "a")
    os.mkfifo(project / "queue")
    short = Path(tempfile.mkdtemp(dir="/tmp"))  # the path of a socket is limited to 108 bytes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(short / "s"))
        os.rename(short / "s", project / "listener")
    short.rmdir()
    assert paths(project) == ["a"]
    assert paths(project) == ["a"]
    err = capfd.readouterr().err
    assert err.count("queue is a pipe, and left out") == 1
    assert err.count("listener is a socket, and left out") == 1
    with pytest.raises(InvalidInputError, match="is a pipe"):
        scan(project, "queue")


def test_an_unreadable_directory_is_missing_with_the_reason(
    public_directory: Path, run_script: Callable[..., str]
) -> None:
    write(public_directory / "closed" / "x")
    write(public_directory / "listed" / "x")
    write(public_directory / "open" / "x")
    (public_directory / "closed").chmod(0)
    (public_directory / "listed").chmod(0o744)
    script = """
        from keepsake._snapshots.ignore import IgnoreRules
        from keepsake._snapshots.scan import scan_path
        from pathlib import Path
        import sys
        project = Path(sys.argv[1])
        rules = IgnoreRules.load(project)
        scan_path(project, "open", rules)
        drop_privileges()
        for one in scan_path(project, ".", rules):
            print(one.path, one.kind, one.reason, sep="|")
    """
    assert run_script(script, public_directory).splitlines() == [
        "closed|missing|cannot be read: Permission denied",
        "listed/x|missing|cannot be read: Permission denied",
        "open/x|file|",
    ]


def test_files_that_come_and_go_while_they_are_scanned_break_nothing(project: Path) -> None:
    import threading

    write(project / "stays")
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            write(project / "sub" / "comes")
            shutil.rmtree(project / "sub")

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(200):
            assert "stays" in paths(project)
    finally:
        stop.set()
        thread.join()


def test_a_file_that_vanishes_once_it_was_found_is_refused_with_our_words(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(project / "latest.pt")
    whole = find_start

    def find_and_lose(*arguments: Any, **options: Any) -> Start:
        start = whole(*arguments, **options)
        file.unlink()
        return start

    monkeypatch.setattr("keepsake._snapshots.scan.find_start", find_and_lose)
    with pytest.raises(InvalidInputError, match=r"latest\.pt"):
        scan(project, "latest.pt")


def test_an_entry_of_which_the_system_says_nothing_is_found_as_missing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent:
        """An entry on a failing disk, where a listing has names and nothing else."""

        name, path = "x", str(project / "x")

        def is_dir(self, **_: bool) -> bool:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        def stat(self, **_: bool) -> os.stat_result:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    rules = IgnoreRules.load(project)
    monkeypatch.setattr("keepsake._snapshots.scan.os.scandir", lambda _: contextlib.nullcontext([Silent()]))
    (found,) = scan_path(project, ".", rules)
    assert (found.kind, found.reason) == ("missing", f"cannot be read: {os.strerror(errno.EIO)}")
