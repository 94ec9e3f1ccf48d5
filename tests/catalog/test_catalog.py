"""The catalog says what the journals say, whatever happens to either, and asks the store for little."""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepsake._catalog.catalog import Catalog, CatalogListing
from keepsake._catalog.query import Query
from keepsake._model.encoding import decode_json
from keepsake._model.events import ExperimentState
from keepsake._model.ids import new_id, new_session_id
from keepsake._model.keys import JOURNALS
from keepsake._repository.journal import JournalWriter, save_segment
from keepsake._repository.repository import Listing, Repository
from keepsake.errors import NotFoundError, StoreError
from keepsake.stores.around import Operation, StoreAround
from keepsake.stores.base import AppendStore, DirectoryStore, Store
from keepsake.stores.local import LocalStore
from keepsake.stores.memory import MemoryStore
from keepsake.testing import FaultyStore, RecordingStore
from tests.catalog.filters import NOW

LATER_NS = 10_000_000_000
"""By how much a catalog's clock is ahead, so that what was written just now counts as settled."""


def later() -> int:
    return time.time_ns() + LATER_NS


def time_text(number: int) -> str:
    return f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000000Z"


class Writer:
    """Writes experiments to a repository, event by event."""

    def __init__(self, store: AppendStore) -> None:
        self.store = store
        self.repository = Repository.open_or_create(store)[0]
        self.writers: dict[tuple[int, int], JournalWriter] = {}
        self.moment = 0

    def write(self, experiment: int, session: int, body: dict[str, Any]) -> None:
        self.moment += 1
        key = (experiment, session)
        if key not in self.writers:
            self.writers[key] = JournalWriter(self.store, f"{experiment:x}" * 64, f"{session:x}" * 32)
        self.writers[key].append(body | {"time": time_text(self.moment)})

    def begin(self, experiment: int, **params: Any) -> None:
        self.write(experiment, 0, {"type": "experiment", "id": f"{experiment:x}" * 64, "params": params})

    def checkpoint(self, experiment: int, session: int = 0, **metrics: Any) -> None:
        body = {"type": "checkpoint", "id": f"{self.moment:064x}"[::-1], "step": self.moment, "metrics": metrics}
        primary = {"primary_metric": {"name": "loss", "goal": "minimize"}} if "loss" in metrics else {}
        self.write(experiment, session, body | primary)

    def seal(self, experiment: int, session: int = 0) -> None:
        writer = self.writers.get((experiment, session))
        if writer is not None:
            with contextlib.suppress(NotFoundError):  # somebody removed it
                writer.seal()

    def close(self) -> None:
        for writer in self.writers.values():
            writer.close()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "catalogs"
    path.mkdir()
    return path


def facts(state: ExperimentState) -> dict[str, Any]:
    best, latest = state.best_checkpoint(), state.latest_checkpoint()
    head = (
        state.id,
        state.created["time"],
        state.created.get("params"),
        state.name,
        state.tags,
        state.notes,
        best,
        latest,
    )
    sessions = {session.id: session.stop for session in state.sessions.values()}
    history = (state.checkpoints, state.logs, state.deleted_checkpoints, state.last_time, dict(state.environment()))
    return {"head": repr(head), "sessions": sessions, "history": repr(history)}


def assert_same(found: CatalogListing, wanted: Listing) -> None:
    assert [facts(state) for state in found.experiments] == [facts(state) for state in wanted.experiments]
    told = sorted((key, type(error).__name__, str(error)) for key, error in found.problems)
    assert told == sorted((key, type(error).__name__, str(error)) for key, error in wanted.problems)


def damage(store: Store, key: str, how: int) -> None:
    """Replace an object by a damaged one, as a copy that went wrong would leave it."""
    data = store.get(key)
    middle = len(data) // 2
    ways = (
        data[:middle],
        data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :] if data else b"x",
        b"",
        data + b"{",
    )
    store.put(key, ways[how % len(ways)])


def copy_segment(store: Store, key: str) -> None:
    """Do what a push does for a moment: a published segment stands beside the open one, or beside a shorter one."""
    data = store.get(key)
    store.put(f"{key.rsplit('.', 2)[0]}.{len(data)}.jsonl", data)


EVENTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "begin": lambda number: {"type": "experiment", "params": {"lr": number}},
    "log": lambda number: {"type": "log", "metrics": {"loss": number}},
    "name": lambda number: {"type": "annotate", "name": f"name {number}", "tags": ["x"] * (number % 3)},
    "stop": lambda number: {"type": "stop", "status": "finished" if number % 2 else "failed"},
    "delete": lambda number: {"type": "delete"} | ({} if number > 6 else {"checkpoints": [f"{number:064x}"[::-1]]}),
}
STEPS = st.tuples(
    st.sampled_from((*EVENTS, "checkpoint", "seal", "damage", "remove", "copy")),
    st.integers(0, 3),
    st.integers(0, 2),
    st.integers(0, 9),
)


def take_step(writer: Writer, kind: str, experiment: int, session: int, number: int) -> None:
    keys = sorted(info.key for info in writer.store.list(JOURNALS))
    key = keys[number % len(keys)] if keys else None
    if kind in EVENTS:
        writer.write(experiment, session, EVENTS[kind](number))
    elif kind == "checkpoint":
        writer.checkpoint(experiment, session, **({"loss": number / 7} if number % 3 else {"other": number}))
    elif kind == "seal":
        writer.seal(experiment, session)
    elif key is not None and kind == "damage":
        damage(writer.store, key, number)
    elif key is not None and kind == "remove":
        writer.store.delete(key)
    elif key is not None:
        copy_segment(writer.store, key)


@pytest.mark.parametrize("on_disk", [False, True])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    steps=st.lists(STEPS, max_size=25), look=st.sets(st.integers(0, 24)), clock=st.sampled_from((later, time.time_ns))
)
def test_a_listing_through_the_catalog_is_that_without_it(
    tmp_path: Path, on_disk: bool, steps: list[tuple[str, int, int, int]], look: set[int], clock: Callable[[], int]
) -> None:
    work = tmp_path / str(time.time_ns())
    (work / "catalogs").mkdir(parents=True)
    writer = Writer(LocalStore(work / "repository") if on_disk else MemoryStore())
    try:
        for place, (kind, experiment, session, number) in enumerate(steps):
            take_step(writer, kind, experiment, session, number)
            if on_disk and clock is later:
                _set_back(work / "repository" / "journals")
            if place in look:
                catalog = Catalog(writer.repository, work / "catalogs", clock=clock)
                assert_same(catalog.list_experiments(), writer.repository.list_experiments())
        for path in (work / "catalogs", None):
            assert_same(Catalog(writer.repository, path).list_experiments(), writer.repository.list_experiments())
    finally:
        writer.close()


def _set_back(journals: Path) -> None:
    """Wait until the file system gives the next change another time than the last one."""
    if journals.exists():
        probe = journals.parent / "probe"
        before = journals.stat().st_ctime_ns
        newest = max([before, *(path.stat().st_ctime_ns for path in journals.iterdir())])
        probe.touch()
        while probe.stat().st_mtime_ns <= newest:
            probe.touch()


@pytest.fixture(params=["disk", "memory"])
def recorded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[RecordingStore, Writer]]:
    store = RecordingStore(LocalStore(tmp_path / "repository") if request.param == "disk" else MemoryStore())
    writer = Writer(store)
    for number in range(1, 15):
        writer.begin(number, lr=number / 10)
        writer.checkpoint(number, loss=1.0 / number)
        writer.write(number, 0, {"type": "stop", "status": "finished"})
        writer.seal(number)
    store.clear()
    yield store, writer
    writer.close()


def test_a_first_listing_reads_each_segment_once_and_a_second_one_none(
    recorded: tuple[RecordingStore, Writer], directory: Path
) -> None:
    store, writer = recorded
    for reads in (14, 0, 0):
        store.clear()
        assert len(Catalog(writer.repository, directory, clock=later).list_experiments().experiments) == 14
        assert store.count("get") == reads


