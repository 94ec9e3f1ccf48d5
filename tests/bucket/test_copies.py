"""Whole repositories from one cloud to another, to a disk and back: everything arrives, verified, and once."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

import keepsake
from keepsake._model.keys import CHUNKS
from tests.bucket.places import content
from tests.cli.subjects import RunCli
from tests.servers.seaweedfs import S3Server

_numbers = itertools.count()
KINDS = ("s3", "another s3", "weak s3", "az", "gs", "disk")


@pytest.fixture
def places(
    project: Path,
    tmp_path: Path,
    s3_server: S3Server,
    s3_url: str,
    moto: S3Server,
    rclone: S3Server,
    azurite: dict[str, object],
    gcs: dict[str, object],
) -> dict[str, str]:
    """URLs of empty places on all kinds of servers, which `keepsake.yaml` knows how to reach."""
    number = next(_numbers)
    # Two servers of the same protocol have the same bucket: the options of the nearest URL count.
    others = {"s3://tests/moto": moto.options, "s3://tests/rclone": rclone.options}
    others |= {"az://tests": azurite, "gs://tests": gcs}
    document = {"repository": s3_url, "repository_options": s3_server.options, "other_repositories": others}
    (project / "keepsake.yaml").write_text(json.dumps(document))
    return {
        "s3": f"{s3_url}/copy",
        "another s3": f"s3://tests/moto/{number}",
        "weak s3": f"s3://tests/rclone/{number}",
        "az": f"az://tests/copies/{number}",
        "gs": f"gs://tests/copies/{number}",
        "disk": str(tmp_path / f"disk-{number}"),
    }


def save(steps: int = 2) -> keepsake.Experiment:
    experiment = keepsake.init(params={"rate": 0.1})
    for step in range(steps):
        Path("weights").write_bytes(content(step))
        experiment.checkpoint(path="weights", step=step, metrics={"loss": 1 / (step + 1)})
    experiment.stop()
    return experiment


def test_a_repository_goes_round_all_clouds_and_comes_back_the_same(places: dict[str, str], cli: RunCli) -> None:
    experiment = save()
    kinds = [*KINDS, *KINDS[::-1][1:]]
    assert "copied" in cli("push", places["s3"]).err
    for source, target in itertools.pairwise(kinds):
        done = cli("push", places[source], places[target])
        assert done.code == 0, f"{source} to {target}: {done.err}"
        assert "has everything already" in cli("push", places[source], places[target]).err
    for kind in KINDS:
        project = keepsake.Project(places[kind])
        assert project.check().problems == [], kind
        (found,) = project.experiments.list(filter="loss = 0.5")
        assert (found.id, found.params) == (experiment.id, {"rate": 0.1})
        assert [one.open("weights").read() for one in found.checkpoints] == [content(0), content(1)]
        store = project.find_place().store
        assert len(list(store.list(CHUNKS))) == 2, kind


@pytest.mark.parametrize("kind", ["another s3", "az", "gs", "weak s3"])
def test_a_damaged_chunk_is_not_copied_and_named(kind: str, places: dict[str, str], cli: RunCli) -> None:
    save(1)
    assert cli("push", places[kind]).code == 0
    store = keepsake.Project(places[kind]).find_place().store
    (chunk,) = store.list(CHUNKS)
    store.put(chunk.key, store.get(chunk.key)[:-1])
    done = cli("push", places[kind], places["disk"])
    assert done.code == 1
    assert chunk.key.rpartition("/")[2][:8] in done.err
    assert list(keepsake.Project(places["disk"]).experiments.list()) == []
    assert cli("push", places["s3"]).code == 0
    assert cli("check", "-R", places[kind], "--repair", "--from", places["s3"]).code == 0
    assert cli("push", places[kind], places["disk"]).code == 0
    assert len(keepsake.Project(places["disk"]).experiments.list()) == 1


def test_options_of_a_bucket_are_those_of_no_other(places: dict[str, str], cli: RunCli) -> None:
    done = cli("-R", "az://elsewhere/x", "ls")
    assert done.code == 1
    assert "Account" in done.err
    assert "there is no repository" in cli("-R", places["s3"], "ls").err
