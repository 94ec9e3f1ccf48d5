"""Arrays of what was measured say what the folded experiment says, and cost one reading of each byte."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keepsake._analysis.history import points_of
from keepsake._analysis.plot import _LARGEST, _curve
from keepsake._catalog import measurementcache
from keepsake._catalog.catalog import Catalog
from keepsake._catalog.curves import CurveReader
from keepsake._catalog.measurementcache import MeasurementCache
from keepsake._catalog.measurements import Measurements
from keepsake._model.events import ExperimentState
from keepsake._model.keys import JOURNALS
from keepsake._model.times import parse_time
from keepsake._repository.journal import JournalWriter
from keepsake._repository.repository import Repository
from keepsake.errors import NotFoundError, ReadError
from keepsake.stores.base import AppendStore, Store
from keepsake.stores.local import LocalStore
from keepsake.stores.memory import MemoryStore
from keepsake.testing import RecordingStore

EXPERIMENT = "e" * 64
METRICS = ("loss", "acc", "a.b", "text")


def time_text(moment: int) -> str:
    return f"2026-01-01T{moment // 3600:02}:{moment // 60 % 60:02}:{moment % 60:02}.{moment * 7919 % 1_000_000:06}Z"


class Script:
    """Writes one experiment, event by event, as several sessions do."""

    def __init__(self, store: AppendStore) -> None:
        self.store = store
        self.repository = Repository.open_or_create(store)[0]
        self.writers: dict[int, JournalWriter] = {}
        self.checkpoints: list[str] = []
        self.moment = 0
        self.last: dict[int, dict[str, Any]] = {}
        self.write(0, {"type": "experiment", "id": EXPERIMENT, "params": {}})

    def write(self, session: int, body: dict[str, Any], *, moment: int | None = None) -> None:
        self.moment += 1
        if session not in self.writers:
            self.writers[session] = JournalWriter(self.store, EXPERIMENT, f"{session:x}" * 32)
        event = body | {"time": time_text(self.moment if moment is None else moment)}
        self.writers[session].append(event)
        self.last[session] = event

    def again(self, session: int) -> None:
        """Write the last event once more into another segment, as a session whose store failed does."""
        if session in self.last:
            self.writers[session].close()
            self.writers[session].append(self.last[session])

    def log(self, session: int = 0, **fields: Any) -> None:
        self.write(session, {"type": "log"} | fields)

    def checkpoint(self, session: int = 0, **fields: Any) -> None:
        checkpoint_id = f"{self.moment + 1:064x}"[::-1]
        self.checkpoints.append(checkpoint_id)
        self.write(session, {"type": "checkpoint", "id": checkpoint_id} | fields)

    def seal(self, session: int = 0) -> None:
        if session in self.writers:
            self.writers[session].seal()

    def close(self) -> None:
        for writer in self.writers.values():
            writer.close()


def shown(state: ExperimentState) -> Any:
    """Return an experiment as plots read it."""
    checkpoints = [
        SimpleNamespace(
            id=body["id"], created=parse_time(body["time"]), step=body.get("step"), metrics=body.get("metrics") or {}
        )
        for body in state.checkpoints
    ]
    logs = [
        SimpleNamespace(created=parse_time(body["time"]), step=body.get("step"), metrics=body.get("metrics") or {})
        for body in state.logs
    ]
    return SimpleNamespace(checkpoints=checkpoints, logs=logs)


def plotted(state: ExperimentState, metric: str) -> tuple[list[float], list[float], list[datetime]]:
    entries = points_of(shown(state), metric)
    curve = _curve("", entries, metric, logarithmic=False)
    return [float(x) for x in curve.xs], list(curve.ys), [entry.created for entry in entries]


def assert_as_plotted(found: Measurements, state: ExperimentState) -> None:
    began = parse_time(state.created["time"])
    for metric in METRICS:
        xs, ys, created = plotted(state, metric)
        curve = found.curve(metric)
        if curve is None:
            assert all(math.isnan(y) for y in ys)
            continue
        drawn = [y if abs(y) <= _LARGEST else math.nan for y in curve.ys.tolist()]
        assert repr(curve.xs.tolist()) == repr(xs)
        assert repr(drawn) == repr(ys)
        for x, since in (("time", began), ("wall", parse_time("1970-01-01T00:00:00.000000Z"))):
            timed = found.curve(metric, x)
            assert timed is not None
            assert timed.xs.tolist() == [(moment - since).total_seconds() for moment in created]


def load(reader: CurveReader) -> Measurements:
    return reader.load([EXPERIMENT])[EXPERIMENT]


numbers = st.one_of(st.floats(-5, 5), st.floats(), st.integers(), st.booleans(), st.just(10**400))
scalars = st.one_of(numbers, numbers, st.none(), st.text(max_size=3))
metrics = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(METRICS, scalars) | {"a": st.one_of(scalars, st.fixed_dictionaries({"b": scalars}))}
)
steps = st.one_of(st.integers(0, 30), st.integers(0, 30), st.none())
actions = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["log", "log", "checkpoint"]), st.integers(0, 2), metrics, steps),
        st.tuples(st.sampled_from(["seal", "again", "read", "copy", "delete"]), st.integers(0, 2), metrics, steps),
    ),
    max_size=30,
)


def act(script: Script, action: tuple[str, int, dict[str, Any], int | None]) -> None:
    name, session, values, step = action
    fields: dict[str, Any] = {"metrics": values} | ({} if step is None else {"step": step})
    if name in ("log", "checkpoint"):
        getattr(script, name)(session, **fields)
    elif name == "delete" and script.checkpoints:
        script.write(
            session, {"type": "delete", "checkpoints": [script.checkpoints[session % len(script.checkpoints)]]}
        )
    elif name == "copy" and script.checkpoints:
        # What staging delivered under other manifests.
        script.write(session, {"type": "checkpoint", "id": script.checkpoints[-1], "metrics": {"loss": 77.0}})
    elif name in ("seal", "again"):
        getattr(script, name)(session)


@given(actions)
@example([("log", 0, {"loss": 1.1e300}, None)])
def test_curves_are_those_that_are_plotted_however_the_journal_grew(
    tmp_path_factory: pytest.TempPathFactory, done: list[tuple[str, int, dict[str, Any], int | None]]
) -> None:
    script = Script(MemoryStore())
    growing = CurveReader(script.repository)
    cache = MeasurementCache(tmp_path_factory.mktemp("curves"), "test")
    for action in done:
        act(script, action)
        if action[0] == "read":
            load(growing)
            reader = CurveReader(script.repository, cache=cache)
            cache.save(EXPERIMENT, load(reader), reader._entries[EXPERIMENT].consumed)
    script.close()
    state = script.repository.load_experiment(EXPERIMENT)
    for reader in (growing, CurveReader(script.repository), CurveReader(script.repository, cache=cache)):
        assert_as_plotted(load(reader), state)


@pytest.fixture
def store(tmp_path: Path) -> RecordingStore:
    return RecordingStore(LocalStore(tmp_path / "repository"))


@pytest.fixture
def script(store: RecordingStore) -> Iterator[Script]:
    script = Script(store)
    yield script
    script.close()


@pytest.fixture
def cache(tmp_path: Path) -> MeasurementCache:
    return MeasurementCache(tmp_path / "curves", "test")


def write_long(script: Script, count: int = 600) -> None:
    for number in range(count):
        script.log(step=number, metrics={"loss": 1.0 / (number + 1), "acc": number / count})


def losses(found: Measurements) -> list[float]:
    curve = found.curve("loss")
    assert curve is not None
    return list(curve.ys)


def test_of_a_segment_that_grows_only_what_is_new_is_read(script: Script, store: RecordingStore) -> None:
    write_long(script)
    reader = CurveReader(script.repository)
    assert len(losses(load(reader))) == 600
    store.clear()
    assert len(losses(load(reader))) == 600
    assert store.bytes_read(JOURNALS) == 0
    script.log(step=600, metrics={"loss": -1.0})
    assert losses(load(reader))[-1] == -1.0
    assert 0 < store.bytes_read(JOURNALS) < 300
    script.seal()
    store.clear()
    assert len(losses(load(reader))) == 601
    assert store.bytes_read(JOURNALS) == 0


def test_what_was_read_once_is_read_from_the_cache_afterwards(
    script: Script, store: RecordingStore, cache: MeasurementCache
) -> None:
    write_long(script)
    script.seal()
    first = losses(load(CurveReader(script.repository, cache=cache)))
    store.clear()
    assert losses(load(CurveReader(script.repository, cache=cache))) == first
    assert store.bytes_read(JOURNALS) == 0


def test_only_the_columns_that_are_asked_for_are_loaded(script: Script, cache: MeasurementCache) -> None:
    write_long(script)
    load(CurveReader(script.repository, cache=cache))
    reader = CurveReader(script.repository, cache=cache)
    found = reader.load([EXPERIMENT], ["loss"])[EXPERIMENT]
    assert {name for name, column in found.columns.items() if column is not None} == {"loss"}
    assert len(losses(reader.load([EXPERIMENT], ["acc", "loss"])[EXPERIMENT])) == 600


def files_of(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


@pytest.mark.parametrize("place", [3, 13, 200, 12_000, -5])
def test_a_damaged_file_is_made_anew(script: Script, cache: MeasurementCache, tmp_path: Path, place: int) -> None:
    write_long(script, 1000)
    first = losses(load(CurveReader(script.repository, cache=cache)))
    (path,) = files_of(tmp_path / "curves")
    data = bytearray(path.read_bytes())
    data[place] ^= 0x40
    path.write_bytes(data)
    assert losses(load(CurveReader(script.repository, cache=cache))) == first


def test_a_file_that_is_gone_or_cut_while_columns_are_left_in_it_does_no_harm(
    script: Script, cache: MeasurementCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurementcache, "FIRST_BYTES", 1000)
    write_long(script)
    load(CurveReader(script.repository, cache=cache))
    (path,) = files_of(tmp_path / "curves")
    for change in (lambda: path.write_bytes(path.read_bytes()[:15000]), path.unlink):
        load(CurveReader(script.repository, cache=cache))
        reader = CurveReader(script.repository, cache=cache)
        reader.load([EXPERIMENT], ["loss"])
        change()
        found = reader.load([EXPERIMENT], ["loss", "acc"])[EXPERIMENT]
        assert len(found.curve("acc").ys) == 600  # type: ignore[union-attr]


def test_a_cache_that_cannot_be_written_is_no_trouble(script: Script, tmp_path: Path) -> None:
    (tmp_path / "curves").write_text("a file")
    write_long(script)
    reader = CurveReader(script.repository, cache=MeasurementCache(tmp_path / "curves", "test"))
    assert len(losses(load(reader))) == 600


def test_memory_is_bounded_and_what_was_let_go_is_read_again(script: Script, cache: MeasurementCache) -> None:
    write_long(script)
    other = Repository.open(script.store)
    writer = JournalWriter(script.store, "d" * 64, "5" * 32)
    writer.append({"type": "experiment", "time": time_text(1), "id": "d" * 64, "params": {}})
    writer.close()
    reader = CurveReader(other, cache=cache, memory_bytes=1)
    for _ in range(2):
        assert reader.load([EXPERIMENT, "d" * 64]).keys() == {EXPERIMENT, "d" * 64}
        assert list(reader._entries) == ["d" * 64]
    assert len(losses(load(reader))) == 600


def test_a_deleted_experiment_is_not_there(script: Script, tmp_path: Path) -> None:
    script.log(metrics={"loss": 1.0})
    reader = CurveReader(script.repository)
    load(reader)
    script.write(1, {"type": "delete"})
    assert reader.load([EXPERIMENT]) == {}
    assert reader.load(["f" * 64]) == {}
    with pytest.raises(NotFoundError):
        script.repository.load_experiment(EXPERIMENT)


def test_a_repository_that_was_put_back_to_an_earlier_state_is_read_anew(script: Script, tmp_path: Path) -> None:
    write_long(script, 10)
    reader = CurveReader(script.repository)
    load(reader)
    script.seal()
    load(reader)
    (path,) = files_of(tmp_path / "repository/journals")
    lines = path.read_bytes().splitlines(keepends=True)[:5]
    path.unlink()
    data = b"".join(lines)
    path.with_name(f"{path.name.rsplit('.', 2)[0]}.{len(data)}.jsonl").write_bytes(data)
    assert len(losses(load(reader))) == 4


def test_a_damaged_line_is_left_out(script: Script, tmp_path: Path) -> None:
    write_long(script, 10)
    (path,) = files_of(tmp_path / "repository/journals")
    path.write_bytes(path.read_bytes().replace(b'"step":3,', b'"step":4,'))
    assert len(losses(load(CurveReader(script.repository)))) == 9


def test_an_unfinished_line_is_read_when_it_is_whole(script: Script, tmp_path: Path) -> None:
    write_long(script, 3)
    (path,) = files_of(tmp_path / "repository/journals")
    data = path.read_bytes()
    reader = CurveReader(script.repository)
    path.write_bytes(data[:-20])
    assert len(losses(load(reader))) == 2
    path.write_bytes(data)
    assert len(losses(load(reader))) == 3


class OnlyAStore:
    """A store without directories, as a bucket is, whose segments the catalog keeps."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        if name == "list_level":
            raise AttributeError(name)
        return getattr(self.inner, name)


