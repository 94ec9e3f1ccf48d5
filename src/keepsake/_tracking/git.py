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
_STATUS = ("status", "--porcelain=v2", "--branch", "--untracked-files=no", "--ignore-submodules=dirty", "-z")
_HEAD = ("rev-parse", "HEAD", "--abbrev-ref", "HEAD")
_REMOTES = ("config", "-z", "--get-regexp", r"^remote\..*\.url$")


def read_git(directory: Path) -> dict[str, Value] | None:
    """Return commit, branch, remote and dirty, each None where git does not know; None outside of a repository.

    Args:
        directory: the project directory; the repository may lie in a parent.
    """
    if not any((parent / ".git").exists() for parent in (directory, *directory.parents)):
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

    # Variables such as GIT_DIR, set inside of git hooks, would point to another repository.
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | _QUIET
    base = ["git", "-c", "core.fsmonitor=false", "-C", str(directory)]
    try:
        processes = [
            subprocess.Popen(  # noqa: S603 (a fixed program and fixed arguments)
                [*base, *command],
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
