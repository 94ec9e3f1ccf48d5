"""Does one job with one program, in the current directory: `python -m benchmarks.peers.worker JOB.json`.

Run by the Python that has the program, so nothing is needed here but the standard library.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import shutil
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.peers import load_program
from benchmarks.peers.interface import WEIGHTS, Job, Program, Restorer, Saved, Tracker


def main(arguments: list[str]) -> int:
    """Do the job that a file describes, and write the result to another."""
    job = Job(**json.loads(Path(arguments[0]).read_text(encoding="utf-8")))
    with contextlib.suppress(ModuleNotFoundError):
        importlib.import_module("numpy")  # as in any process that trains, so that it is charged to no program
    program = load_program(job.program)()
    result = {"version": _version, "save": _save, "restore": _restore, "log": _log}[job.action](program, job)
    Path(job.result).write_text(json.dumps(result), encoding="utf-8")
    return 0


def _version(program: Program, job: Job) -> dict[str, Any]:  # noqa: ARG001 (every action takes the same)
    kinds = {"restores": isinstance(program, Restorer), "tracks": isinstance(program, Tracker)}
    return {"version": program.version(), **kinds}


def _save(program: Program, job: Job) -> dict[str, Any]:
    apart_s = time.process_time()
    calls_s, references = [], []
    program.begin()
    for step, source in enumerate(job.series):
        if step == 0 or source != job.series[step - 1]:
            began_s = time.thread_time()
            _place(Path(source), Path(WEIGHTS))
            apart_s += time.thread_time() - began_s
        started = time.perf_counter()
        references.append(program.save(step))
        calls_s.append(time.perf_counter() - started)
    program.end()
    return asdict(Saved(calls_s, references, apart_s))


def _place(source: Path, weights: Path) -> None:
    """Write the files of a checkpoint as training does: over the ones of the same name, without the others."""
    weights.mkdir(exist_ok=True)
    files = {path.name: path for path in source.iterdir()}
    for path in weights.iterdir():
        if path.name not in files:
            path.unlink()
    for name, path in files.items():
        shutil.copyfile(path, weights / name)


def _restore(program: Program, job: Job) -> dict[str, Any]:
    assert isinstance(program, Restorer)
    shutil.rmtree(WEIGHTS)
    Path(job.target).mkdir()
    started = time.perf_counter()
    restored = program.restore(job.reference, Path(job.target))
    return {"restore_s": time.perf_counter() - started, "restored": str(restored)}


def _log(program: Program, job: Job) -> dict[str, Any]:
    assert isinstance(program, Tracker)
    program.begin()
    calls_s = []
    for step in range(job.calls):
        metrics = {"loss": 1 / (step + 1), "accuracy": step / (step + 1), "learning_rate": 3e-4}
        started = time.perf_counter()
        program.log(step, metrics)
        calls_s.append(time.perf_counter() - started)
    program.end()
    return {"calls_s": calls_s}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
