"""A repository that the real program wrote, read through everything that reads repositories."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import keepsake
from keepsake.errors import CorruptionError, NotFoundError
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
WHOLE = [scenario for scenario in EXPECTED if scenario not in ("removed", "killed")]


def load(repository: Path, scenario: str) -> keepsake.Experiment:
    return keepsake.Project(str(repository)).experiments.get(EXPECTED[scenario]["id"])


def as_written(value: Any) -> str:
    """Return a value as a text that tells NaN from nothing, but no 1.0 from 1, as format 1 does."""
    return json.dumps(json.loads(json.dumps(value), parse_float=_whole_if_it_is), sort_keys=True)


def _whole_if_it_is(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


def hash_files(checkpoint: keepsake.Checkpoint) -> dict[str, str]:
    return {path: hashlib.sha256(checkpoint.open(path).read()).hexdigest() for path in checkpoint.files()}


def test_every_experiment_is_listed_in_order(golden: Path) -> None:
    experiments = keepsake.Project(str(golden)).experiments.list()
    assert [one.id for one in experiments] == [one["id"] for one in EXPECTED.values()]
    assert [len(one.checkpoints) for one in experiments] == [len(one["checkpoints"]) for one in EXPECTED.values()]


@pytest.mark.parametrize("scenario", EXPECTED)
def test_an_experiment_says_what_was_given(golden: Path, scenario: str) -> None:
    found, written = load(golden, scenario), EXPECTED[scenario]
    assert as_written(found.params) == as_written(written["params"] or {})
    assert found.path == written["path"]
    assert found.command is not None
    assert scenario in found.command
    assert found.python_packages["keepsake"] == found.keepsake_version == "0.4.2"
    assert (found.user, found.host, found.status) == ("root", None, "stopped")
    for one, given in zip(found.checkpoints, written["checkpoints"], strict=True):
        pair = list(one.primary_metric) if one.primary_metric else None
        assert (one.id, one.step, pair) == (given["id"], given["step"], given["primary_metric"])
        assert one.path == given["path"]
        assert as_written(one.metrics) == as_written(given["metrics"] or {})


@pytest.mark.parametrize("scenario", WHOLE)
def test_every_file_is_what_was_saved(golden: Path, tmp_path: Path, scenario: str) -> None:
    found, written = load(golden, scenario), EXPECTED[scenario]
    for number, (one, given) in enumerate(zip(found.checkpoints, written["checkpoints"], strict=True)):
        files = written["files"] | given["files"]
        assert hash_files(one) == files
        if files:
            one.checkout(tmp_path / str(number), quiet=True)
            assert hash_tree(tmp_path / str(number)) == files


def test_a_file_can_be_sought_in_and_survives_a_pickle(golden: Path) -> None:
    checkpoint = load(golden, "plain").checkpoints[0]
    whole = checkpoint.open("weights/model.bin").read()
    with pickle.loads(pickle.dumps(checkpoint)).open("weights/model.bin") as file:
        file.seek(-100, os.SEEK_END)
        assert file.read() == whole[-100:]
        file.seek(7)
        assert file.read(20) == whole[7:27]


def test_a_part_can_be_checked_out(golden: Path, tmp_path: Path) -> None:
    load(golden, "plain").checkout(tmp_path / "out", quiet=True, path="data")
    assert list(hash_tree(tmp_path / "out")) == ["data/größe ✓.txt"]


def test_best_and_latest_are_found_among_several_primary_metrics(golden: Path) -> None:
    found = load(golden, "metrics")
    best, latest = found.best(), found.latest()
    assert best is not None
    assert latest is not None
    assert (best.step, latest.step) == (10, 20)
    nan = load(golden, "values").best()
    assert nan is not None
    assert nan.metrics["loss"] == 1


def test_lists_filters_and_tables_work_as_on_new_repositories(golden: Path) -> None:
    pytest.importorskip("pandas")
    experiments = keepsake.Project(str(golden)).experiments
    assert [one.params["scenario"] for one in experiments.list(filter="scenario = plain")] == ["plain"]
    assert len(experiments.list(filter="status = stopped")) == len(EXPECTED)
    assert len(experiments.list(filter=lambda one: "lr" in one.params and one.params["lr"] == 0.1)) == 6
    assert experiments.get_checkpoint(EXPECTED["plain"]["checkpoints"][1]["id"][:8]).step == 1
    assert len(experiments.to_dataframe()) == len(EXPECTED)
    assert [one["id"] for one in (found.to_json() for found in experiments.list())] == [
        one["id"] for one in EXPECTED.values()
    ]


def test_nothing_is_written_by_reading(golden: Path, tmp_path: Path) -> None:
    before = hash_tree(golden)
    project = keepsake.Project(str(golden))
    for found in project.experiments.list():
        assert found.status == "stopped"
    project.check()
    project.du()
    load(golden, "plain").checkout(tmp_path / "out", quiet=True)
    assert hash_tree(golden) == before


def test_files_that_are_gone_are_an_error_for_their_checkpoint_only(golden: Path) -> None:
    first, second, third = load(golden, "removed").checkpoints
    assert hash_files(first)
    assert hash_files(third)
    with pytest.raises(NotFoundError, match=f"files of {second.short_id()} are missing"):
        second.files()


def test_an_upload_that_was_killed_is_damage(golden: Path, tmp_path: Path) -> None:
    found = load(golden, "killed")
    with pytest.raises(CorruptionError, match="is damaged"):
        found.checkout(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_check_names_what_is_broken_and_nothing_else(golden: Path) -> None:
    (golden / "metadata" / "experiments" / "notes.json").write_text("{}", encoding="ascii")
    report = keepsake.Project(str(golden)).check()
    removed, killed = EXPECTED["removed"]["checkpoints"][1]["id"], EXPECTED["killed"]["checkpoints"][0]["id"]
    assert {problem.key for problem in report.problems} == {
        f"checkpoints/{removed}.tar.gz",
        f"checkpoints/{killed}.tar.gz",
        "metadata/experiments/notes.json",
    }
    assert {touched.checkpoint_id for problem in report.problems for touched in problem.touches} == {removed, killed}
    assert (report.experiments, report.checkpoints) == (8, 16)


def test_usage_counts_tarballs(golden: Path) -> None:
    usage = keepsake.Project(str(golden)).du()
    tarballs = sum(path.stat().st_size for path in golden.rglob("*.tar.gz"))
    assert sum(one.stored_bytes for one in usage.experiments) == tarballs < usage.stored_bytes
    plain = next(one for one in usage.experiments if one.experiment_id == EXPECTED["plain"]["id"])
    assert 18_000 < plain.logical_bytes < 40_000
    assert usage.logical_bytes < 200_000
    assert usage.reclaimable_bytes == 0


@pytest.mark.parametrize("content", ["", "{", "[]", '{"id": "short"}', '{"id": null}'])
def test_one_bad_file_does_not_hide_the_others(golden: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    (golden / "metadata" / "experiments" / f"{EXPERIMENT}.json").write_text(content, encoding="ascii")
    project = keepsake.Project(str(golden))
    assert len(project.experiments.list()) == len(EXPECTED)
    assert f"metadata/experiments/{EXPERIMENT}.json in" in capsys.readouterr().err
    assert f"metadata/experiments/{EXPERIMENT}.json" in {problem.key for problem in project.check().problems}
    with pytest.raises(CorruptionError):
        project.experiments.get(EXPERIMENT)


def test_what_was_written_since_is_seen(tmp_path: Path) -> None:
    root = write_repository(tmp_path / "old", experiment())
    experiments = keepsake.Project(str(root)).experiments
    (found,) = experiments.list()
    assert len(found.checkpoints) == 0
    write_metadata(root, experiment(checkpoints=[checkpoint(metrics={"loss": 1})]))
    assert [len(one.checkpoints) for one in experiments.list()] == [1]
    found.refresh()
    assert found.checkpoints.metrics["loss"] == [1]


@pytest.mark.parametrize("specification", [None, "{}", '{"version": 0}', '{"version": 1, "more": true}'])
def test_older_ways_to_say_the_version_are_known(tmp_path: Path, specification: str | None) -> None:
    root = write_repository(tmp_path / "old", experiment())
    (root / "repository.json").unlink()
    if specification is not None:
        (root / "repository.json").write_text(specification, encoding="ascii")
    assert len(keepsake.Project(str(root)).experiments.list()) == 1
    with pytest.raises(keepsake.exceptions.IncompatibleRepositoryVersion):
        keepsake.Project(str(root), tmp_path).experiments.create()


def write_heartbeat(root: Path, moment_s: float) -> None:
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment_s))
    (root / "metadata" / "heartbeats").mkdir(exist_ok=True)
    (root / "metadata" / "heartbeats" / f"{EXPERIMENT}.json").write_text(
        json.dumps({"experiment_id": EXPERIMENT, "last_heartbeat": f"{text}.123456789Z"}), encoding="ascii"
    )


def test_an_experiment_runs_while_its_heartbeat_is_fresh(tmp_path: Path) -> None:
    root = write_repository(tmp_path / "old", experiment())
    write_heartbeat(root, time.time())
    experiments = keepsake.Project(str(root)).experiments
    assert experiments.get(EXPERIMENT).status == "running"
    assert len(experiments.list(filter="status = running")) == 1
    write_heartbeat(root, time.time() - 3600)  # as in a copy, whose files are fresh
    assert experiments.get(EXPERIMENT).status == "stopped"
    assert len(experiments.list(filter="status = running")) == 0


def test_a_hostile_tarball_writes_nothing_outside(tmp_path: Path) -> None:
    root = write_repository(tmp_path / "old", experiment(path=".", checkpoints=[checkpoint(path="w")]))
    write_tarball(root / "experiments" / f"{EXPERIMENT}.tar.gz", [file_member(f"{EXPERIMENT}/good.txt")])
    write_tarball(root / "checkpoints" / f"{CHECKPOINT}.tar.gz", [file_member(f"{CHECKPOINT}/../../../escaped.txt")])
    found = keepsake.Project(str(root)).experiments.get(EXPERIMENT)
    with pytest.raises(CorruptionError, match="leaves the directory"):
        found.checkpoints[0].checkout(tmp_path / "out" / "deep")
    assert not list(tmp_path.rglob("escaped.txt"))
    assert [problem.key for problem in keepsake.Project(str(root)).check().problems] == [
        f"checkpoints/{CHECKPOINT}.tar.gz"
    ]


def test_links_and_devices_in_a_tarball_are_reported_and_the_rest_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_repository(tmp_path / "old", experiment(path="."))
    write_tarball(
        root / "experiments" / f"{EXPERIMENT}.tar.gz",
        [special_member(f"{EXPERIMENT}/etc", b"2", "/etc"), file_member(f"{EXPERIMENT}/good.txt")],
    )
    project = keepsake.Project(str(root))
    project.experiments.get(EXPERIMENT).checkout(tmp_path / "out")
    assert list(hash_tree(tmp_path / "out")) == ["good.txt"]
    assert "etc is not there to check out" in capsys.readouterr().err
    (problem,) = project.check().problems
    assert "tampered" in problem.message


def test_a_file_below_a_file_is_refused(tmp_path: Path) -> None:
    root = write_repository(tmp_path / "old", experiment(path="."))
    members = [file_member(f"{EXPERIMENT}/a"), file_member(f"{EXPERIMENT}/a/b")]
    write_tarball(root / "experiments" / f"{EXPERIMENT}.tar.gz", members)
    with pytest.raises(CorruptionError, match="tampered"):
        keepsake.Project(str(root)).experiments.get(EXPERIMENT).checkout(tmp_path / "out")


def test_of_two_files_of_one_path_the_later_one_counts(tmp_path: Path) -> None:
    root = write_repository(tmp_path / "old", experiment(path="."))
    members = [file_member(f"{EXPERIMENT}/a", b"first"), file_member(f"{EXPERIMENT}/a", b"then")]
    write_tarball(root / "experiments" / f"{EXPERIMENT}.tar.gz", members)
    keepsake.Project(str(root)).experiments.get(EXPERIMENT).checkout(tmp_path / "out", quiet=True)
    assert (tmp_path / "out" / "a").read_bytes() == b"then"


def test_a_tarball_that_was_replaced_is_unpacked_anew(tmp_path: Path) -> None:
    root = write_repository(tmp_path / "old", experiment(checkpoints=[checkpoint(path="w")]))
    place = root / "checkpoints" / f"{CHECKPOINT}.tar.gz"
    checkpoints = keepsake.Project(str(root)).experiments.get(EXPERIMENT).checkpoints
    for content in (b"one", b"three"):
        write_tarball(place, [file_member(f"{CHECKPOINT}/w", content)])
        assert checkpoints[0].open("w").read() == content


def test_the_command_line_reads_it(golden: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "keepsake", *arguments, "-R", str(golden)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    listing = run("ls", "--json")
    assert listing.returncode == 0, listing.stderr
    assert {one["id"] for one in json.loads(listing.stdout)} == {one["id"] for one in EXPECTED.values()}
    shown = run("open", EXPECTED["plain"]["checkpoints"][0]["id"], "train.py")
    assert shown.stdout == "print('hello')\n"
    refused = run("rm", "-f", EXPECTED["plain"]["id"])
    assert refused.returncode == 1
    assert f"keepsake migrate file://{golden} NEW" in refused.stderr


def test_names_that_old_scripts_import_are_there() -> None:
    code = (
        "from keepsake.project import Project, init\n"
        "from keepsake.experiment import Experiment, ExperimentCollection, ExperimentList\n"
        "from keepsake.checkpoint import Checkpoint, CheckpointList, CheckpointListMetrics, PrimaryMetric\n"
        "from keepsake.exceptions import (ConfigNotFound, CorruptedRepositorySpec, DoesNotExist,\n"
        "    IncompatibleRepositoryVersion, ReadError, RepositoryConfigurationError, WriteError)\n"
        "import keepsake\n"
        "assert ExperimentCollection is type(keepsake.experiments)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_a_copy_of_a_repository_is_another_one(golden: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(golden, tmp_path / "copy"))
    (copy / "metadata" / "experiments" / f"{EXPECTED['bare']['id']}.json").unlink()
    lengths = [len(keepsake.Project(str(root)).experiments.list()) for root in (golden, copy, golden)]
    assert lengths == [8, 7, 8]
