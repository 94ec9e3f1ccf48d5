"""What leaves staging once it is delivered, and what stays."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

import keepsake
from keepsake._model.keys import CHUNKS, INTENTS, JOURNALS, MANIFESTS, digest_of_key
from keepsake._repository.push import push
from keepsake._repository.repository import Repository
from keepsake._tracking import delivery, session, writer
from keepsake._tracking.attempts import Attempts
from keepsake._tracking.errands import Errands, Request
from keepsake._tracking.instructions import Instructions
from keepsake._tracking.recovery import append_event, settle_dead_sessions
from keepsake._tracking.release import release_delivered
from keepsake.directories import lock_directory
from tests.bucket.places import bucket, content, staged_keys, staging
from tests.durability.scripts import run_script

pytestmark = pytest.mark.usefixtures("project")


def count(prefix: str) -> int:
    return sum(1 for _ in staging().store.list(prefix))


def test_of_a_session_that_goes_on_the_newest_checkpoint_stays() -> None:
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


def test_what_was_not_delivered_stays() -> None:
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


def test_what_was_delivered_since_the_last_release_leaves_staging_while_nothing_more_is_saved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    experiment = keepsake.init()
    place = keepsake.Project().find_place()
    instructions = Instructions(place.store.url, place.store.url, place.locks, place.staging, deliver_s=0.0)
    errands = Errands(bucket(), instructions, Attempts(print), print)
    for step in range(3):
        Path("weights").write_bytes(content(step))
        experiment.checkpoint(path="weights")
        errands.perform(Request())
    assert count(CHUNKS) == 3
    monkeypatch.setattr(delivery, "RELEASE_INTERVAL_S", 0.0)
    monkeypatch.setattr(delivery, "RELEASE_SHARE", 1e9)
    errands.perform(Request())
    assert count(CHUNKS) == 1


@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize(
    ("module", "name", "is_before"),
    [(Repository, "save_manifest", True), (session, "save_with_intent", False), (writer, "drop_intent", True)],
    ids=["captured", "announced", "written"],
)
def test_a_session_loses_nothing_of_which_it_finds_a_part_that_is_then_released(
    module: Any, name: str, is_before: bool, is_full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = keepsake.init()
    Path("files").mkdir()
    for step in range(2):
        Path("files/weights").write_bytes(content(step))
        experiment.checkpoint(path="files")
    keepsake.wait()
    freed_bytes: list[int] = []
    act = getattr(module, name)

    def act_and_release(*args: Any, **options: Any) -> Any:
        result = None if is_before else act(*args, **options)
        if not freed_bytes:
            freed_bytes.append(release_delivered(staging(), bucket(), lock_directory(), is_full=is_full))
        return act(*args, **options) if is_before else result

    Path("files/weights").write_bytes(content(0))
    Path("files/more").write_bytes(content(2))
    with monkeypatch.context() as patch:
        patch.setattr(module, name, act_and_release)
        experiment.checkpoint(path="files")
    assert freed_bytes != []
    (digest,) = staging().load_experiment(experiment.id).checkpoints[-1]["manifests"]
    there = {digest_of_key(info.key) for info in staging().store.list(CHUNKS)}
    assert staging().load_manifest(digest).digests() <= there
    experiment.stop()
    last = experiment.checkpoints[-1]
    assert [last.open(f"files/{one}").read() for one in ("weights", "more")] == [content(0), content(2)]
    assert keepsake.Project().check().problems == []


def test_beside_a_session_only_want_of_room_takes_what_is_being_saved() -> None:
    experiment = keepsake.init()
    Path("weights").write_bytes(content(0))
    experiment.checkpoint(path="weights")
    keepsake.wait()
    saving = staging().chunks.put(content(1))
    release_delivered(staging(), bucket(), lock_directory())
    assert staging().chunks.is_known(saving)
    release_delivered(staging(), bucket(), lock_directory(), is_full=True)
    assert count(CHUNKS) == 0


def test_what_a_session_of_another_machine_may_be_saving_stays_also_for_want_of_room() -> None:
    experiment = keepsake.init()
    Path("weights").write_bytes(content(0))
    experiment.checkpoint(path="weights")
    keepsake.wait()
    saving = staging().chunks.put(content(1))
    (held,) = lock_directory().glob("*.lock")
    elsewhere = held.rename(held.with_name("elsewhere"))
    release_delivered(staging(), bucket(), lock_directory(), is_full=True)
    assert count(CHUNKS) == 1, "what was delivered has gone"
    assert staging().chunks.is_known(saving)
    elsewhere.rename(held)


KILLED = """
    import os, signal
    import keepsake
    experiment = keepsake.init()
    with open("weights", "wb") as file:
        file.write(os.urandom(300_000))
    experiment.checkpoint(path="weights")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_offline_session_that_was_killed_leaves_staging_with_all_that_was_delivered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEEPSAKE_MODE", "offline")
    code, _, _ = run_script(KILLED)
    assert code == -signal.SIGKILL
    keepsake.init().stop()  # which sees to the dead one
    assert list(lock_directory().glob("*.lock")) == []
    monkeypatch.delenv("KEEPSAKE_MODE")
    keepsake.Project().deliver()
    assert staged_keys() == set()
    assert sorted(one.status for one in keepsake.experiments.list()) == ["finished", "lost"]


def test_a_session_that_the_bucket_knows_to_be_lost_leaves_staging() -> None:
    code, _, _ = run_script(KILLED)
    assert code == -signal.SIGKILL
    place = keepsake.Project().find_place()
    push(staging(), bucket())  # as a courier that dies before it releases anything
    settle_dead_sessions(bucket(), place.locks)
    assert list(lock_directory().glob("*.lock")) == []
    assert count(CHUNKS) == 1
    keepsake.Project().deliver()
    assert staged_keys() == set()


def test_a_session_of_another_machine_that_is_not_lost_stays() -> None:
    experiment = keepsake.init()
    Path("weights").write_bytes(content(0))
    experiment.checkpoint(path="weights")
    keepsake.wait()
    (held,) = lock_directory().glob("*.lock")
    held.rename(held.with_name("elsewhere"))
    mark = {"type": "stop", "status": "lost", "session": experiment._writing_session().id, "events": 1}
    append_event(staging().store, experiment.id, mark, after="")
    keepsake.Project().deliver()
    assert (count(CHUNKS), count(JOURNALS)) == (1, 2)
