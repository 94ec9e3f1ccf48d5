"""TensorBoard, which lists runs beside their curves and has no table of params."""

from __future__ import annotations

from pathlib import Path

from benchmarks.pages.interface import Experiment, WebPage
from benchmarks.peers.interface import Needs


class Page(WebPage):
    """Event files, a directory a run."""

    title = "TensorBoard"
    needs = Needs(python=("tensorboard==2.21.0",))

    def version(self) -> str:
        from tensorboard import version

        return str(version.VERSION)

    def record(self, experiments: list[Experiment]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        for one in experiments:
            writer = EventFileWriter(f"runs/{one.name}")
            for name, values in one.metrics.items():
                for step, value in enumerate(values):
                    summary = Summary(value=[Summary.Value(tag=name, simple_value=value)])
                    writer.add_event(Event(step=step, wall_time=1e9 + step, summary=summary))
            writer.close()

    @staticmethod
    def command(python: Path, port: int) -> list[str]:
        return [str(python.parent / "tensorboard"), "--logdir", "runs", "--port", str(port), "--host", "127.0.0.1"]

    @staticmethod
    def table(port: int, last: str) -> None:  # noqa: ARG004 (of every page)
        return None

    @staticmethod
    def curves(port: int) -> tuple[str, str]:
        drawn = "document.querySelector('line-chart path, line-chart canvas, line-chart polyline')"
        return f"http://127.0.0.1:{port}/", drawn
