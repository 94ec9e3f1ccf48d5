"""Checkout: how long it takes to write a saved file out again, verified, against `cp` of that file.

The repository has been settled, so every chunk is decoded and its digest compared; nothing is synced. The figure for
one thread comes from the code below `checkout()`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.capture import WEIGHTS, copy_action
from benchmarks.projects import REPOSITORY, begin, stored_bytes
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.timing import Action, measure_pairs
from benchmarks.weights import write_gpt2_like
from keepsake._repository.repository import Repository
from keepsake._snapshots.checkout import plan_checkout, run_checkout
from keepsake.stores.local import LocalStore

LIMIT = 3.2
AIM = 2.5


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Time checkouts of one file."""
    directory.mkdir(parents=True, exist_ok=True)
    size_bytes = write_gpt2_like(directory / WEIGHTS, scale.big_file_bytes)
    experiment = begin(directory)
    checkpoint = experiment.checkpoint(path=WEIGHTS)
    experiment.stop()
    target = directory / "out"

    def check_out() -> None:
        checkpoint.checkout(target, quiet=True)

    def check_out_with_one_thread() -> None:
        repository = Repository.open(LocalStore(directory / REPOSITORY))
        manifests = [repository.load_manifest(key.name) for key in (directory / REPOSITORY / "manifests").glob("*/*")]
        run_checkout(plan_checkout(manifests, None), repository.chunks, target, threads=1)

    rows = []
    what = f"checkout of {size_bytes / 1e6:.0f} MB, verified"
    for text, run, limit in ((what, check_out, LIMIT), ("  the same with one thread", check_out_with_one_thread, None)):
        action = Action(run, clean=lambda: shutil.rmtree(target))
        pairs = measure_pairs(
            action, copy_action(directory / WEIGHTS, directory / "copy"), pairs=scale.pairs, patience_s=scale.patience_s
        )
        remark = f"the aim is {AIM} x cp" if limit else ""
        rows.append(Row(text, pairs.ratio, "x cp", limit, remark, pairs.to_json()))
    stored = stored_bytes(directory)
    rows[0].details["stored_bytes"] = stored
    return rows
