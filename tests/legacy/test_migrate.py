from __future__ import annotations

import contextlib
import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

import keepsake
from keepsake._chunks.codec import Codec, codec_of
from keepsake._model.keys import GARBAGE, INTENTS
from keepsake._repository import migrate as migration
from keepsake._repository.check import check_repository
from keepsake._repository.legacy.repository import LegacyRepository
from keepsake._repository.migrate import migrate
from keepsake._repository.repository import Repository
from keepsake.errors import ConfigNotFoundError, InvalidInputError, StoreError, UnsupportedVersionError
from keepsake.project import migrate as migrate_by_url
from keepsake.stores.local import LocalStore
from keepsake.stores.memory import MemoryStore
from keepsake.testing import FaultyStore, RecordingStore
from tests.depth import depth
from tests.legacy.repositories import (
    CHECKPOINT,
    EXPERIMENT,
    checkpoint,
    expected,
    experiment,
    file_member,
    hash_tree,
    special_member,
    write_metadata,
    write_repository,
    write_tarball,
)

EXPECTED = expected()
IDS = [digit * 64 for digit in "0123"]
WEIGHTS = random.Random(0).randbytes(1_500_000)


def describe(repository: Repository | str) -> str:
    """Describe all that is said of experiments, and what is in their files; not how they are stored."""
    if isinstance(repository, str):
        repository = Repository.open(LocalStore(repository))
    described = []
    for state in repository.list_experiments().experiments:
        bodies = []
        for body in (state.created, *state.checkpoints):
            files = {}
            for digest in body.get("manifests") or ():
                for entry in repository.load_manifest(digest).entries:
                    if entry.kind == "file":
                        content = repository.open_file([digest], entry.path).read()
                        files[entry.path] = hashlib.sha256(content).hexdigest()
            bodies.append({**body, "manifests": files})
        described.append(bodies)
    return json.dumps(described, sort_keys=True)


def write_old(root: Path) -> Path:
    """Write an old repository without damage: the weights of its checkpoints are alike but for a few bytes."""
    checkpoints = [
        checkpoint(one, path="w", step=number, created=f"2021-01-02T03:04:0{6 + number}Z", metrics={"loss": number})
        for number, one in enumerate(IDS)
    ]
    root = write_repository(
        root,
        experiment(path=".", params={"lr": 0.1}, checkpoints=checkpoints),
        experiment("c" * 64, created="2021-01-01T00:00:00Z"),
    )
    write_tarball(root / "experiments" / f"{EXPERIMENT}.tar.gz", [file_member(f"{EXPERIMENT}/train.py", b"pass\n")])
    for number, one in enumerate(IDS):
        members = [file_member(f"{one}/w/same", WEIGHTS), file_member(f"{one}/w/{number}", bytes([number]))]
        write_tarball(root / "checkpoints" / f"{one}.tar.gz", members)
    return root


def open_old(root: Path) -> LegacyRepository:
    repository = Repository.open(LocalStore(root))
    assert isinstance(repository, LegacyRepository)
    return repository


def test_everything_arrives_with_its_ids_and_times_and_the_old_one_is_untouched(golden: Path, tmp_path: Path) -> None:
    before = hash_tree(golden)
    result = migrate_by_url(str(golden), str(tmp_path / "new"))
    assert hash_tree(golden) == before
    old = {one.id: one for one in keepsake.Project(str(golden)).experiments.list()}
    new = {one.id: one for one in keepsake.Project(str(tmp_path / "new")).experiments.list()}
    assert list(new) == list(old) == [one["id"] for one in EXPECTED.values()]
    assert (result.experiments, result.checkpoints) == (8, 16)
    for identifier, one in new.items():
        was, now = old[identifier].to_json(), one.to_json()
        for document in (was, now):
            for saved in document["checkpoints"]:
                saved.pop("unsaved", None)
        assert json.dumps(now) == json.dumps(was)
    assert keepsake.Project(str(tmp_path / "new")).check().is_clean


