"""What is recorded of a run."""

from __future__ import annotations

import json
import os
import platform
import shlex
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from keepsake._model.encoding import decode_json, encode_json
from keepsake._model.values import to_value
from keepsake._tracking import environment, system
from keepsake._tracking.environment import read_user, record_environment

PROGRAM = """\
import json, sys
from pathlib import Path
from keepsake._tracking.environment import record_environment
print(json.dumps(record_environment(Path(sys.argv[1] if len(sys.argv) > 1 else "."))))
"""


def record(*arguments: str, directory: Path, **env: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=directory,
        env=dict(os.environ) | env,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_everything_is_there_and_can_be_stored(tmp_path: Path) -> None:
    found = record_environment(tmp_path)

    assert list(found) == [
        *("user", "host", "command", "working_directory", "python_version", "python_implementation"),
        *("python_packages", "platform", "cpu", "memory_bytes", "gpu", "cuda", "git"),
    ]
    assert found["python_version"] == platform.python_version()
    assert found["host"] == socket.gethostname()
    assert found["git"] is None
    assert to_value(found, name="environment") == found
    assert decode_json(encode_json(found)) == found


def test_the_machine_is_described() -> None:
    cpu = system.read_cpu()

    assert cpu["count"] == os.cpu_count()
    assert isinstance(cpu["name"], str)
    memory = system.read_memory_bytes()
    assert memory is not None
    assert memory > 1 << 28
    assert platform.machine() in system.read_platform()


def test_the_command_of_a_script_can_be_run_again(tmp_path: Path) -> None:
    (tmp_path / "train it.py").write_text(PROGRAM)

    found = record("-u", "train it.py", ".", "--name", "it's", "--api-key", "abc", directory=tmp_path)
    assert shlex.split(found["command"]) == [
        *("python", "-u", "train it.py", ".", "--name", "it's", "--api-key", "***"),
    ]


def test_the_command_of_a_module_names_the_module(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "train.py").write_text(PROGRAM)

    found = record("-m", "package.train", ".", directory=tmp_path)
    assert found["command"] == "python -m package.train ."


def test_a_program_on_the_command_line_is_kept_but_not_at_any_length(tmp_path: Path) -> None:
    assert shlex.split(record("-c", PROGRAM, directory=tmp_path)["command"])[:2] == ["python", "-c"]

    long = record("-c", PROGRAM + "#" * 10_000, directory=tmp_path)["command"]
    assert len(long) == environment.MAX_COMMAND_LENGTH
    assert long.endswith("…")


def test_the_working_directory_is_relative_to_the_project(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()

    assert record("-c", PROGRAM, str(tmp_path), directory=tmp_path / "src")["working_directory"] == "src"
    assert record("-c", PROGRAM, ".", directory=tmp_path)["working_directory"] == "."


def test_environment_variables_are_not_recorded(tmp_path: Path) -> None:
    found = record("-c", PROGRAM, directory=tmp_path, SOME_SECRET="correct horse battery")

    assert "correct horse" not in json.dumps(found)


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert read_user()

    program = "import os; os.setuid(54321); from keepsake._tracking.environment import read_user; print(read_user())"
    if os.getuid() == 0:
        # Its own copy of the source is not needed: everything was imported before the user changed.
        program = program.replace("import os;", "import os, getpass, pwd, keepsake._tracking.environment;")
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "54321"


def test_a_working_directory_that_is_gone_costs_only_that_fact(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    program = f"import os; os.rmdir({str(gone)!r})\n" + PROGRAM.replace('"."', repr(str(tmp_path)))

    found = record("-c", program, directory=gone)
    assert found["working_directory"] is None
    assert found["python_version"] == platform.python_version()


def test_graphics_processors_are_read_from_the_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (0, 1):
        gpu = tmp_path / "gpus" / f"0000:0{number}:00.0"
        gpu.mkdir(parents=True)
        (gpu / "information").write_text("Model: \t\t NVIDIA A100-SXM4-80GB\nIRQ:   \t\t 44\n")
    (tmp_path / "version").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\nGCC version: gcc\n"
    )
    monkeypatch.setattr(system, "_NVIDIA", tmp_path)

    assert system.read_gpus() == ["NVIDIA A100-SXM4-80GB"] * 2
    cuda = system.read_cuda()
    assert cuda is not None
    assert cuda["driver"] == "535.104.05"


def test_recording_imports_nothing_heavy(tmp_path: Path) -> None:
    program = PROGRAM.replace("print(", "(").strip() + "\nprint(json.dumps(sorted(sys.modules)))"

    modules = record("-c", program, directory=tmp_path)
    assert {"numpy", "torch", "yaml", "subprocess", "importlib.metadata", "multiprocessing"}.isdisjoint(modules)
