"""Runs a command and writes what processor time it took, with all that it started: `meter RESULT COMMAND ...`."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

from benchmarks.processes import become_subreaper, wait_for_all

LINGER_S = 15.0
"""How long background processes may live on after the command; what they do until then counts."""


def main(arguments: list[str]) -> int:
    """Run the command, wait for everything, write the result, and return the command's exit code."""
    result, command = arguments[0], arguments[1:]
    become_subreaper()
    code = subprocess.run(command, check=False).returncode
    stayed = wait_for_all(LINGER_S)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    document = {"processor_s": usage.ru_utime + usage.ru_stime, "stayed": stayed}
    Path(result).write_text(json.dumps(document), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
