"""Runs the benchmarks: `python -m benchmarks [--quick] [--directory DIR] [--document] [GROUP ...]`."""

from __future__ import annotations

import argparse
import compileall
import contextlib
import importlib
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import keepsake
from benchmarks.comparison_table import format_comparison
from benchmarks.machine import describe_machine
from benchmarks.processes import is_running
from benchmarks.projects import COURIER
from benchmarks.results import format_markdown, format_table, load_rows, save_rows, write_part
from benchmarks.rows import Row
from benchmarks.scale import FULL, QUICK, Scale

HERE = Path(__file__).parent
RESULTS = HERE / "results"
DOCUMENT = HERE.parent / "docs" / "benchmarks.md"

GROUPS = (
    "imports",
    "metrics",
    "capture",
    "settle",
    "checkout",
    "reading",
    "listing",
    "page",
    "bucket",
    "bucket_old",
    "collect",
    "memory",
    "small_files",
    "renamed",
    "training",
    "comparison",
    "step",
    "page_browser",
    "page_peers",
)
"""Modules with a `measure(scale, directory)`; times first, while nothing else has warmed the machine."""
COMPARISON = "comparison"
"""The group with a table of its own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the groups that were asked for, and print what they measured."""
    options = _parse(arguments)
    if options.document:
        return _document()
    scale = QUICK if options.quick else FULL
    results = RESULTS / "quick" if options.quick else RESULTS
    parent = options.directory or RESULTS
    parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(parent).free < scale.free_bytes:
        print(f"{parent} has less than {scale.free_bytes / 1e9:g} GB free: name a --directory on another disk")
        return 1
    rows: list[Row] = []
    # As an installed package is: where Python is told to write no bytecode, every process would compile the sources.
    compileall.compile_dir(Path(keepsake.__file__).parent, quiet=1)
    with work_directory(parent) as work:
        _isolate(work)
        machine = describe_machine(work)
        for group in options.groups or GROUPS:
            print(f"measuring {group} …", file=sys.stderr, flush=True)
            rows += (measured := run_group(group, scale, work / group))
            save_rows(results, group, measured, machine)
    print(f"{machine['processor']}, {machine['file system']}, {machine['python']}\n")
    print(format_table(rows))
    return 0


def run_group(group: str, scale: Scale, directory: Path) -> list[Row]:
    """Measure one group in a directory of its own, which is deleted."""
    try:
        rows: list[Row] = importlib.import_module(f"benchmarks.{group}").measure(scale, directory)
        return rows
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def work_directory(parent: Path) -> Iterator[Path]:
    """Make a directory that is deleted in the end, and delete those of earlier runs that were killed."""
    for left in parent.glob("work-*"):
        if not is_running(int(left.name.removeprefix("work-"))):
            shutil.rmtree(left, ignore_errors=True)
    work = parent / f"work-{os.getpid()}"
    work.mkdir()
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Keepsake.")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"what to measure: {', '.join(GROUPS)}")
    parser.add_argument("--quick", action="store_true", help="little data, in seconds; the numbers mean little")
    parser.add_argument("--directory", type=Path, help="where to work; on the disk that is to be measured")
    parser.add_argument("--document", action="store_true", help="write the last results into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    unknown = set(options.groups) - set(GROUPS)
    if unknown:
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    return options


def _isolate(work: Path) -> None:
    """Keep the user's settings and caches out of it, and the courier, where it is not what is measured."""
    for name in [name for name in os.environ if name.startswith("KEEPSAKE_")]:
        del os.environ[name]
    os.environ |= {"XDG_CACHE_HOME": str(work / "cache"), COURIER: "off"}


def _document() -> int:
    """Write the last results of every group that has any into the document."""
    rows: list[Row] = []
    machine: dict[str, str] = {}
    for group in (one for one in GROUPS if (RESULTS / f"{one}.json").exists()):
        measured, machine = load_rows(RESULTS / f"{group}.json")
        if group == COMPARISON:
            write_part(DOCUMENT, group, format_comparison(measured, machine))
        else:
            rows += measured
    write_part(DOCUMENT, "table", format_markdown(rows, machine))
    return 0


if __name__ == "__main__":
    sys.exit(main())
