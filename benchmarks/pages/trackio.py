"""trackio's page: curves of all runs of a project."""

from __future__ import annotations

from pathlib import Path

from benchmarks.pages.interface import Experiment, WebPage
from benchmarks.peers.interface import Needs

_SHOW = "import os, trackio; trackio.show(project='training', open_browser=False, block_thread=True)"


class Page(WebPage):
    """Runs of one project."""

    title = "trackio"
    needs = Needs(python=("trackio==0.43.0",))

    def version(self) -> str:
        import trackio

        return str(trackio.__version__)

    def record(self, experiments: list[Experiment]) -> None:
        import trackio

        for one in experiments:
            trackio.init(project="training", name=one.name, config=dict(one.params))
            for step, values in enumerate(zip(*one.metrics.values(), strict=True)):
                trackio.log(dict(zip(one.metrics, values, strict=True)), step=step)
            trackio.finish()

    @staticmethod
    def command(python: Path, port: int) -> list[str]:
        return ["env", f"GRADIO_SERVER_PORT={port}", str(python), "-c", _SHOW]

    @staticmethod
    def table(port: int, last: str) -> tuple[str, str]:
        return f"http://127.0.0.1:{port}/runs?project=training", f"document.body.innerText.includes('{last}')"

    @staticmethod
    def curves(port: int) -> tuple[str, str]:
        return (
            f"http://127.0.0.1:{port}/?project=training",
            "document.querySelector('canvas, svg.marks, .vega-embed svg')",
        )
