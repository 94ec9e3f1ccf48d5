"""Times of experiments and checkpoints: aware and local, and comparable with naive ones."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

import keepsake
from tests.api.runs import make_run, only_experiment


@pytest.fixture(autouse=True, params=["UTC", "Asia/Kolkata", "America/New_York"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name: str = request.param
    with monkeypatch.context() as patch:
        patch.setenv("TZ", name)
        time.tzset()
        yield name
    time.tzset()


def test_created_is_aware_and_in_local_time() -> None:
    make_run()
    experiment = only_experiment()
    for created in (experiment.created, experiment.checkpoints[0].created):
        assert created.tzinfo is not None
        assert created.utcoffset() == datetime.now().astimezone().utcoffset()
        assert str(created).startswith(created.astimezone().strftime("%Y-%m-%d %H:%M:%S"))


def test_a_naive_datetime_counts_as_local_when_it_is_compared() -> None:
    before = datetime.now()
    make_run()
    after = datetime.now()
    experiment = only_experiment()
    for created in (experiment.created, experiment.checkpoints[-1].created):
        assert before <= created <= after
        assert not created < before
        assert not created > after
        assert after >= created >= before
        assert created == created.replace(tzinfo=None)
        assert created != before - timedelta(1)
        assert timedelta(0) <= created - before < timedelta(minutes=1)


def test_old_filters_with_naive_datetimes_work() -> None:
    make_run()
    yesterday = datetime.now() - timedelta(days=1)
    assert len(keepsake.experiments.list(lambda exp: exp.created > yesterday)) == 1
    assert len(keepsake.experiments.list(lambda exp: exp.created < yesterday)) == 0
    assert len(keepsake.experiments.list(lambda exp: yesterday < exp.created)) == 1
    assert len(keepsake.experiments.list(lambda exp: datetime.now() - exp.created < timedelta(hours=1))) == 1


def test_an_aware_datetime_of_another_zone_compares_by_the_moment() -> None:
    make_run()
    created = only_experiment().created
    elsewhere = created.astimezone(timezone(timedelta(hours=9)))
    assert created == elsewhere
    assert created - elsewhere == timedelta(0)
    assert created < elsewhere + timedelta(microseconds=1)


def test_times_can_be_copied_shifted_and_formatted() -> None:
    created = make_run().created
    assert pickle.loads(pickle.dumps(created)) == created
    assert created + timedelta(days=1) > created
    assert f"{created:%Y}" == str(created.year)
    assert created.isoformat().endswith(created.strftime("%z")[:3] + ":" + created.strftime("%z")[3:])
    assert len({created, created}) == 1
