"""Every kind of object x every damage x every command: no wrong byte, no crash, and nothing deleted for good.

What `test_damage` says of each kind in detail, this says of all: whatever is damaged, each command does its work or
says what is wrong, and once the object is whole again everything is there.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import keepsake
from keepsake._chunks.codec import HEADER_BYTES, Codec, codec_of
from keepsake._model.keys import (
    CHUNKS,
    GARBAGE,
    HEARTBEATS,
    JOURNALS,
    MANIFESTS,
    REPOSITORY,
    garbage_key,
    intent_key,
    parse_segment_key,
)
from keepsake._model.lines import encode_line
from keepsake._model.times import now_text
from keepsake._repository.collect import collect
from keepsake._repository.intent import LIST_LIFETIME_S
from keepsake.errors import KeepsakeError
from tests.cli.subjects import RunCli
from tests.durability.damage import DAMAGES, Copy, Damage, cut_last_byte, empty, flip_byte, lose, truncate
from tests.durability.scripts import open_repository, sha

FindKey = Callable[[Copy], str]


def flip_middle(path: Path, _: Path) -> None:
    flip_byte(path, path.stat().st_size // 2)


def chunk_of(codec: Codec) -> FindKey:
    def find(copy: Copy) -> str:
        keys = copy.keys(CHUNKS)
        return next(key for key in keys if codec_of(copy.path(key).read_bytes()[:HEADER_BYTES]) is codec)

    return find


def segment_of(which: str, number: int) -> FindKey:
    def find(copy: Copy) -> str:
        (one,) = (one for one in copy.project.experiments.list() if one.params["which"] == which)
        names = map(parse_segment_key, copy.keys(JOURNALS))
        return next(name.key for name in names if name and (name.experiment_id, name.number) == (one.id, number))

    return find


def left_intent(copy: Copy) -> str:
    """A writer died, and had named everything."""
    digests = [key.rpartition("/")[2] for key in (*copy.keys(CHUNKS), *copy.keys(MANIFESTS))]
    return _write_line(copy, intent_key("a" * 32, "b" * 16), session="a" * 32, digests=digests)


def left_garbage_list(copy: Copy) -> str:
    """A collector died, and had named everything."""
    keys = [*copy.keys(CHUNKS), *copy.keys(MANIFESTS)]
    return _write_line(copy, garbage_key(now_text(), "c" * 16), keys=keys)


def _write_line(copy: Copy, key: str, **fields: object) -> str:
    copy.path(key).parent.mkdir(parents=True, exist_ok=True)
    copy.path(key).write_bytes(encode_line({"time": now_text(), **fields}, place=key.encode()))
    return key


KINDS: dict[str, FindKey] = {
    "specification": lambda _: REPOSITORY,
    "only segment": segment_of("short", 0),
    "first segment": segment_of("long", 0),
    "last segment": segment_of("long", 1),
    "open segment": segment_of("killed", 0),
    "manifest": lambda copy: copy.keys(MANIFESTS)[0],
    **{f"{codec.name.lower()} chunk": chunk_of(codec) for codec in Codec},
    "heartbeat": lambda copy: copy.keys(HEARTBEATS)[0],
    "intent": left_intent,
    "garbage list": left_garbage_list,
}
UNNOTICED = {
    ("only segment", lose),
    ("last segment", lose),
    *(("open segment", damage) for damage in (lose, truncate, cut_last_byte, empty)),
}
"""What a journal ends with leaves no trace when it is lost, so what only that referred to may be collected."""


@pytest.mark.parametrize("damage", [*DAMAGES, flip_middle])
@pytest.mark.parametrize("kind", KINDS)
def test_no_command_crashes_or_lies_and_all_is_there_when_the_object_is_whole_again(
    copy: Copy, cli: RunCli, tmp_path: Path, kind: str, damage: Damage
) -> None:
    key = KINDS[kind](copy)
    siblings = copy.keys(key.rpartition("/")[0].partition("/")[0] or HEARTBEATS)
    whole = copy.path(key).read_bytes()
    damage(copy.path(key), copy.path(next((one for one in siblings if one != key), REPOSITORY)))
    _use_commands(copy, cli)
    _check_out_everything(copy, tmp_path)
    if (kind, damage) in UNNOTICED:
        return
    with contextlib.suppress(KeepsakeError):
        collect(open_repository(copy.root), young_s=0)
    copy.path(key).write_bytes(whole)
    assert copy.survey().read == set(copy.truth)
    assert [problem.message for problem in copy.project.check().problems] == []


def _use_commands(copy: Copy, cli: RunCli) -> None:
    """Run whatever looks at a repository, and see to it that each says what is wrong in its own words."""
    first, *_ = copy.truth
    experiment_id = copy.truth[first][0]
    for command in (
        ("ls", "--all"),
        ("ls", "--json"),
        ("show", experiment_id),
        ("show", first),
        ("diff", first, list(copy.truth)[1]),
        ("du",),
        ("check",),
        ("collect",),
    ):
        done = cli("-R", str(copy.root), *command)
        assert done.code in (0, 1, 3), done.err
        assert "Traceback" not in done.err
        assert "bug" not in done.err
        assert done.code == 0 or done.err or command == ("check",), command


def _check_out_everything(copy: Copy, tmp_path: Path) -> None:
    for checkpoint_id, (experiment_id, _, content) in copy.truth.items():
        target = tmp_path / checkpoint_id[:8]
        try:
            copy.project.experiments.get(experiment_id).checkpoints.get(checkpoint_id).checkout(target, quiet=True)
        except KeepsakeError:
            assert not (target / "weights.bin").exists()
        else:
            assert sha((target / "weights.bin").read_bytes()) == content


def test_a_damaged_garbage_list_sends_saving_to_staging_until_it_is_too_old_to_count(
    copy: Copy, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy.root.parent)
    path = copy.path(left_garbage_list(copy))
    flip_middle(path, path)
    Path("weights").write_bytes(b"weights")
    experiment = copy.project.experiments.create(quiet=True)
    checkpoint = experiment.checkpoint(path="weights")
    experiment.stop()
    assert "garbage list" in capsys.readouterr().err
    _grow_old(path, LIST_LIFETIME_S + 1)
    keepsake.Project(repository=str(copy.root), directory=copy.root.parent).experiments.create(quiet=True).stop()
    with copy.project.experiments.get(experiment.id).checkpoints.get(checkpoint.id).open("weights") as file:
        assert file.read() == b"weights"
    assert copy.keys(GARBAGE) == [path.relative_to(copy.root).as_posix()]
    collect(open_repository(copy.root))
    assert copy.keys(GARBAGE) == []


def _grow_old(path: Path, age_s: float) -> None:
    moment_s = time.time() - age_s
    os.utime(path, (moment_s, moment_s))