def test_after_one_experiment_changed_one_object_is_read(
    recorded: tuple[RecordingStore, Writer], directory: Path
) -> None:
    store, writer = recorded
    Catalog(writer.repository, directory, clock=later).list_experiments()
    writer.begin(15)
    _wait_for_settled(store)
    Catalog(writer.repository, directory, clock=later).list_experiments()
    for _ in range(3):
        store.clear()
        writer.checkpoint(15, loss=0.5)
        Catalog(writer.repository, directory, clock=later).list_experiments()
        assert [one.key for one in store.select("get")] == [f"{JOURNALS}ff/{'f' * 64}.{'0' * 32}.0.open.jsonl"]


def test_of_an_experiment_in_a_bucket_only_the_new_segment_is_read(directory: Path) -> None:
    store = RecordingStore(MemoryStore())
    writer = Writer(store)
    writer.begin(1)
    writer.seal(1)
    Catalog(writer.repository, directory).list_experiments()
    for session in (1, 2, 3):
        store.clear()
        writer.write(1, session, {"type": "annotate", "name": f"name {session}"})
        (state,) = Catalog(writer.repository, directory).list_experiments().experiments
        assert state.name == f"name {session}"
        assert (store.count("list"), store.count("get")) == (1, 1)


def _wait_for_settled(store: RecordingStore) -> None:
    inner = store.store
    if isinstance(inner, LocalStore):
        _set_back(inner.root / "journals")


def test_directories_that_have_not_changed_are_not_listed_again(tmp_path: Path, directory: Path) -> None:
    store = RecordingStore(LocalStore(tmp_path / "repository"))
    writer = Writer(store)
    for number in range(1, 15):
        writer.begin(number)
        writer.seal(number)
    catalog = Catalog(writer.repository, directory, clock=later)
    catalog.list_experiments()
    _wait_for_settled(store)
    store.clear()
    catalog.list_experiments()
    assert (store.count("list_level"), store.count("list"), store.count("head"), store.count("get")) == (1, 0, 0, 0)
    writer.begin(15)  # in a directory of its own
    store.clear()
    catalog.list_experiments()
    assert [operation.key for operation in store.select("list")] == [f"{JOURNALS}ff/"]
    store.clear()
    catalog.list_experiments()
    assert (store.count("list"), store.count("head"), store.count("get")) == (0, 1, 0)
    writer.close()


def test_a_directory_that_has_just_changed_is_listed_again(tmp_path: Path, directory: Path) -> None:
    store = RecordingStore(LocalStore(tmp_path / "repository"))
    writer = Writer(store)
    writer.begin(1)
    writer.seal(1)
    for _ in range(2):
        store.clear()
        Catalog(writer.repository, directory).list_experiments()
        assert store.count("list") == 1


def test_only_what_is_looked_at_is_decoded_and_nothing_is_asked_of_a_bucket_for_it(directory: Path) -> None:
    store = RecordingStore(MemoryStore())
    writer = Writer(store)
    for number in range(1, 9):
        writer.begin(number)
        writer.checkpoint(number, loss=1.0)
        writer.seal(number)
    listing = Catalog(writer.repository, directory).list_experiments()
    store.clear()
    assert [state.best_checkpoint() is not None for state in listing.experiments] == [True] * 8
    assert [len(state.checkpoints) for state in listing.experiments] == [1] * 8
    assert store.operations == []


def test_what_is_asked_again_after_a_deletion_says_so(tmp_path: Path, directory: Path) -> None:
    writer = Writer(LocalStore(tmp_path / "repository"))
    writer.begin(1)
    writer.seal(1)
    (state,) = Catalog(writer.repository, directory).list_experiments().experiments
    shutil.rmtree(tmp_path / "repository" / "journals")
    assert state.created["params"] == {}
    with pytest.raises(NotFoundError):
        _ = state.checkpoints


