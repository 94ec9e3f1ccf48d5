"""Importing: what `import keepsake` costs over an empty program, and what it must not bring along."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.timing import Action, measure_pairs

LIMIT_MS = 40.0
COMMAND_LIMIT_MS = 70.0
"""Of commands that look at nothing."""
HEAVY = (
    "numpy",
    "matplotlib",
    "pandas",
    "torch",
    "boto3",
    "botocore",
    "obstore",
    "s3fs",
    "fsspec",
    "google.cloud",
    "azure",
)


def measure(scale: Scale, directory: Path) -> list[Row]:  # noqa: ARG001 (every group takes the same)
    """Time programs that only import, and look at what they have loaded."""
    pairs = measure_pairs(
        _program("import keepsake"), _program("pass"), pairs=scale.import_pairs, patience_s=scale.patience_s
    )
    script = "import keepsake, sys, json; print(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-c", script]
    modules: list[str] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    heavy = [name for name in HEAVY if name in modules]
    return [
        Row(
            "import keepsake, over an empty program", pairs.difference_s * 1e3, "ms", LIMIT_MS, details=pairs.to_json()
        ),
        Row(
            "  NumPy, matplotlib or bucket clients loaded",
            len(heavy),
            "modules",
            0,
            ", ".join(heavy),
            {"modules": modules},
        ),
        *(_command_row(option, scale) for option in ("--version", "--help")),
    ]


def _command_row(option: str, scale: Scale) -> Row:
    command = [sys.executable, "-m", "keepsake", option]
    subject = Action(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    pairs = measure_pairs(subject, _program("pass"), pairs=scale.import_pairs, patience_s=scale.patience_s)
    what = f"keepsake {option}, over an empty program"
    return Row(what, pairs.difference_s * 1e3, "ms", COMMAND_LIMIT_MS, details=pairs.to_json())


def _program(text: str) -> Action:
    return Action(lambda: subprocess.run([sys.executable, "-c", text], check=True))
