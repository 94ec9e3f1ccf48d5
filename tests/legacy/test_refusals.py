"""Whatever would write to a repository of format 1 says so at once, and how to go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import keepsake
from keepsake._repository.legacy.repository import LegacyRepository
from keepsake._repository.legacy.view import LegacyView
from keepsake._repository.push import push
from keepsake._repository.repository import Repository
from keepsake.errors import UnsupportedVersionError
from keepsake.stores.base import AppendStore, DirectoryStore
from keepsake.stores.local import LocalStore
from keepsake.stores.memory import MemoryStore
from tests.legacy.repositories import expected, hash_tree

PLAIN = expected()["plain"]


def first(project: keepsake.Project) -> keepsake.Experiment:
    return project.experiments.get(PLAIN["id"])


WRITES: dict[str, Callable[[keepsake.Project], Any]] = {
    "create": lambda project: project.experiments.create(params={"lr": 1}),
    "checkpoint": lambda project: first(project).checkpoint(metrics={"loss": 1}),
    "log": lambda project: first(project).log(loss=1),
    "delete": lambda project: first(project).delete(),
    "delete of a checkpoint": lambda project: first(project).checkpoints[0].delete(),
    "delete of a list": lambda project: project.experiments.list().delete(),
    "name": lambda project: setattr(first(project), "name", "x"),
    "notes": lambda project: setattr(first(project), "notes", "x"),
    "tags": lambda project: setattr(first(project), "tags", ["x"]),
    "collect": lambda project: project.collect(),
    "a dry run of collect": lambda project: project.collect(dry_run=True),
    "reclaimable bytes": lambda project: project.reclaimable_bytes([first(project)]),
    "repair": lambda project: project.repair(project.check()),
    "push from": lambda project: project.push("new"),
    "push to": lambda project: keepsake.Project("new", project.directory).push(str(project.repository)),
}


@pytest.mark.parametrize("what", WRITES)
def test_writing_is_refused_with_the_command_that_helps(golden: Path, tmp_path: Path, what: str) -> None:
    Repository.open_or_create(LocalStore(tmp_path / "new"))
    before = hash_tree(golden)
    with pytest.raises(UnsupportedVersionError, match="can only be read") as caught:
        WRITES[what](keepsake.Project(str(golden), tmp_path))
    assert caught.value.hint is not None
    assert f"keepsake migrate file://{golden} NEW" in caught.value.hint
    assert hash_tree(golden) == before


def test_the_view_is_a_store_that_nothing_can_be_written_to(golden: Path) -> None:
    view = LegacyView(LocalStore(golden))
    assert isinstance(view, AppendStore)
    # Its journals lie in one directory, which does not change when one of them does.
    assert not isinstance(view, DirectoryStore)
    key = next(iter(view.list())).key
    writes: list[Callable[[], object]] = [
        lambda: view.put(key, b""),
        lambda: view.create("new", b""),
        lambda: view.delete(key),
        lambda: view.open_append("new"),
        lambda: view.rename(key, "new"),
    ]
    for write in writes:
        with pytest.raises(UnsupportedVersionError):
            write()
    view.sync([key])


def test_the_view_shows_what_it_lists(golden: Path) -> None:
    view = LegacyView(LocalStore(golden))
    infos = list(view.list())
    assert {info.key.partition("/")[0] for info in infos} == {"journals", "heartbeats"}
    for info in infos:
        content = view.get(info.key)
        assert view.get_range(info.key, 3, 9) == content[3:9]
        assert view.head(info.key) == info
        for length in (3, 10, 12, 15, 40):
            assert info in list(view.list(info.key[:length]))
    assert view.head("journals/none") is None
    assert list(view.list("chunks/")) == []


def test_pushing_it_copies_nothing(golden: Path) -> None:
    target = Repository.open_or_create(MemoryStore())[0]
    with pytest.raises(UnsupportedVersionError):
        push(LegacyRepository(LocalStore(golden)), target)
    assert target.experiment_ids() == []
