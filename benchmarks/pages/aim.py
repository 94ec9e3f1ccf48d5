"""Aim's page: its list of runs. Its curves are shown for a query that is typed, not by an address."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from benchmarks.pages.interface import Experiment, WebPage
from benchmarks.peers.interface import Needs


class Page(WebPage):
    """Runs of one repository."""

    title = "Aim"
    needs = Needs(python=("aim==3.29.1",))
    environment = MappingProxyType({"AIM_UI_TELEMETRY_ENABLED": "0"})

    def version(self) -> str:
        from importlib.metadata import version

        return version("aim")

    def record(self, experiments: list[Experiment]) -> None:
        from aim import Repo, Run

        repo = Repo.from_path(".", init=True)
        for one in experiments:
            run = Run(repo=repo, system_tracking_interval=None, log_system_params=False, capture_terminal_logs=False)
            run.name = one.name
            run["hparams"] = dict(one.params)
            for name, values in one.metrics.items():
                for step, value in enumerate(values):
                    run.track(value, name=name, step=step)
            run.close()

    @staticmethod
    def command(python: Path, port: int) -> list[str]:
        return [str(python.parent / "aim"), "up", "--port", str(port), "--host", "127.0.0.1", "--yes"]

    @staticmethod
    def table(port: int, last: str) -> tuple[str, str]:
        return f"http://127.0.0.1:{port}/runs", f"document.body.innerText.includes('{last}')"

    @staticmethod
    def curves(port: int) -> None:  # noqa: ARG004 (of every page)
        return None
