"""What git says of the project directory, asked of git itself, in two processes side by side and within a time limit.

Nothing is locked, refreshed, fetched or asked of a person. Changes to files that git follows make a directory dirty;
files that it does not follow are not looked for, which would mean walking through every data directory.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from keepsake._model.values import Value
from keepsake._tracking.secrets import mask_url

TIMEOUT_S = 2.0
"""Only very large working trees take longer; there, commit and branch are worth more than whether it is dirty."""

_QUIET = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
_BASE = ("git", "-c", "core.fsmonitor=false")
_STATUS = ("status", "--porcelain=v2", "--branch", "--untracked-files=no", "--ignore-submodules=dirty", "-z")
_HEAD = ("rev-parse", "HEAD", "--abbrev-ref", "HEAD")
_REMOTES = ("config", "-z", "--get-regexp", r"^remote\..*\.url$")


def read_git(directory: Path) -> dict[str, Value] | None:
    """Return commit, branch, remote and dirty, each None where git does not know; None outside of a repository.

    Args:
        directory: the project directory; the repository may lie in a parent.
    """
    if not _in_repository(directory):
        return None  # also spares the price of importing subprocess and of starting git
    status, remotes = _run_git(directory, _STATUS, _REMOTES)
    if status is None:
        return _read_head(directory)
    headers = dict(re.findall(r"^# branch\.(\S+) (.*)", status.replace("\0", "\n"), re.MULTILINE))
    commit, branch = headers.get("oid"), headers.get("head")
    return {
        "commit": commit if commit != "(initial)" else None,
        "branch": branch if branch != "(detached)" else None,
        "remote": _choose_remote(remotes or "", headers.get("upstream", "")),
        "dirty": any(line and not line.startswith("#") for line in status.split("\0")),
    }


def why_unknown(directory: Path) -> str | None:
    """Return why git says nothing of a directory that lies in a repository, as when that belongs to another user."""
    if not _in_repository(directory):
        return None
    import subprocess

    command = [*_BASE, "-C", str(directory), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, env=_environment(), capture_output=True, timeout=TIMEOUT_S)  # noqa: S603
    except OSError as error:
        return f"git cannot be started: {error.strerror or error}"
    except subprocess.TimeoutExpired:
        return "git does not answer"
    words = " ".join(done.stderr.decode("utf-8", "replace").split())
    return f"git says: {words}" if done.returncode and words else None


def _in_repository(directory: Path) -> bool:
    return any((parent / ".git").exists() for parent in (directory, *directory.parents))


def _read_head(directory: Path) -> dict[str, Value] | None:
    """Read what takes no look at the files, after looking at them has failed or taken too long."""
    head, remotes = _run_git(directory, _HEAD, _REMOTES)
    if head is None:
        return None
    commit, _, branch = head.strip().partition("\n")
    return {
        "commit": commit,
        "branch": branch if branch != "HEAD" else None,
        "remote": _choose_remote(remotes or "", ""),
        "dirty": None,
    }


def _choose_remote(listing: str, upstream: str) -> str | None:
    """Choose among all remotes: that of the branch, else `origin`, else the first."""
    urls: dict[str, str] = {}
    for item in listing.split("\0"):
        name, newline, url = item.partition("\n")
        if newline:
            urls.setdefault(name.removeprefix("remote.").removesuffix(".url"), url)
    chosen = urls.get(upstream.partition("/")[0]) or urls.get("origin") or next(iter(urls.values()), None)
    return mask_url(chosen) if chosen else None


def _run_git(directory: Path, *commands: tuple[str, ...]) -> list[str | None]:
    """Run several git commands at once; the output of each, None for one that failed or took too long."""
    import subprocess

    env = _environment()
    try:
        processes = [
            subprocess.Popen(  # noqa: S603 (a fixed program and fixed arguments)
                [*_BASE, "-C", str(directory), *command],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            for command in commands
        ]
    except OSError:
        return [None] * len(commands)
    outputs: list[str | None] = []
    for process in processes:
        with process:
            try:
                output, _ = process.communicate(timeout=TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                output = None
        outputs.append(output.decode("utf-8", "replace") if output is not None and process.returncode == 0 else None)
    return outputs


def _environment() -> dict[str, str]:
    """Return the variables for git, without those that point to another repository, as GIT_DIR does in hooks.

    Configuration may stay: in containers, `safe.directory` is often given in variables.
    """
    kept = (name for name in os.environ if not name.startswith("GIT_") or name.startswith("GIT_CONFIG_"))
    return {name: os.environ[name] for name in kept} | _QUIET
