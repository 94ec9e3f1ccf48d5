"""Installing the programs: each into a directory of its own, by this machine's pip and apt, once.

    .peers/<program>.lock          held while it is installed
    .peers/<program>/installed     what is there, written last; another list means installing anew
    .peers/<program>/python/       a virtual environment
    .peers/<program>/debian/       unpacked packages, for programs
    .peers/<program>/build/        unpacked packages, for headers

Nothing is installed into the system. Debian packages are fetched with `apt-get download`, which needs no rights, and
unpacked with `dpkg`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import load_program
from benchmarks.peers.interface import Needs

INSTALLED = Path(__file__).parent.parent / ".peers"


class UnavailableError(Exception):
    """A program cannot be had on this machine; the message says why."""


@dataclass(frozen=True)
class Installation:
    """Where a program is."""

    python: Path
    """The interpreter that has it, or that can start it."""
    paths: tuple[Path, ...] = ()
    """Directories with commands."""


def install(name: str) -> Installation:
    """Return the installation of a program, after making it if need be.

    Raises:
        UnavailableError: something cannot be fetched, or built, or is missing on this machine.
    """
    return install_needs(name, load_program(name).needs)


def install_needs(name: str, needs: Needs) -> Installation:
    """Return the installation of what is needed, kept under `name`; errors as of `install`."""
    missing = [command for command in needs.commands if shutil.which(command) is None]
    if missing:
        raise UnavailableError(f"this machine has no {' and no '.join(missing)}")
    if not needs.python and not needs.debian:
        return Installation(Path(sys.executable))
    home = INSTALLED / name
    wanted = repr((sys.version, needs))
    mark = home / "installed"
    with _locked(INSTALLED / f"{name}.lock"):
        if not mark.exists() or mark.read_text(encoding="utf-8") != wanted:
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir(parents=True)
            print(f"installing {name} …", file=sys.stderr, flush=True)
            _fetch(needs, home)
            mark.write_text(wanted, encoding="utf-8")
    python = home / "python" / "bin" / "python" if needs.python else Path(sys.executable)
    commands = [home / "python" / "bin", home / "debian" / "usr" / "bin"]
    return Installation(python, tuple(path for path in commands if path.exists()))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Be the only process in the `with` block: tests of two benchmarks may need a program at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def create_environment(home: Path) -> tuple[str, ...]:
    """Make a virtual environment; return the command that installs what is appended to it.

    That is the pip of this Python: one of its own would take longer to install than most of the programs.
    """
    venv.create(home)
    return sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "install", "--quiet"


def _fetch(needs: Needs, home: Path) -> None:
    _unpack(needs.debian, home / "debian")
    _unpack(needs.build, home / "build")
    if needs.python:
        installing = create_environment(home / "python")
        _run(*installing, *needs.python, environment=_headers(home / "build" / "usr"))


def _unpack(packages: tuple[str, ...], target: Path) -> None:
    if not packages:
        return
    target.mkdir()
    _run("apt-get", "download", "--quiet", *packages, directory=target)
    for path in list(target.glob("*.deb")):
        _run("dpkg", "-x", str(path), str(target))
        path.unlink()


def _headers(prefix: Path) -> dict[str, str]:
    """Return the variables by which compilers, and Borg's build, find headers and libraries below `prefix`.

    The unpacked links to shared libraries dangle: the libraries themselves are in the system's directory.
    """
    if not prefix.exists():
        return {}
    for link in prefix.glob("lib/*/*.so"):
        system = Path("/") / "usr" / link.relative_to(prefix).parent / os.readlink(link)
        if link.is_symlink() and not link.exists() and system.exists():
            link.unlink()
            link.symlink_to(system)
    libraries = os.pathsep.join(map(str, prefix.glob("lib/*-linux-*")))
    borg = {f"BORG_LIB{name}_PREFIX": str(prefix) for name in ("ACL", "LZ4", "XXHASH", "ZSTD")}
    return {"CPATH": str(prefix / "include"), "LIBRARY_PATH": libraries, **borg}


def _run(*command: str, directory: Path | None = None, environment: dict[str, str] | None = None) -> None:
    try:
        subprocess.run(
            command,
            cwd=directory,
            env=os.environ | (environment or {}),
            check=True,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as error:
        raise UnavailableError(f"this machine has no {command[0]}") from error
    except subprocess.CalledProcessError as error:
        lines = (error.stderr.strip() or error.stdout.strip() or "no message").splitlines()
        raise UnavailableError(f"{Path(command[0]).name} {command[1]} failed: {lines[-1]}") from error