def test_a_listed_state_can_be_pickled_whole(tmp_path: Path, directory: Path) -> None:
    writer = Writer(LocalStore(tmp_path / "repository"))
    writer.begin(1, lr=1)
    writer.checkpoint(1, loss=1)
    writer.seal(1)
    (state,) = Catalog(writer.repository, directory).list_experiments().experiments
    copied = pickle.loads(pickle.dumps(state))
    shutil.rmtree(tmp_path / "repository")
    assert type(copied) is ExperimentState
    assert facts(copied) == facts(state)


def test_the_newest_are_listed_oldest_first_and_of_a_sorted_listing_the_first(directory: Path) -> None:
    writer = Writer(MemoryStore())
    for number, lr in enumerate((5, 1, 4, 2, 3), start=1):
        writer.begin(number, lr=lr)
    catalog = Catalog(writer.repository, directory)

    def lrs(*filters: str, sort: str | None = None, limit: int | None = None) -> list[int]:
        query = Query.parse(filters, sort, NOW) if filters or sort else None
        states = catalog.list_experiments(query, limit=limit).experiments
        return [state.created["params"]["lr"] for state in states]

    assert lrs(limit=2) == [2, 3]
    assert lrs("lr > 1", limit=2) == [2, 3]
    assert lrs(sort="lr", limit=2) == [1, 2]
    assert lrs("lr < 5", sort="lr-desc", limit=2) == [4, 3]
    assert lrs(limit=99) == lrs() == [5, 1, 4, 2, 3]


def test_a_name_that_nothing_has_is_reported_with_the_nearest(directory: Path) -> None:
    writer = Writer(MemoryStore())
    catalog = Catalog(writer.repository, directory)
    query = Query.parse(["learning_rat < 1 and status = lost"], None, NOW)
    assert catalog.list_experiments(query).unknown == []
    writer.begin(1, learning_rate=1)
    assert catalog.list_experiments(query).unknown == [("learning_rat", ["learning_rate"])]


def test_the_status_is_what_is_said_of_unfinished_experiments(directory: Path) -> None:
    writer = Writer(MemoryStore())
    for number in (1, 2, 3):
        writer.begin(number)
    writer.write(3, 0, {"type": "stop", "status": "failed"})
    asked: list[dict[str, Any]] = []

    def find_running(sessions: Any) -> set[str]:
        asked.append(dict(sessions))
        return {"1" * 64}

    def ids(text: str) -> list[str]:
        query = Query.parse([text], None, NOW)
        listing = Catalog(writer.repository, directory).list_experiments(query, find_running=find_running)
        return [state.id[0] for state in listing.experiments]

    assert ids("status = running") == ["1"]
    assert asked == [{"1" * 64: ["0" * 32], "2" * 64: ["0" * 32]}]
    assert ids("status = stopped") == ["2", "3"]
    assert ids("status = lost") == ["2"]
    assert ids("status in (failed, running)") == ["1", "3"]
    assert ids("created > 2026-01-01T00:00Z") == ["1", "2", "3"]
    assert len(asked) == 4


