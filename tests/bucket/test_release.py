"""What leaves staging once it is delivered, and what stays."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

import keepsake
from keepsake._model.keys import CHUNKS, INTENTS, JOURNALS, MANIFESTS
from keepsake._tracking import release
from keepsake._tracking.release import release_delivered
from keepsake.directories import lock_directory
from tests.bucket.places import bucket, content, staged_keys, staging
from tests.durability.scripts import run_script

pytestmark = pytest.mark.usefixtures("project")


def count(prefix: str) -> int:
    return sum(1 for _ in staging().store.list(prefix))


def test_of_a_session_that_goes_on_the_newest_checkpoint_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "YOUNG_S", 0.0)
    experiment = keepsake.init()
    for step in range(3):
        Path("weights").write_bytes(content(step))
        experiment.checkpoint(path="weights")
    keepsake.wait()
    assert count(CHUNKS) == 3
    assert release_delivered(staging(), bucket(), lock_directory()) >= 600_000
    assert (count(CHUNKS), count(JOURNALS)) == (1, 1)
    Path("weights").write_bytes(content(0))
    experiment.checkpoint(path="weights")
    experiment.stop()
    assert [one.open("weights").read() for one in experiment.checkpoints] == [content(one) for one in (0, 1, 2, 0)]
    assert keepsake.Project().check().problems == []


def test_what_was_not_delivered_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "YOUNG_S", 0.0)
    experiment = keepsake.init()
    Path("weights").write_bytes(content(0))
    experiment.checkpoint(path="weights")
    keepsake.wait()
    for step in (1, 2):
        Path("weights").write_bytes(content(step))
        experiment.checkpoint(path="weights")
    release_delivered(staging(), bucket(), lock_directory())
    assert (count(CHUNKS), count(JOURNALS)) == (2, 1)
    keepsake.wait()
    assert [one.open("weights").read() for one in experiment.checkpoints] == [content(one) for one in range(3)]


def test_what_was_deleted_in_the_bucket_leaves_staging() -> None:
    experiment = keepsake.init()
    Path("weights").write_bytes(content(0))
    experiment.checkpoint(path="weights")
    keepsake.experiments.get(experiment.id).delete()
    experiment._writing_session().discard()
    keepsake.Project().deliver()
    assert (count(CHUNKS), count(JOURNALS)) == (0, 0)
    assert list(keepsake.experiments.list()) == []


def test_what_a_session_announced_before_it_was_killed_leaves_staging() -> None:
    script = """
        import os, signal
        import keepsake
        from keepsake._tracking import session
        save_with_intent = session.save_with_intent
        def die_after_saving(*args):
            save_with_intent(*args)
            os.kill(os.getpid(), signal.SIGKILL)
        experiment = keepsake.init()
        with open("weights", "wb") as file:
            file.write(os.urandom(300_000))
        session.save_with_intent = die_after_saving
        experiment.checkpoint(path="weights")
    """
    code, _, _ = run_script(script)
    assert code == -signal.SIGKILL
    assert (count(CHUNKS), count(MANIFESTS), count(INTENTS)) == (1, 1, 1)
    keepsake.Project().deliver()
    assert staged_keys() == set()
    assert count(INTENTS) == 0