@pytest.mark.parametrize("has_directories", [True, False])
def test_the_catalog_says_which_segments_there_are(script: Script, tmp_path: Path, has_directories: bool) -> None:
    store = RecordingStore(script.store if has_directories else OnlyAStore(script.store))
    repository = Repository.open(store)
    catalogs = tmp_path / "catalogs"
    catalogs.mkdir()
    catalog = Catalog(repository, catalogs)
    write_long(script, 20)
    catalog.list_experiments()
    store.clear()
    reader = CurveReader(repository, catalog.path)
    assert len(losses(load(reader))) == 20
    assert store.count("list") == 0
    script.log(metrics={"loss": 5.0}, step=20)
    catalog.list_experiments()
    assert losses(load(reader))[-1] == 5.0
    script.write(0, {"type": "delete"})
    catalog.list_experiments()
    assert reader.load([EXPERIMENT]) == {}


def test_a_segment_that_could_not_be_read_is_asked_for_again(script: Script, tmp_path: Path) -> None:
    catalogs = tmp_path / "catalogs"
    catalogs.mkdir()
    write_long(script, 20)
    script.seal()
    script.log(1, metrics={"loss": 3.0})
    catalog = Catalog(script.repository, catalogs)
    catalog.list_experiments()
    (sealed,) = [path for path in files_of(tmp_path / "repository/journals") if ".open." not in path.name]
    data = sealed.read_bytes()
    sealed.unlink()
    reader = CurveReader(script.repository, catalog.path)
    assert reader.load([EXPERIMENT]) == {}
    sealed.write_bytes(data)
    assert len(losses(load(reader))) == 21


