"""However a notebook ends: a real kernel is interrupted, restarted, killed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

import keepsake
from tests.durability.scripts import (
    assert_clean,
    content_hash,
    lock_files,
    only_experiment,
    open_repository,
    raw_chunks,
)
from tests.kernels import named_sockets

TIMEOUT_S = 60.0

BEGIN = """
import hashlib, os, time
from pathlib import Path
import keepsake

experiment = keepsake.init(quiet=True)
for number in range(3):
    Path("weights").write_bytes(os.urandom(5_000_000))
    experiment.checkpoint(path="weights")
    print(hashlib.sha256(Path("weights").read_bytes()).hexdigest())
"""
SLOW = """
import keepsake._tracking.progress as progress
progress.SLOW_S = progress.REDRAW_INTERVAL_S = 0.0
"""


class Notebook:
    """A kernel, and what its cells put out.

    Args:
        options: of its manager.
    """

    def __init__(self, options: dict[str, str]) -> None:
        self.kernel = KernelManager(kernel_name="python3", log=logging.getLogger("kernel"), **options)
        self.kernel.start_kernel()
        self.client = self.kernel.client()
        self._connect()

    def _connect(self) -> None:
        self.client.start_channels()
        self.client.wait_for_ready(timeout=TIMEOUT_S)

    def run(self, cell: str) -> list[dict[str, Any]]:
        """Run a cell; return the content of every output, and the cell's reply."""
        outputs: list[dict[str, Any]] = []
        reply = self.client.execute_interactive(
            cell, timeout=TIMEOUT_S, output_hook=lambda message: outputs.append(message["content"])
        )
        return [*outputs, reply["content"]]

    def interrupt(self, cell: str, after: str) -> list[dict[str, Any]]:
        """Run a cell and interrupt it when it has printed `after`; return the outputs and the reply."""
        outputs: list[dict[str, Any]] = []

        def look(message: dict[str, Any]) -> None:
            outputs.append(message["content"])
            if after in message["content"].get("text", ""):
                self.kernel.interrupt_kernel()

        reply = self.client.execute_interactive(cell, timeout=TIMEOUT_S, output_hook=look)
        return [*outputs, reply["content"]]

    def restart(self, *, now: bool) -> None:
        """Restart the kernel, as the button does, or by killing it."""
        self.client.stop_channels()
        self.kernel.restart_kernel(now=now)
        self.client = self.kernel.client()
        self._connect()

    def close(self) -> None:
        """Shut the kernel down as when its tab is closed."""
        self.client.stop_channels()
        self.kernel.shutdown_kernel()


@pytest.fixture
def notebook(project: Path) -> Iterator[Notebook]:
    with named_sockets() as options:
        notebook = Notebook(options)
        yield notebook
        if notebook.kernel.has_kernel:
            notebook.close()
        notebook.kernel.context.destroy()


def begin(notebook: Notebook) -> list[str]:
    """Run the first cell; return the hashes of what it has saved."""
    outputs = notebook.run(BEGIN)
    assert outputs[-1]["status"] == "ok", outputs[-1]
    return "".join(output["text"] for output in outputs if output.get("name") == "stdout").split()


def assert_kept(hashes: list[str]) -> None:
    assert [content_hash(one, "weights") for one in only_experiment().checkpoints] == hashes
    assert_clean()


def test_interrupting_a_cell_ends_nothing(notebook: Notebook) -> None:
    hashes = begin(notebook)
    reply = notebook.interrupt("print('here', flush=True); time.sleep(60)", "here")[-1]
    assert reply["ename"] == "KeyboardInterrupt"
    assert only_experiment().status == "running"
    assert notebook.run("experiment.checkpoint(loss=1.0); experiment.stop()")[-1]["status"] == "ok"
    experiment = only_experiment()
    assert (experiment.status, len(experiment.checkpoints)) == ("finished", 4)
    assert [content_hash(one, "weights") for one in experiment.checkpoints[:3]] == hashes
    assert_clean()


@pytest.mark.parametrize(("end", "status"), [("close", "finished"), ("restart", "finished"), ("kill", "lost")], ids=str)
def test_the_end_of_the_kernel_is_the_end_of_the_experiment(notebook: Notebook, end: str, status: str) -> None:
    hashes = begin(notebook)
    notebook.run("1 / 0")  # an exception that was shown and lived on with
    if end == "close":
        notebook.close()
    else:
        notebook.restart(now=end == "kill")
    assert only_experiment().status == status
    assert_kept(hashes)
    if end != "close":
        assert notebook.run("import keepsake; keepsake.init(quiet=True).stop()")[-1]["status"] == "ok"
        assert sorted(one.status for one in keepsake.experiments.list()) == sorted(["finished", status])
    assert (raw_chunks(open_repository()), lock_files()) == ([], [])
    assert_clean()


def test_waiting_shows_a_bar_in_the_cell_that_needs_no_script(notebook: Notebook) -> None:
    begin(notebook)
    outputs = notebook.run(SLOW + "keepsake.wait()")
    shown = [output["data"] for output in outputs if "data" in output]
    assert len({output["transient"]["display_id"] for output in outputs if "data" in output}) == 1
    assert shown[-1]["text/plain"] == "keepsake: making it compact, 15/15 MB (Ctrl-C is safe)"
    assert "<progress" in shown[-1]["text/html"]
    assert "<script" not in shown[-1]["text/html"]
    assert [output for output in outputs if output.get("name") == "stderr"] == []