@pytest.mark.parametrize("scenario", [one for one in EXPECTED if one not in ("removed", "killed")])
def test_files_arrive_as_they_were_saved(golden: Path, tmp_path: Path, scenario: str) -> None:
    for other in EXPECTED.values():
        if other is not EXPECTED[scenario]:
            (golden / "metadata" / "experiments" / f"{other['id']}.json").unlink()
    result = migrate_by_url(str(golden), str(tmp_path / "new"))
    assert result.is_clean
    (found,) = keepsake.Project(str(tmp_path / "new")).experiments.list()
    for one, given in zip(found.checkpoints, EXPECTED[scenario]["checkpoints"], strict=True):
        files = {path: hashlib.sha256(one.open(path).read()).hexdigest() for path in one.files()}
        assert files == EXPECTED[scenario]["files"] | given["files"]


def test_damage_is_reported_each_time_and_all_else_is_copied(golden: Path, tmp_path: Path) -> None:
    (golden / "metadata" / "experiments" / f"{EXPERIMENT}.json").write_text("{", encoding="ascii")
    results = [migrate_by_url(str(golden), str(tmp_path / "new")) for _ in range(2)]
    for result in results:
        assert not result.is_clean
        assert len(result.problems) == 3
        for part in (
            f"metadata/experiments/{EXPERIMENT}.json",
            EXPECTED["removed"]["checkpoints"][1]["id"][:7],
            EXPECTED["killed"]["checkpoints"][0]["id"][:7],
        ):
            assert any(part in problem for problem in result.problems)
    assert (results[1].experiments, results[1].checkpoints, results[1].files) == (0, 0, 0)
    removed = keepsake.Project(str(tmp_path / "new")).experiments.get(EXPECTED["removed"]["id"])
    assert len(removed.checkpoints) == 3
    assert "weights/model.bin" not in removed.checkpoints[1].files()


def test_what_is_equal_is_stored_once_encoded_and_synced(tmp_path: Path) -> None:
    old = open_old(write_old(tmp_path / "old"))
    store = RecordingStore(MemoryStore())
    target = Repository.open_or_create(store)[0]
    result = migrate(old, target)
    assert result.is_clean
    assert (result.files, result.file_bytes) == (9, 5 + 4 * (len(WEIGHTS) + 1))
    chunks = [store.get(info.key) for info in store.list("chunks/")]
    assert sum(map(len, chunks)) < 1.05 * len(WEIGHTS)
    assert Codec.RAW not in {codec_of(chunk) for chunk in chunks}
    assert not [*store.list(INTENTS), *store.list(GARBAGE)]
    assert describe(target) == describe(old)


def test_migrating_again_writes_nothing(tmp_path: Path) -> None:
    old = open_old(write_old(tmp_path / "old"))
    store = RecordingStore(MemoryStore())
    target = Repository.open_or_create(store)[0]
    migrate(old, target)
    store.operations.clear()
    assert migrate(old, target).experiments == 0
    assert not [one for one in store.operations if one.name in ("put", "create", "delete", "open_append", "rename")]


def count_writes(tmp_path: Path) -> int:
    store = RecordingStore(MemoryStore())
    target = Repository.open_or_create(store)[0]
    store.operations.clear()
    migrate(open_old(write_old(tmp_path / "counted")), target)
    return sum(one.name in ("put", "delete", "sync") for one in store.operations)


@pytest.mark.parametrize(("publish_bytes", "first"), [(1, 1), (1 << 30, 2)])
def test_broken_off_at_any_write_it_carries_on(
    tmp_path: Path, publish_bytes: int, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "PUBLISH_BYTES", publish_bytes)
    old = open_old(write_old(tmp_path / "old"))
    wanted = describe(old)
    stride = depth(3, 1)
    for number in range(min(first, stride), count_writes(tmp_path) + 1, stride):
        store = FaultyStore(MemoryStore())
        target = Repository.open_or_create(store)[0]
        # As a killed process: from some write on, nothing succeeds any more.
        store.fail(when=lambda one: one.name in ("put", "delete", "sync"), at=number, times=None)
        with contextlib.suppress(StoreError):  # an intent that cannot be dropped is no error
            migrate(old, target)
        assert store.failed
        store.heal()
        assert check_repository(target).problems == []
        result = migrate(old, target)
        assert result.is_clean
        assert describe(target) == wanted
        assert check_repository(target).problems == []


SLOW_MIGRATION = """
import sys
from keepsake._repository import migrate
from keepsake.project import migrate as migrate_by_url
migrate.PUBLISH_BYTES = 1
migrate_by_url(sys.argv[1], sys.argv[2])
"""


