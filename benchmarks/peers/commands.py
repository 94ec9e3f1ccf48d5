"""Running the commands of programs that are used from a shell."""

from __future__ import annotations

import subprocess


def run(*command: str) -> str:
    """Run a command in the current directory and return what it printed.

    Raises:
        RuntimeError: it failed; with what it said.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip() or done.stdout}")
    return done.stdout
