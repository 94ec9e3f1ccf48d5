"""Check: it counts what it looks at, tells how far it is, and finds events that are gone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import keepsake
from keepsake import Project
from keepsake._model.keys import CHUNKS, JOURNALS, MANIFESTS, parse_segment_key
from keepsake._repository.check import CheckReport, Touched, check_repository
from keepsake._repository.repository import Repository
from keepsake._tracking.ending import tracked
from keepsake.stores.local import LocalStore


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Two experiments with three checkpoints of 3 MB, two of them alike."""
    monkeypatch.chdir(tmp_path)
    contents = [os.urandom(3_000_000), os.urandom(3_000_000)]
    for count in (2, 1):
        with keepsake.init(quiet=True) as experiment:
            for number in range(count):
                (tmp_path / "weights").write_bytes(contents[number])
                experiment.checkpoint(path="weights")
                experiment.log(number=number)
    assert tracked() == []
    return Repository.open(LocalStore(tmp_path / ".keepsake"))


def test_a_report_counts_what_was_looked_at(repository: Repository) -> None:
    report = check_repository(repository)
    assert report.is_clean
    assert (report.experiments, report.checkpoints) == (2, 3)
    assert report.manifests == len(list(repository.store.list(MANIFESTS))) == 2
    assert report.chunks == len(list(repository.store.list(CHUNKS)))
    assert report.chunk_bytes == 6_000_000
    assert Project().check().chunk_bytes == 6_000_000


@pytest.mark.parametrize("threads", [1, 4])
def test_progress_goes_from_one_to_all_chunks(repository: Repository, threads: int) -> None:
    told: list[tuple[int, int]] = []
    report = check_repository(repository, threads=threads, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(number, report.chunks) for number in range(1, report.chunks + 1)]


def test_it_changes_nothing(repository: Repository) -> None:
    before = sorted((info.key, info.tag) for info in repository.store.list())
    check_repository(repository)
    assert sorted((info.key, info.tag) for info in repository.store.list()) == before


def test_an_empty_repository_is_clean(tmp_path: Path) -> None:
    made, _ = Repository.open_or_create(LocalStore(tmp_path))
    assert check_repository(made) == CheckReport()


def test_events_that_are_gone_are_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with keepsake.init(quiet=True) as experiment:
        for number in range(800):
            experiment.log(note="x" * 1000, number=number)
    store = LocalStore(tmp_path / ".keepsake")
    names = [parse_segment_key(info.key) for info in store.list(JOURNALS)]
    (middle,) = (name for name in names if name is not None and name.number == 1)
    lost = store.get(middle.key).count(b"\n")
    store.delete(middle.key)
    (problem,) = check_repository(Repository.open(store)).problems
    assert f"{lost} of the 802 events" in problem.message
    assert experiment.id in problem.key


def test_every_checkpoint_that_shares_a_damaged_chunk_is_named(repository: Repository) -> None:
    experiments = repository.list_experiments().experiments
    first, _ = experiments[0].checkpoints
    (again,) = experiments[1].checkpoints
    assert first["manifests"] == again["manifests"]
    chunk = sorted(repository.load_manifest(first["manifests"][0]).digests())[0]
    repository.store.delete(f"chunks/{chunk[:2]}/{chunk}")
    (problem,) = check_repository(repository).problems
    assert problem.message == "it is missing"
    assert {one.checkpoint_id for one in problem.touches} == {first["id"], again["id"]}
    assert {str(one) for one in problem.touches} == {
        f"weights of checkpoint {body['id'][:7]} (step 0) of experiment {state.id[:7]}"
        for state, body in ((experiments[0], first), (experiments[1], again))
    }


def test_what_is_touched_is_described_in_a_line() -> None:
    whole = Touched("e" * 64, None, None, ())
    assert str(whole) == "all files of experiment eeeeeee"
    many = Touched("e" * 64, "c" * 64, 3, ("a", "b", "c", "d", "e"))
    assert str(many) == "a, b, c and 2 more of checkpoint ccccccc (step 3) of experiment eeeeeee"