def test_killed_it_carries_on_where_it_was(tmp_path: Path) -> None:
    ids = [f"{number:064x}" for number in range(40)]
    checkpoints = [checkpoint(one, path="w") for one in ids]
    root = write_repository(tmp_path / "old", experiment(checkpoints=checkpoints))
    for number, one in enumerate(ids):
        content = random.Random(number).randbytes(1_000_000)
        write_tarball(root / "checkpoints" / f"{one}.tar.gz", [file_member(f"{one}/w", content)])
    new = tmp_path / "new"
    process = subprocess.Popen([sys.executable, "-c", SLOW_MIGRATION, str(root), str(new)])
    while len(list(new.glob("journals/*/*"))) < 5:
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (found,) = Repository.open(LocalStore(new)).list_experiments().experiments
    there = len(found.checkpoints)
    assert 4 <= there < 40
    result = migrate_by_url(str(root), str(new))
    assert result.is_clean
    assert result.checkpoints == 40 - there
    assert describe(str(new)) == describe(str(root))
    assert keepsake.Project(str(new)).check().is_clean


def test_checkpoints_that_came_since_are_added(tmp_path: Path) -> None:
    root = write_repository(tmp_path / "old", experiment(checkpoints=[checkpoint()]))
    new = str(tmp_path / "new")
    migrate_by_url(str(root), new)
    write_metadata(root, experiment(checkpoints=[checkpoint(), checkpoint("c" * 64, created="2021-01-02T03:04:09Z")]))
    result = migrate_by_url(str(root), new)
    assert (result.experiments, result.checkpoints) == (1, 1)
    assert describe(new) == describe(str(root))
    (found,) = keepsake.Project(new).experiments.list()
    assert found.status == "stopped"


def test_files_of_a_running_experiment_that_are_on_their_way_are_left_for_later(tmp_path: Path) -> None:
    root = write_repository(
        tmp_path / "old", experiment(checkpoints=[checkpoint(path="w"), checkpoint("c" * 64, metrics={"loss": 1})])
    )
    heartbeat = root / "metadata" / "heartbeats" / f"{EXPERIMENT}.json"
    heartbeat.parent.mkdir()
    heartbeat.write_text("{}", encoding="ascii")
    new = str(tmp_path / "new")
    result = migrate_by_url(str(root), new)
    assert result.checkpoints == 1
    assert "migrate again" in result.problems[0]
    heartbeat.unlink()
    write_tarball(root / "checkpoints" / f"{CHECKPOINT}.tar.gz", [file_member(f"{CHECKPOINT}/w")])
    assert migrate_by_url(str(root), new).is_clean
    assert describe(new) == describe(str(root))


def test_files_that_were_saved_a_moment_ago_are_left_for_later_when_the_experiment_has_ended(tmp_path: Path) -> None:
    # As after `stop()`: the heartbeat is gone, and what waits is uploaded while the program ends.
    now = datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
    root = write_repository(tmp_path / "old", experiment(created=now, checkpoints=[checkpoint(path="w", created=now)]))
    tarball = root / "checkpoints" / f"{CHECKPOINT}.tar.gz"
    write_tarball(tarball, [file_member(f"{CHECKPOINT}/w", WEIGHTS)])
    whole = tarball.read_bytes()
    tarball.write_bytes(whole[:1000])
    new = str(tmp_path / "new")
    result = migrate_by_url(str(root), new)
    assert result.checkpoints == 0
    assert "migrate again" in result.problems[0]
    tarball.write_bytes(whole)
    assert migrate_by_url(str(root), new).is_clean
    assert describe(new) == describe(str(root))


def test_what_was_copied_without_its_files_is_shown_with_the_reason(tmp_path: Path) -> None:
    root = write_repository(tmp_path / "old", experiment(checkpoints=[checkpoint(path="w")]))
    for place in (root, tmp_path / "new"):
        migrate_by_url(str(root), str(tmp_path / "new"))
        command = [sys.executable, "-m", "keepsake", "show", CHECKPOINT, "-R", str(place)]
        shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        assert f"\nFiles\n  PROBLEM: the files of {CHECKPOINT[:7]} are missing" in shown


