"""`/api/v1/curves` and `/api/v1/experiments/{id}/curves`: what `plot()` draws, in few bytes."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import keepsake
from keepsake._analysis.history import points_of
from keepsake._tracking.ending import tracked
from keepsake.stores.local import LocalStore
from tests.ui.serving import Asker, serving


@pytest.fixture
def server(project: keepsake.Project) -> Iterator[Asker]:
    """Asks a server of a project that is empty at first."""
    project.experiments.create(quiet=True).delete()  # so that there is a repository
    assert project.repository is not None
    with serving(Path(project.repository)) as asker:
        yield asker


@pytest.fixture(autouse=True)
def no_experiment_runs_on() -> Iterator[None]:
    yield
    for session in tracked():
        session.stop("finished")


def decode(body: bytes) -> tuple[dict[str, Any], dict[str, tuple[tuple[float, ...], tuple[float, ...]]]]:
    """Read an answer as `docs/ui-api.md` describes it."""
    (length,) = struct.unpack_from("<I", body)
    header = json.loads(body[4 : 4 + length])
    place = -(-(4 + length) // 8) * 8
    series = {}
    for one in header["series"]:
        count = one["count"]
        numbers = struct.unpack_from(f"<{2 * count}d", body, place)
        series[one["id"]] = numbers[:count], numbers[count:]
        place += 16 * count
    assert place == len(body)
    return header, series


def ask(server: Asker, **params: Any) -> tuple[dict[str, Any], dict[str, tuple[tuple[float, ...], tuple[float, ...]]]]:
    answer = server.get("/curves", **params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/octet-stream"
    return decode(answer.content)


def begin(project: keepsake.Project, **metrics: Any) -> keepsake.Experiment:
    experiment = project.experiments.create(quiet=True)
    for name, values in metrics.items():
        for step, value in enumerate(values):
            experiment.log({name: value}, step=step)
    return experiment


def test_curves_have_the_points_that_plots_have(project: keepsake.Project, server: Asker) -> None:
    one, two = begin(project, loss=[3.0, 2.0, math.nan, 1.0]), begin(project, loss=[5.0, math.inf])
    header, series = ask(server, ids=f"{one.id[:12]},{two.id}", metric="loss")
    assert header["series"] == [{"id": one.id[:12], "count": 4, "points": 4}, {"id": two.id, "count": 2, "points": 2}]
    assert (header["metric"], header["x"], header["from"], header["to"]) == ("loss", "step", 0.0, 3.0)
    assert repr(series[one.id[:12]]) == repr(((0.0, 1.0, 2.0, 3.0), (3.0, 2.0, math.nan, 1.0)))
    assert repr(series[two.id]) == repr(((0.0, 1.0), (5.0, math.nan)))


def test_checkpoints_without_a_metric_that_is_nowhere_logged_are_gaps(project: keepsake.Project, server: Asker) -> None:
    experiment = project.experiments.create(quiet=True)
    for step in range(4):
        experiment.checkpoint(step=step * 10, metrics={"f1": 0.5} if step % 2 else {})
    _, series = ask(server, ids=experiment.id, metric="f1")
    assert repr(series[experiment.id]) == repr(((0.0, 10.0, 20.0, 30.0), (math.nan, 0.5, math.nan, 0.5)))


def test_points_are_counted_where_one_has_no_step(project: keepsake.Project, server: Asker) -> None:
    experiment = project.experiments.create(quiet=True)
    experiment.log(loss=1.0, step=100)
    experiment.log(loss=2.0)
    assert ask(server, ids=experiment.id, metric="loss")[1][experiment.id][0] == (0.0, 1.0)


def test_time_is_counted_from_the_beginning_or_from_1970(project: keepsake.Project, server: Asker) -> None:
    experiment = begin(project, loss=[1.0, 2.0])
    moments = [entry.created for entry in points_of(experiment, "loss")]
    _, since = ask(server, ids=experiment.id, metric="loss", x="time")
    assert since[experiment.id][0] == tuple((moment - experiment.created).total_seconds() for moment in moments)
    _, wall = ask(server, ids=experiment.id, metric="loss", x="wall")
    assert wall[experiment.id][0] == pytest.approx([moment.timestamp() for moment in moments])


def test_a_metric_may_be_x(project: keepsake.Project, server: Asker) -> None:
    experiment = project.experiments.create(quiet=True)
    for tokens, loss in ((300, 1.0), (100, 3.0), (200, 2.0)):
        experiment.log({"tokens/seen, all": tokens, "loss": loss})
    header, series = ask(server, ids=experiment.id, metric="loss", x="metric:tokens/seen, all")
    assert series[experiment.id] == ((100.0, 200.0, 300.0), (3.0, 2.0, 1.0))
    assert (header["from"], header["to"]) == (100.0, 300.0)


def test_a_long_curve_is_reduced_and_keeps_its_extremes(project: keepsake.Project, server: Asker) -> None:
    values = [math.sin(step / 50) for step in range(3000)]
    values[1234], values[2345] = 40.0, -40.0
    experiment = begin(project, loss=values)
    header, series = ask(server, ids=experiment.id, metric="loss", width=100)
    xs, ys = series[experiment.id]
    assert header["series"][0]["points"] == 3000
    assert len(xs) <= 200
    assert (ys[xs.index(1234.0)], ys[xs.index(2345.0)]) == (40.0, -40.0)
    _, zoomed = ask(server, ids=experiment.id, metric="loss", width=100, **{"from": 1000, "to": 1050})
    assert zoomed[experiment.id][0] == tuple(map(float, range(999, 1052)))
    assert zoomed[experiment.id][1] == tuple(values[999:1052])


def test_what_has_no_such_curve_has_no_series(project: keepsake.Project, server: Asker) -> None:
    one, deleted = begin(project, loss=[1.0]), begin(project, loss=[1.0])
    ask(server, ids=deleted.id, metric="loss")
    deleted.delete()
    header, _ = ask(server, ids=f"{one.id},{deleted.id},{'0' * 64}", metric="accuracy")
    assert (header["series"], header["from"]) == ([], None)
    server.json("/meta")  # which brings the catalog up to date, as `changes` does
    header, _ = ask(server, ids=f"{one.id},{deleted.id}", metric="loss")
    assert [series["id"] for series in header["series"]] == [one.id]


def test_more_series_than_can_be_looked_at_are_cut(project: keepsake.Project, server: Asker) -> None:
    one = begin(project, loss=[1.0])
    ids = [one.id[:digits] for digits in range(3, 64)] + [f"{number:064x}" for number in range(500)]
    assert ask(server, ids=",".join(ids), metric="loss")[0]["cut"] is True
    assert "cut" not in ask(server, ids=one.id, metric="loss")[0]


@pytest.mark.parametrize(
    "params",
    [
        {"ids": "abc"},
        {"metric": "loss", "ids": "abc", "x": "epoch"},
        {"metric": "loss", "ids": "abc", "width": "0"},
        {"metric": "loss", "ids": "abc", "width": "100001"},
        {"metric": "loss", "ids": "abc", "from": "nan"},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(server: Asker, params: dict[str, Any]) -> None:
    assert server.error(400, "/curves", **params)["kind"] == "invalid-input"


def test_a_point_of_a_running_experiment_is_there_at_once(project: keepsake.Project, server: Asker) -> None:
    experiment = begin(project, loss=[1.0, 2.0])
    assert len(ask(server, ids=experiment.id, metric="loss")[1][experiment.id][0]) == 2
    experiment.log(loss=7.0, step=2)
    server.get("/changes", since="")
    assert ask(server, ids=experiment.id, metric="loss")[1][experiment.id][1] == (1.0, 2.0, 7.0)


def test_all_curves_of_one_experiment_are_json(project: keepsake.Project, server: Asker) -> None:
    hostile = "<script>\u202e../\n"
    experiment = project.experiments.create(quiet=True)
    for step in range(2500):
        experiment.log({"loss": 1.0 / (step + 1), hostile: step, "text": "x"}, step=step)
    experiment.checkpoint(step=2500, metrics={"acc": math.nan, "nested": {"f1": 0.5}})
    document = server.json(f"/experiments/{experiment.id[:12]}/curves")["metrics"]
    assert set(document) == {"loss", hostile, "nested.f1"}
    assert {len(document["loss"][name]) for name in ("step", "time", "value")} == {1000}
    assert (document["loss"]["step"][0], document["loss"]["value"][0]) == (0, 1.0)
    assert document["nested.f1"]["step"] == [2500]
    assert server.error(404, f"/experiments/{'0' * 64}/curves")["kind"] == "not-found"
    experiment.delete()
    server.json("/meta")
    assert server.error(404, f"/experiments/{experiment.id}/curves")["kind"] == "not-found"


def test_a_second_question_reads_nothing_of_the_repository(
    project: keepsake.Project, server: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = begin(project, loss=[1.0, 2.0])
    experiment.stop()
    ask(server, ids=experiment.id, metric="loss")

    def refuse(*_: object) -> bytes:
        raise AssertionError("read again")

    monkeypatch.setattr(LocalStore, "get", refuse)
    monkeypatch.setattr(LocalStore, "get_range", refuse)
    assert len(ask(server, ids=experiment.id, metric="loss", x="time")[1][experiment.id][0]) == 2


def test_repositories_of_format_1_have_curves_too(tmp_path: Path) -> None:
    golden = Path(__file__).parents[1] / "golden/format-1"
    expected = json.loads((golden / "expected.json").read_text())
    assert expected
    with serving(golden / "repository") as server:
        found = [server.json(f"/experiments/{one}/curves")["metrics"] for one in server.json("/experiments")["ids"]]
    assert any(found)