def test_a_metric_may_be_the_x_of_another_with_the_value_before(script: Script) -> None:
    script.log(metrics={"loss": 9.0})
    script.log(metrics={"tokens": 10})
    script.log(metrics={"loss": 1.0})
    script.log(metrics={"loss": 2.0, "tokens": 20})
    found = load(CurveReader(script.repository))
    curve = found.curve("loss", "metric:tokens")
    assert curve is not None
    assert repr(curve.xs.tolist()) == "[nan, 10.0, 20.0]"
    assert curve.ys.tolist() == [9.0, 1.0, 2.0]
    unknown = found.curve("loss", "metric:no")
    assert unknown is not None
    assert all(map(math.isnan, unknown.xs.tolist()))


def test_a_store_that_fails_halfway_loses_no_point(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    write_long(script, 20)
    script.seal()
    write_long(script, 20)
    script.close()
    reader = CurveReader(script.repository)
    get_range = script.store.get_range

    def fail_on_open(key: str, start: int, stop: int) -> bytes:
        if ".open." in key:
            raise ReadError("the network is gone")
        return get_range(key, start, stop)

    with monkeypatch.context() as context:
        context.setattr(script.store, "get_range", fail_on_open)
        with pytest.raises(ReadError):
            load(reader)
    assert len(losses(load(reader))) == 40


def test_many_charts_may_ask_at_once_while_the_experiment_goes_on(script: Script, cache: MeasurementCache) -> None:
    write_long(script, 200)
    reader = CurveReader(script.repository, cache=cache, memory_bytes=1)
    lengths: list[list[int]] = [[] for _ in range(6)]

    def ask(found: list[int], metric: str) -> None:
        for _ in range(20):
            measurements = reader.load([EXPERIMENT], [metric])[EXPERIMENT]
            curve = measurements.curve(metric)
            assert curve is not None
            assert curve.xs.tolist() == list(range(len(curve.xs)))
            found.append(len(curve.xs))

    threads = [
        threading.Thread(target=ask, args=(found, ("loss", "acc")[number % 2])) for number, found in enumerate(lengths)
    ]
    for thread in threads:
        thread.start()
    for step in range(200, 260):
        script.log(step=step, metrics={"loss": 0.1, "acc": 0.9})
    for thread in threads:
        thread.join()
    assert all(len(found) == 20 and found == sorted(found) for found in lengths)
    assert len(losses(load(reader))) == 260