def test_an_experiment_that_runs_and_has_not_saved_its_code_yet_waits(tmp_path: Path) -> None:
    root = write_repository(tmp_path / "old", experiment(path=".", checkpoints=[checkpoint()]))
    heartbeat = root / "metadata" / "heartbeats" / f"{EXPERIMENT}.json"
    heartbeat.parent.mkdir()
    heartbeat.write_text("{}", encoding="ascii")
    assert migrate_by_url(str(root), str(tmp_path / "new")).experiments == 0
    assert keepsake.Project(str(tmp_path / "new")).experiments.list() == []


def test_what_was_deleted_in_the_new_one_stays_deleted(tmp_path: Path) -> None:
    root, new = write_old(tmp_path / "old"), str(tmp_path / "new")
    migrate_by_url(str(root), new)
    experiments = keepsake.Project(new, tmp_path).experiments
    experiments.get(EXPERIMENT).checkpoints[0].delete()
    experiments.get("c" * 64).delete()
    assert migrate_by_url(str(root), new).experiments == 0
    (found,) = experiments.list()
    assert [one.id for one in found.checkpoints] == IDS[1:]


def test_a_migrated_experiment_can_be_gone_on_with(golden: Path, tmp_path: Path) -> None:
    migrate_by_url(str(golden), str(tmp_path / "new"))
    experiments = keepsake.Project(str(tmp_path / "new"), tmp_path).experiments
    with experiments.get(EXPECTED["plain"]["id"]) as found:
        assert found.checkpoint(metrics={"loss": 0.01}).step == 3
    assert experiments.get(EXPECTED["plain"]["id"]).status == "finished"


def test_odd_members_are_reported_and_version_control_is_named(tmp_path: Path) -> None:
    root = write_repository(tmp_path / "old", experiment(path="."))
    members = [
        special_member(f"{EXPERIMENT}/link", b"2", "/etc/passwd"),
        file_member(f"{EXPERIMENT}/sub/.git"),
        file_member(f"{EXPERIMENT}/good"),
    ]
    write_tarball(root / "experiments" / f"{EXPERIMENT}.tar.gz", members)
    result = migrate_by_url(str(root), str(tmp_path / "new"))
    assert ["link" in problem for problem in result.problems] == [True]
    assert ["sub/.git" in text for text in result.left_out] == [True]
    (found,) = keepsake.Project(str(tmp_path / "new")).experiments.list()
    found.checkout(tmp_path / "out", quiet=True)
    assert list(hash_tree(tmp_path / "out")) == ["good"]


def test_an_experiment_of_many_checkpoints_comes_in_segments(tmp_path: Path) -> None:
    checkpoints = [checkpoint(f"{number:064x}", step=number, metrics={"loss": number}) for number in range(3000)]
    root = write_repository(tmp_path / "old", experiment(checkpoints=checkpoints))
    assert migrate_by_url(str(root), str(tmp_path / "new")).checkpoints == 3000
    assert len(list((tmp_path / "new").glob("journals/*/*"))) > 1
    assert describe(str(tmp_path / "new")) == describe(str(root))


def test_progress_goes_to_its_end(golden: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    migrate_by_url(str(golden), str(tmp_path / "new"), on_progress=lambda done, total: seen.append((done, total)))
    done = [one for one, _ in seen]
    assert done == sorted(done)
    assert seen[-1][0] == seen[-1][1] == sum(path.stat().st_size for path in golden.rglob("*.tar.gz"))


def test_wrong_places_are_refused(golden: Path, tmp_path: Path) -> None:
    Repository.open_or_create(LocalStore(tmp_path / "new"))
    with pytest.raises(ConfigNotFoundError):
        migrate_by_url(str(tmp_path / "nothing"), str(tmp_path / "new"))
    with pytest.raises(InvalidInputError, match="of this version already"):
        migrate_by_url(str(tmp_path / "new"), str(tmp_path / "other"))
    with pytest.raises(UnsupportedVersionError, match="can only be read"):
        migrate_by_url(str(golden), str(golden))
    assert not (tmp_path / "other").exists()


def test_the_old_one_may_be_read_only(golden: Path, tmp_path: Path) -> None:
    for path in [golden, *golden.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        migrate_by_url(str(golden), str(tmp_path / "new"))
    finally:
        for path in [golden, *golden.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)
    assert len(keepsake.Project(str(tmp_path / "new")).experiments.list()) == 8
