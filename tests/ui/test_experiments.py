"""`/api/v1/experiments`, `/select` and `/changes`: the table, what of it a filter keeps, and what has changed."""

from __future__ import annotations

import gzip
import json
import math
import os
import random
from pathlib import Path
from typing import Any

import pytest

import keepsake
from keepsake._repository.heartbeat import delete_heartbeat, list_heartbeats
from keepsake._repository.repository import Repository
from keepsake.stores.local import LocalStore
from keepsake.testing import RecordingStore
from keepsake.ui import kept
from tests.ui.serving import Asker, serving
from tests.ui.tables import Reader, rows_of, values_of


def column(document: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the column of this name."""
    return next(one for one in document["columns"] if one["name"] == name)


def groups_of(columns: list[dict[str, Any]]) -> list[str]:
    """Return the groups of columns, each once, in their order."""
    return list(dict.fromkeys(one["group"] for one in columns))


def test_the_table_has_a_column_for_everything_that_is_one_value(
    asker: Asker, trained: list[keepsake.Experiment]
) -> None:
    document = asker.json("/experiments")
    assert document["ids"] == [one.id[:12] for one in trained]
    rows = rows_of(document)
    assert [row["params.lr"] for row in rows] == [0.1, 0.01]
    assert [row["params.optim.name"] for row in rows] == ["adam", "adam"]
    assert [row["best.loss"] for row in rows] == [0.2 * 0.1, 0.2 * 0.01]
    assert [row["latest.loss"] for row in rows] == [0.3 * 0.1, 0.3 * 0.01]
    assert [row["best.id"] for row in rows] == [one.checkpoints[1].id[:12] for one in trained]
    assert {row["status"] for row in rows} == {"finished"}
    assert {row["primary.name"] for row in rows} == {"loss"}
    assert {row["primary.goal"] for row in rows} == {"minimize"}
    assert [row["num_checkpoints"] for row in rows] == [3, 3]
    assert [row["name"] for row in rows] == ["rate 0.1", "rate 0.01"]
    assert "environment.python_packages" not in rows[0]


def test_columns_stand_in_the_order_of_their_groups(asker: Asker, trained: list[keepsake.Experiment]) -> None:
    first, rest = (asker.json("/experiments", part=part)["columns"] for part in ("first", "rest"))
    assert groups_of(first) == ["experiment", "environment", "params", "best", "best.metrics", "primary"]
    assert groups_of(rest) == ["environment", "best", "latest", "latest.metrics"]
    assert [one["key"] for one in first[:2]] == ["created", "status"]


def test_every_name_of_a_column_can_be_filtered_by(project: keepsake.Project, asker: Asker) -> None:
    params = {"name": 1, "a b": 2, "step": 3, "x.y": 4, "in": 5, "best": {"loss": 6}, "`": 7, "git": {"dirty": 8}}
    experiment = project.experiments.create(params=params, name="shadowed", quiet=True)
    experiment.checkpoint(metrics={"step": 1.5, "id": 2.5, "metrics.loss": 3.5, "val/loss": 4.5, "loss": 1})
    experiment.stop()
    document = asker.json("/experiments")
    names = [one["name"] for one in document["columns"]]
    assert len(set(names)) == len(names)
    for one in document["columns"]:
        if one["group"] == "primary" or one["key"] == "error":
            continue
        there = [place for place, value in enumerate(values_of(one)) if value is not None]
        found = asker.json("/select", filter=f"{one['name']} is not null")
        assert found["places"] == there, one
        assert found["unknown"] == [], one


def test_an_empty_repository_has_an_empty_table(project: keepsake.Project) -> None:
    project.experiments.create(quiet=True).delete()
    assert project.repository is not None
    with serving(Path(project.repository)) as asker:
        document = asker.json("/experiments")
        assert document["ids"] == []
        assert document["columns"] == [] or all(values_of(one) == [] for one in document["columns"])
        assert asker.json("/select")["places"] == []


def test_the_answer_is_compressed_for_who_takes_that_and_the_same_for_who_does_not(
    asker: Asker, trained: list[keepsake.Experiment]
) -> None:
    compressed = asker.get("/experiments")
    plain = asker.get("/experiments", headers={"accept-encoding": "identity"})
    assert compressed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert compressed.content == plain.content


def test_the_columns_come_in_two_parts_of_which_the_first_has_what_a_page_shows_first(asker: Asker) -> None:
    whole, first, rest = (asker.json("/experiments", part=part) for part in ("all", "first", "rest"))
    assert whole == asker.json("/experiments")
    assert first | {"columns": first["columns"] + rest["columns"]} == whole
    assert (first["cursor"], "ids" in rest) == (rest["cursor"], False)
    names = {one["name"] for one in first["columns"]}
    assert {"created", "status", "user", "params.lr", "best.loss", "best.step", "primary.name"} <= names
    assert {one["name"] for one in rest["columns"]} >= {"best.id", "latest.loss", "command"}


def test_a_column_says_whether_it_has_only_numbers(asker: Asker) -> None:
    is_number = {one["name"]: one["is_number"] for one in asker.json("/experiments")["columns"]}
    assert is_number["params.lr"]
    assert is_number["duration"]
    assert not is_number["params.optim.name"]
    assert not is_number["status"]


def test_nothing_is_sent_again_to_who_has_it(asker: Asker, project: keepsake.Project) -> None:
    first = asker.get("/experiments")
    assert first.headers["etag"] == f'"{first.json()["cursor"]}"'
    again = asker.get("/experiments", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    project.experiments.create(quiet=True).stop()
    assert asker.get("/experiments", headers={"if-none-match": first.headers["etag"]}).status_code == 200


def test_a_server_that_starts_again_says_the_same_of_the_same(
    project: keepsake.Project, trained: list[keepsake.Experiment]
) -> None:
    assert project.repository is not None
    with serving(Path(project.repository)) as asker:
        tag = asker.get("/experiments").headers["etag"]
    with serving(Path(project.repository)) as asker:
        assert asker.get("/experiments", headers={"if-none-match": tag}).status_code == 304
        assert asker.get("/changes", since=tag.strip('"')).status_code == 204


def test_values_that_json_does_not_have_are_written_as_text(project: keepsake.Project, asker: Asker) -> None:
    experiment = project.experiments.create(params={"lone": "\ud800", "huge": 10**400, "nan": math.nan}, quiet=True)
    experiment.checkpoint(metrics={"loss": math.inf, "other": -math.inf, "third": math.nan})
    experiment.stop()
    row = rows_of(asker.json("/experiments"))[-1]
    assert row["latest.loss"] == "Infinity"
    assert row["latest.other"] == "-Infinity"
    assert row["latest.third"] == row["params.nan"] == "NaN"
    assert row["params.lone"] == "?"
    assert row["params.huge"] == 10**400


def test_what_looks_like_a_program_is_data(project: keepsake.Project, asker: Asker) -> None:
    hostile = (
        "</script><script>alert(1)</script>",
        "\u202e\u2066",
        "\x00\x1b[31m",
        "'\"`\\",
        "a\r\nset-cookie: b=c",
        "𝒳",
    )
    for text in hostile:
        project.experiments.create(
            params={text: text, "nested": {text: [text]}},
            name="x" + text.replace("\r\n", " "),
            tags=["t" + text],
            quiet=True,
        ).stop()
    answer = asker.get("/experiments")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    document = answer.json()
    for text in hostile:
        (found,) = [one for one in document["columns"] if (one["group"], one["key"]) == ("params", text)]
        assert text in found["values"]
        assert asker.json("/select", filter=f"{found['name']} is not null")["places"] == [2 + hostile.index(text)]
        assert "set-cookie" not in asker.get("/select", filter=text).headers


def test_what_is_equal_but_not_the_same_stays_apart(project: keepsake.Project, asker: Asker) -> None:
    for value in (True, 1, 1.0, "1", [1], [True], None, False, 0):
        project.experiments.create(params={"x": value, "many": "same"}, quiet=True).stop()
    rows = rows_of(asker.json("/experiments"))[2:]
    assert [repr(row.get("params.x")) for row in rows] == [
        "True", "1", "1.0", "'1'", "[1]", "[True]", "None", "False", "0"
    ]  # fmt: skip


def test_a_text_as_long_as_a_book_is_cut_in_the_table_and_whole_in_a_filter(
    project: keepsake.Project, asker: Asker
) -> None:
    project.experiments.create(notes="x" * 1_000_000 + "end", tags=["a" * 5_000], quiet=True).stop()
    answer = asker.get("/experiments", headers={"accept-encoding": "identity"})
    assert len(answer.content) < 20_000
    assert rows_of(answer.json())[-1]["notes"] == "x" * 2_000 + "…"
    assert asker.json("/select", filter="notes ~ end$")["places"] == [2]


# Filters


def test_a_filter_finds_what_the_command_line_finds(asker: Asker, trained: list[keepsake.Experiment]) -> None:
    assert asker.json("/select", filter="params.lr < 0.05")["places"] == [1]
    assert asker.json("/select", filter=["params.lr < 0.5", "best.loss > 0.01"])["places"] == [0]
    assert asker.json("/select", filter="packages.numpy is null or status = finished")["places"] == [0, 1]
    assert asker.json("/select")["places"] == [0, 1]


def test_a_mistake_in_a_filter_is_shown_where_it_is(asker: Asker) -> None:
    error = asker.json("/select", filter="params.lr <")["mistake"]
    assert error["kind"] == "invalid-input"
    assert error["at"] == 11
    assert "^" in error["message"]
    assert "a number" in error["hint"]
    assert asker.json("/select", filter='name = "𝒳" params')["mistake"]["at"] == 11


def test_names_that_nobody_has_are_told_with_those_that_were_meant(asker: Asker) -> None:
    found = asker.json("/select", filter="params.lrr < 1")
    assert found["places"] == []
    assert found["unknown"] == [{"name": "params.lrr", "near": ["params.lr", "params.optim"]}]


# Changes


def test_nothing_is_answered_when_nothing_has_changed(asker: Asker) -> None:
    answer = asker.get("/changes", since=asker.json("/experiments")["cursor"])
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("cursor", ["", "nonsense", "0.0..12", "a.b.c.d", "x" * 5_000, "....", "٣.1..12"])
def test_a_cursor_that_says_nothing_leads_to_all_being_read_again(asker: Asker, cursor: str) -> None:
    assert asker.json("/changes", since=cursor)["reload"] is True


def test_a_checkpoint_of_a_running_experiment_is_in_the_next_answer(project: keepsake.Project, asker: Asker) -> None:
    experiment = project.experiments.create(quiet=True)
    reader = Reader(asker)
    experiment.checkpoint(metrics={"loss": 1})
    changes = asker.json("/changes", since=reader.cursor)
    assert changes["ids"] == [experiment.id[:12]]
    assert changes["reload"] is False
    assert rows_of(changes)[0]["latest.loss"] == 1
    experiment.stop()


def test_who_runs_and_who_does_not_any_more_is_noticed_by_the_heartbeat_alone(
    project: keepsake.Project, asker: Asker
) -> None:
    experiment = project.experiments.create(quiet=True)
    reader = Reader(asker)
    assert reader.rows[-1]["status"] == "running"
    assert asker.json("/meta")["running"] == 1
    assert project.repository is not None
    store = LocalStore(Path(project.repository))
    for heartbeat in list_heartbeats(store).values():
        delete_heartbeat(store, heartbeat.experiment_id, heartbeat.session_id)
    reader.follow()
    assert reader.rows[-1]["status"] == "lost"
    assert reader.reloads == 0
    experiment.stop()


class Life:
    """A project in which something happens."""

    def __init__(self, project: keepsake.Project, draw: random.Random) -> None:
        self._project = project
        self._draw = draw
        self._running: list[keepsake.Experiment] = []

    def go_on(self) -> None:
        """Do something, whatever it may be."""
        steps = [self._begin, self._save, self._save, self._stop, self._annotate, self._delete, self._delete_checkpoint]
        self._draw.choice(steps if self._running else [self._begin])()

    def end(self) -> None:
        """Stop all that runs."""
        while self._running:
            self._stop()

    def _begin(self) -> None:
        params = {f"p{self._draw.randrange(3)}": self._draw.random()}
        self._running.append(self._project.experiments.create(params=params, quiet=True))

    def _save(self) -> None:
        self._draw.choice(self._running).checkpoint(metrics={f"m{self._draw.randrange(3)}": self._draw.random()})

    def _stop(self) -> None:
        self._running.pop(self._draw.randrange(len(self._running))).stop()

    def _annotate(self) -> None:
        self._draw.choice(self._project.experiments.list()).tags = self._draw.choice(((), ("a",), ("a", "b")))

    def _delete(self) -> None:
        deleted = self._draw.choice(self._project.experiments.list())
        deleted.delete()
        for one in [one for one in self._running if one.id == deleted.id]:
            one.stop()
            self._running.remove(one)

    def _delete_checkpoint(self) -> None:
        for checkpoint in self._draw.choice(self._project.experiments.list()).checkpoints[-1:]:
            checkpoint.delete()


def test_a_table_that_is_kept_up_to_date_is_the_one_that_is_read_anew(project: keepsake.Project, asker: Asker) -> None:
    draw = random.Random(7)
    life, reader = Life(project, draw), Reader(asker)
    for _ in range(60):
        life.go_on()
        if draw.random() < 0.6:
            reader.follow()
            assert reader.rows == rows_of(asker.json("/experiments"))
    life.end()
    reader.follow()
    assert reader.rows == rows_of(asker.json("/experiments"))
    assert reader.reloads == 0


def test_an_experiment_that_arrives_late_and_began_early_moves_the_others_so_all_is_read_again(
    project: keepsake.Project, tmp_path: Path
) -> None:
    early = project.experiments.create(quiet=True, name="early")
    early.stop()
    other = keepsake.Project(str(tmp_path / "other"), tmp_path)
    other.experiments.create(quiet=True, name="late").stop()
    with serving(tmp_path / "other") as asker:
        reader = Reader(asker)
        project.push(str(tmp_path / "other"))
        reader.follow()
        assert reader.reloads == 1
        assert [row["name"] for row in reader.rows] == ["early", "late"]


def test_a_catalog_that_is_deleted_is_made_anew_and_the_page_reads_again(
    project: keepsake.Project, asker: Asker, user_directory: Path
) -> None:
    reader = Reader(asker)
    for path in (user_directory / "cache" / "keepsake" / "catalogs").iterdir():
        path.unlink()
    reader.follow()
    assert reader.reloads == 1
    assert reader.rows == rows_of(asker.json("/experiments"))


def test_a_damaged_catalog_is_made_anew(
    project: keepsake.Project, asker: Asker, user_directory: Path, trained: list[keepsake.Experiment]
) -> None:
    before = Reader(asker).rows
    (path,) = (user_directory / "cache" / "keepsake" / "catalogs").glob("*.sqlite")
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"values"', b'"valuex"'))
    assert project.repository is not None
    with serving(Path(project.repository)) as another:
        assert rows_of(another.json("/experiments")) == before


def test_a_damaged_journal_is_told_and_the_rest_is_shown(
    project: keepsake.Project, asker: Asker, trained: list[keepsake.Experiment]
) -> None:
    damaged = project.experiments.create(quiet=True)
    damaged.stop()
    assert project.repository is not None
    for path in (Path(project.repository) / "journals").rglob(f"{damaged.id}*"):
        path.write_bytes(path.read_bytes().replace(b'"type"', b'"tipe"'))
    reader = Reader(asker)
    assert [row["id"] for row in reader.rows] == [one.id[:12] for one in trained]
    problems = asker.json("/meta")["problems"]
    assert any(damaged.id[2:] in problem for problem in problems)
    reader.follow()


def test_looking_when_nothing_has_changed_reads_no_object(project: keepsake.Project) -> None:
    from keepsake._catalog.catalog import Catalog
    from keepsake._catalog.snapshot import Snapshot

    running = project.experiments.create(quiet=True)
    assert project.repository is not None
    store = RecordingStore(LocalStore(Path(project.repository)))
    repository = Repository.open(store)
    directory = Path(os.environ["XDG_CACHE_HOME"])
    directory.mkdir(parents=True, exist_ok=True)
    snapshot = Snapshot(Catalog(repository, directory), lambda sessions: list(sessions))
    first = snapshot.refresh()
    store.clear()
    assert snapshot.refresh() is first
    assert store.count("get") == 0
    running.checkpoint(metrics={"loss": 1})
    store.clear()
    second = snapshot.refresh()
    assert store.count("get", "journals/") == 1
    changes = second.changes_since(first.cursor)
    assert changes is not None
    assert [row.id for row in changes.rows] == [running.id]
    running.stop()


# What is kept between servers


def test_the_table_of_a_large_repository_is_kept_for_the_next_server(
    project: keepsake.Project,
    trained: list[keepsake.Experiment],
    user_directory: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept, "MIN_EXPERIMENTS", 2)
    assert project.repository is not None
    with serving(Path(project.repository)) as asker:
        document = asker.json("/experiments")
    (path,) = (user_directory / "cache" / "keepsake" / "catalogs").glob("*.table")
    assert path.stat().st_mode & 0o077 == 0
    catalog = path.with_suffix(".sqlite")
    parts = kept.load_table(catalog, document["cursor"])
    assert parts is not None
    first, rest = (json.loads(gzip.decompress(part)) for part in parts)
    assert first | {"columns": first["columns"] + rest["columns"]} == document
    assert kept.load_table(catalog, document["cursor"] + "0") is None
    path.write_bytes(path.read_bytes()[:-1])
    assert kept.load_table(catalog, document["cursor"]) is None
    with serving(Path(project.repository)) as asker:
        assert asker.json("/experiments") == document


def test_meta_says_what_is_served(asker: Asker, project: keepsake.Project) -> None:
    meta = asker.json("/meta")
    assert meta["project"] == "project"
    assert meta["repository"] == f"file://{project.repository}"
    assert meta["version"] == keepsake.__version__
    assert (meta["experiments"], meta["running"], meta["problems"], meta["is_static"]) == (2, 0, [], False)
    assert meta["cursor"] == asker.json("/experiments")["cursor"]


def test_a_repository_that_is_named_without_a_directory_goes_by_its_own_name(tmp_path: Path) -> None:
    for path in (tmp_path / "vision", tmp_path / "language" / ".keepsake"):
        keepsake.Project(str(path), tmp_path).experiments.create(quiet=True).stop()
        with serving(keepsake.Project(str(path))) as asker:
            assert asker.json("/meta")["project"] == path.relative_to(tmp_path).parts[0]


def test_a_repository_of_keepsake_0_has_a_table_without_secrets(tmp_path: Path) -> None:
    source = next((Path(__file__).parents[1] / "golden" / "format-1").rglob("repository.json")).parent
    with serving(source) as asker:
        rows = rows_of(asker.json("/experiments"))
    assert rows
    assert all("status" in row for row in rows)
