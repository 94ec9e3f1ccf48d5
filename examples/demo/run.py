"""The demo: three training runs in a fresh directory, `demo-output`, and a look at what Keepsake saved of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
OUTPUT = HERE.parent.parent / "demo-output"


def run(*command: str) -> None:
    """Show a command and run it in the output directory, with this interpreter when it is `python`."""
    print(f"\n$ {' '.join(command)}", flush=True)
    python = [sys.executable] if command[0] == "python" else []
    subprocess.run([*python, *command[bool(python) :]], cwd=OUTPUT, check=True)


def main() -> None:
    """Run the demo from the beginning; what an earlier one left is deleted."""
    started = time.monotonic()
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir()
    for name in ("train.py", "look.py"):
        shutil.copy(HERE / name, OUTPUT)
    (OUTPUT / "keepsake.yaml").write_text("repository: .keepsake\n")
    print(f"A project in {OUTPUT}: a training script with two lines of Keepsake, trained three times.")
    for learning_rate in ("0.03", "0.3", "3"):
        run("python", "train.py", "--learning-rate", learning_rate)
    run("python", "-m", "keepsake", "ls")
    run("python", "look.py")
    print(f"\nDone in {time.monotonic() - started:.0f} s. Look around with: cd {OUTPUT.name}; ../.venv/bin/keepsake ls")


if __name__ == "__main__":
    main()