def ruin_bytes(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for place in range(4096, len(data), 97):
        data[place] ^= 0xFF
    path.write_bytes(data)


def ruin_columns(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE runs SET data = x'7b7d'")
        connection.execute("UPDATE heads SET head = x'7b7d'")


def ruin_rows(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM heads")


def ruin_tables(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE directories")


def ruin_identity(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE identity SET repository = 'another'")


RUINS: list[Callable[[Path], object]] = [
    ruin_bytes,
    ruin_columns,
    ruin_rows,
    ruin_tables,
    ruin_identity,
    lambda path: path.write_bytes(b"this is no database" * 1000),
    lambda path: path.write_bytes(b""),
    lambda path: os.truncate(path, 4096),
    lambda path: path.unlink(),
]


@pytest.mark.parametrize("ruin", RUINS)
def test_a_catalog_that_is_ruined_is_made_anew(tmp_path: Path, directory: Path, ruin: Callable[[Path], object]) -> None:
    writer = Writer(LocalStore(tmp_path / "repository"))
    for number in range(1, 9):
        writer.begin(number, lr=number)
        writer.checkpoint(number, loss=number)
        writer.seal(number)
    catalog = Catalog(writer.repository, directory, clock=later)
    catalog.list_experiments()
    assert catalog.path is not None
    with contextlib.closing(sqlite3.connect(catalog.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ruin(catalog.path)
    query = Query.parse(["lr > 4 and best.loss > 5"], "lr-desc", NOW)
    assert [state.id[0] for state in catalog.list_experiments(query).experiments] == ["8", "7", "6"]
    assert_same(catalog.list_experiments(), writer.repository.list_experiments())
    assert catalog.path.exists()


def test_a_directory_that_cannot_be_written_is_done_without(tmp_path: Path, directory: Path) -> None:
    writer = Writer(LocalStore(tmp_path / "repository"))
    writer.begin(1)
    writer.seal(1)
    for wrong in (tmp_path / "absent" / "directory", tmp_path / "repository" / "repository.json"):
        assert_same(Catalog(writer.repository, wrong).list_experiments(), writer.repository.list_experiments())


def test_a_catalog_that_is_locked_is_done_without(
    tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepsake._catalog.database.BUSY_TIMEOUT_S", 0.05)
    writer = Writer(LocalStore(tmp_path / "repository"))
    writer.begin(1)
    catalog = Catalog(writer.repository, directory)
    catalog.list_experiments()
    writer.begin(2)
    assert catalog.path is not None
    with contextlib.closing(sqlite3.connect(catalog.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert_same(catalog.list_experiments(), writer.repository.list_experiments())
        other.execute("ROLLBACK")
    assert catalog.path.exists()
    writer.close()


def test_a_store_that_fails_raises_and_leaves_the_catalog_as_it_was(directory: Path) -> None:
    inner = MemoryStore()
    writer = Writer(inner)
    writer.begin(1)
    writer.seal(1)
    Catalog(writer.repository, directory).list_experiments()
    writer.begin(2)
    writer.begin(3)
    failing = FaultyStore(inner)
    failing.fail("get", times=None)
    with pytest.raises(StoreError):
        Catalog(Repository(failing, writer.repository.id), directory).list_experiments()
    assert_same(Catalog(writer.repository, directory).list_experiments(), writer.repository.list_experiments())


def test_copies_of_a_repository_have_catalogs_of_their_own(tmp_path: Path, directory: Path) -> None:
    writer = Writer(LocalStore(tmp_path / "one"))
    writer.begin(1)
    writer.seal(1)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    other = Repository.open(LocalStore(tmp_path / "two"))
    writer.begin(2)
    for repository, count in ((writer.repository, 2), (other, 1), (writer.repository, 2)):
        assert len(Catalog(repository, directory).list_experiments().experiments) == count
    assert len(list(directory.glob("*.sqlite"))) == 2
    writer.close()


_READER = """
import sys
from pathlib import Path
from keepsake._catalog.catalog import Catalog
from keepsake._repository.repository import Repository
from keepsake.stores.local import LocalStore
repository = Repository.open(LocalStore(sys.argv[1]))
counts = [len(Catalog(repository, Path(sys.argv[2])).list_experiments().experiments) for _ in range(40)]
assert counts == sorted(counts), counts
"""


def test_several_processes_use_it_while_others_write(tmp_path: Path, directory: Path) -> None:
    root = tmp_path / "repository"
    writer = Writer(LocalStore(root))
    readers = [
        subprocess.Popen([sys.executable, "-c", _READER, str(root), str(directory)], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for number in range(1, 200):
        writer.write(number, 0, {"type": "experiment"}) if number < 16 else writer.checkpoint(number % 15 + 1, loss=1.0)
    writer.close()
    for reader in readers:
        _, errors = reader.communicate(timeout=60)
        assert reader.returncode == 0, errors
    assert_same(Catalog(writer.repository, directory).list_experiments(), writer.repository.list_experiments())
    assert isinstance(writer.store, DirectoryStore)


def test_a_segment_where_none_belongs_is_treated_as_without_a_catalog(tmp_path: Path, directory: Path) -> None:
    root = tmp_path / "repository"
    writer = Writer(LocalStore(root))
    writer.begin(1)
    writer.seal(1)
    catalog = Catalog(writer.repository, directory, clock=later)
    for place in ("", "zz/", "11/deeper/"):
        catalog.list_experiments()
        path = root / "journals" / place / f"{'2' * 64}.{'0' * 32}.0.5.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"wrong")
        for _ in range(2):
            assert_same(catalog.list_experiments(), writer.repository.list_experiments())
        path.unlink()
        assert_same(catalog.list_experiments(), writer.repository.list_experiments())


def test_facts_of_odd_types_do_not_hide_the_other_experiments(directory: Path) -> None:
    store = MemoryStore()
    writer = Writer(store)
    writer.begin(1)
    odd = {"params": [1], "environment": "none", "project": {"a": 1}, "name": 7, "path": None}
    writer.write(2, 0, {"type": "experiment"} | odd)
    writer.write(2, 0, {"type": "checkpoint", "id": 5, "metrics": [1], "primary_metric": "loss"})
    writer.write(2, 0, {"type": "checkpoint", "primary_metric": {"name": 3}, "step": {}, "metrics": {"loss": {}}})
    for query in (None, Query.parse(["params.lr is null", "name != x"], "project,loss,duration", NOW)):
        assert len(Catalog(writer.repository, directory).list_experiments(query).experiments) == 2


def test_journals_are_fetched_many_at_once_from_beyond_a_network(tmp_path: Path) -> None:
    under_way = most = 0
    lock = threading.Lock()

    class Remote(StoreAround):
        def choose_concurrency(self) -> int:
            return 4

        def perform(self, operation: Operation, act: Callable[[], Any]) -> Any:
            nonlocal under_way, most
            with lock:
                under_way += 1
                most = max(most, under_way)
            try:
                if operation.name == "get":
                    time.sleep(0.02)
                return act()
            finally:
                with lock:
                    under_way -= 1

    inner = MemoryStore()
    repository = Repository.open_or_create(inner)[0]
    for _ in range(40):
        save_segment(inner, new_id(), new_session_id(), {"type": "experiment", "time": "2026-01-01T00:00:00.000000Z"})
    catalog = Catalog(Repository(Remote(inner), repository.id), tmp_path)
    assert len(catalog.list_experiments().experiments) == 40
    assert 16 < most <= 32


def test_of_what_was_only_logged_a_listing_decodes_the_last_line_and_says_the_same(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(MemoryStore())
    writer.begin(1, lr=0.1)
    for number in range(50):
        writer.write(1, number % 2, {"type": "log", "metrics": {"loss": number}, "step": number})
        if number == 30:
            writer.checkpoint(1, loss=0.5)
    writer.close()
    decoded: list[int] = []

    def count_logs(data: bytes) -> dict[str, Any]:
        decoded.append(data.count(b'"log"'))
        return decode_json(data)

    monkeypatch.setattr("keepsake._model.lines.decode_json", count_logs)
    listing = Catalog(writer.repository, directory).list_experiments()
    assert decoded == [1, 1]
    monkeypatch.undo()
    assert_same(listing, writer.repository.list_experiments())


def test_of_a_long_experiment_that_goes_on_sealed_segments_are_read_once(directory: Path, tmp_path: Path) -> None:
    store = RecordingStore(LocalStore(tmp_path / "repository"))
    writer = Writer(store)
    writer.begin(1)
    for _ in range(3):
        for number in range(100):
            writer.write(1, 0, {"type": "log", "metrics": {"loss": number}, "step": number})
        writer.checkpoint(1, loss=0.5)
        writer.seal(1)
    catalog = Catalog(writer.repository, directory, clock=later)
    writer.write(1, 0, {"type": "log", "metrics": {"loss": 1.0}})
    catalog.list_experiments()
    store.clear()
    writer.write(1, 0, {"type": "log", "metrics": {"loss": 2.0}})
    listing = catalog.list_experiments()
    assert store.count("get", JOURNALS) == 1
    assert_same(listing, writer.repository.list_experiments())
    writer.seal(1)
    writer.close()
    assert_same(catalog.list_experiments(), writer.repository.list_experiments())
