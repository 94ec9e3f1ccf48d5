"""Machines: network namespaces on one bridge, each with an address of its own, where the system allows them.

Where it does not (no root, no `ip`, no namespaces), a machine is only directories of its own. What runs "on" a machine
is a process either way.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_numbers = itertools.count()


@dataclass(frozen=True)
class Machine:
    """Somewhere to run a script."""

    directory: Path
    """Its own disk: caches, locks and staging of the user there."""
    prefix: tuple[str, ...] = ()
    """What comes before a command."""

    def start(self, script: Path, *arguments: object, **variables: str) -> subprocess.Popen[str]:
        """Start a Python script on this machine; its output is piped."""
        (self.directory / "tmp").mkdir(parents=True, exist_ok=True)
        own = {"XDG_CACHE_HOME": str(self.directory / "cache"), "TMPDIR": str(self.directory / "tmp")}
        return subprocess.Popen(
            [*self.prefix, sys.executable, str(script), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **own, **variables},
        )


@dataclass(frozen=True)
class Network:
    """Several machines, and the address at which they all reach a server on this one."""

    address: str
    machines: tuple[Machine, ...]


def allows_namespaces() -> bool:
    """Say whether network namespaces can be made here."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"keepsake-probe-{os.getpid()}"
    done = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    _ip("netns", "delete", name, may_fail=True)
    return done.returncode == 0


@contextlib.contextmanager
def run_network(directory: Path, count: int) -> Iterator[Network]:
    """Make so many machines for the time of the `with` block."""
    homes = [directory / f"machine-{number}" for number in range(count)]
    if not allows_namespaces():
        yield Network("127.0.0.1", tuple(Machine(home) for home in homes))
        return
    # Names of interfaces have 15 characters at most; others may run the same tests at the same time.
    network = f"k{os.getpid() % 1_000_000}x{next(_numbers)}"
    subnet = f"10.{128 + os.getpid() % 100}.{os.getpid() // 100 % 256}"
    names = [f"{network}n{number}" for number in range(count)]
    try:
        _ip("link", "add", network, "type", "bridge")
        _ip("addr", "add", f"{subnet}.1/24", "dev", network)
        _ip("link", "set", network, "up")
        for number, name in enumerate(names):
            _add_machine(network, name, f"{subnet}.{10 + number}/24")
        machines = [Machine(home, ("ip", "netns", "exec", name)) for home, name in zip(homes, names, strict=True)]
        yield Network(f"{subnet}.1", tuple(machines))
    finally:
        for name in names:
            _ip("netns", "delete", name, may_fail=True)
        _ip("link", "delete", network, may_fail=True)


@contextlib.contextmanager
def run_island(directory: Path) -> Iterator[Machine]:
    """Make one machine that has no network at all, where namespaces are allowed."""
    if not allows_namespaces():
        yield Machine(directory)
        return
    name = f"k{os.getpid() % 1_000_000}i{next(_numbers)}"
    _ip("netns", "add", name)
    try:
        yield Machine(directory, ("ip", "netns", "exec", name))
    finally:
        _ip("netns", "delete", name)


def _add_machine(network: str, name: str, address: str) -> None:
    _ip("netns", "add", name)
    _ip("link", "add", f"{name}h", "type", "veth", "peer", "name", "eth0", "netns", name)
    _ip("link", "set", f"{name}h", "master", network, "up")
    _ip("-n", name, "addr", "add", address, "dev", "eth0")
    _ip("-n", name, "link", "set", "eth0", "up")
    _ip("-n", name, "link", "set", "lo", "up")


def _ip(*arguments: str, may_fail: bool = False) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode and not may_fail:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr}")
