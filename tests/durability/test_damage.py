"""Every kind of object, damaged in every way: it is found out, it touches nothing else, and no wrong byte is read."""

from __future__ import annotations

import pytest

from keepsake._chunks.codec import HEADER_BYTES, Codec, codec_of
from keepsake._model.keys import (
    CHUNKS,
    HEARTBEATS,
    JOURNALS,
    MANIFESTS,
    REPOSITORY,
    SegmentName,
    digest_of_key,
    parse_segment_key,
)
from keepsake._repository.journal import SEGMENT_BYTES
from keepsake.errors import KeepsakeError
from tests.durability.damage import DAMAGES, Copy, Damage, cut_last_byte, flip_byte, lose, positions, swap
from tests.durability.scripts import open_repository


def test_an_undamaged_copy_is_whole(copy: Copy) -> None:
    survey = copy.survey()
    assert (survey.read, survey.errors) == (set(copy.truth), {})
    report = copy.project.check()
    assert report.problems == []
    assert (report.experiments, report.checkpoints) == (3, len(copy.truth))
    codecs = {codec_of(copy.path(key).read_bytes()[:HEADER_BYTES]) for key in copy.keys(CHUNKS)}
    assert codecs == {Codec.RAW, Codec.STORED, Codec.ZSTD, Codec.PLANES}


# Chunks and manifests: what they touch is named, exactly.


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("codec", list(Codec))
def test_a_damaged_chunk_of_any_codec_takes_its_own_checkpoints_only(copy: Copy, codec: Codec, damage: Damage) -> None:
    keys = [key for key in copy.keys(CHUNKS) if codec_of(copy.path(key).read_bytes()[:HEADER_BYTES]) is codec]
    key = _used_by_checkpoints(copy, keys)
    other = next(one for one in copy.keys(CHUNKS) if one != key)
    damage(copy.path(key), copy.path(other))
    _assert_found_out(copy, key)


@pytest.mark.parametrize("codec", list(Codec))
def test_a_flipped_byte_anywhere_in_a_chunk_is_found_out(copy: Copy, codec: Codec) -> None:
    keys = [key for key in copy.keys(CHUNKS) if codec_of(copy.path(key).read_bytes()[:HEADER_BYTES]) is codec]
    path = copy.path(_used_by_checkpoints(copy, keys))
    repository = open_repository(copy.root)
    whole = path.read_bytes()
    for position in [*range(HEADER_BYTES), *positions(path, 40)]:
        flip_byte(path, position)
        with pytest.raises(KeepsakeError):
            repository.chunks.get(path.name)
        path.write_bytes(whole)
    flip_byte(path, len(whole) // 2)
    _assert_found_out(copy, f"{CHUNKS}{path.name[:2]}/{path.name}")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_manifest_takes_its_own_checkpoints_only(copy: Copy, damage: Damage) -> None:
    keys = copy.keys(MANIFESTS)
    touched = copy.project.experiments.get(next(iter(copy.truth.values()))[0]).checkpoints[0]
    digest = _manifest_of(touched.id, copy)
    key = next(one for one in keys if digest_of_key(one) == digest)
    damage(copy.path(key), copy.path(next(one for one in keys if one != key)))
    _assert_found_out(copy, key)


def test_a_flipped_byte_anywhere_in_a_manifest_is_found_out(copy: Copy) -> None:
    repository = open_repository(copy.root)
    for key in copy.keys(MANIFESTS):
        path = copy.path(key)
        whole = path.read_bytes()
        for position in range(len(whole)):
            flip_byte(path, position)
            with pytest.raises(KeepsakeError):
                repository.load_manifest(path.name)
            path.write_bytes(whole)


def _used_by_checkpoints(copy: Copy, keys: list[str]) -> str:
    """Return one of the keys of chunks that a checkpoint needs."""
    repository = open_repository(copy.root)
    for checkpoint_id in copy.truth:
        for digest in repository.load_manifest(_manifest_of(checkpoint_id, copy)).digests():
            for key in keys:
                if digest_of_key(key) == digest:
                    return key
    raise AssertionError("no checkpoint needs any of these")


def _manifest_of(checkpoint_id: str, copy: Copy) -> str:
    for state in open_repository(copy.root).list_experiments().experiments:
        for body in state.checkpoints:
            if body["id"] == checkpoint_id:
                digest: str = body["manifests"][0]
                return digest
    raise AssertionError("there is no such checkpoint")


def _assert_found_out(copy: Copy, key: str) -> None:
    """Everything is listed; what cannot be read is exactly what `check` names for this key; all else can."""
    survey = copy.survey()
    assert survey.checkpoints == set(copy.truth)
    assert survey.errors
    report = copy.project.check()
    (problem,) = report.problems
    assert problem.key == key
    assert {touched.checkpoint_id for touched in problem.touches} - {None} == survey.errors.keys()
    assert survey.read == copy.truth.keys() - survey.errors.keys()
    if key.startswith(CHUNKS):
        assert all("weights.bin" in str(error) for error in survey.errors.values())
        assert all(touched.paths == ("weights.bin",) for touched in problem.touches)


# Journals.

SEGMENTS = [("long", 0), ("long", 1), ("short", 0)]


def _segments(copy: Copy, which: str) -> list[SegmentName]:
    """Return the segments of the experiment with this name, in order."""
    for experiment in copy.project.experiments.list():
        if experiment.params["which"] == which:
            names = [parse_segment_key(key) for key in copy.keys(f"{JOURNALS}{experiment.id[:2]}/{experiment.id}")]
            return sorted((name for name in names if name is not None), key=lambda name: name.number)
    raise AssertionError("there is no such experiment")


# What a journal ended with, or was, leaves no trace when all of that is lost: only the beginning of one is missed.
@pytest.mark.parametrize(
    ("which", "number", "damage"),
    [
        ("long", 0, lose),
        *((which, number, one) for which, number in SEGMENTS for one in DAMAGES if one is not lose),
    ],
)
def test_a_damaged_journal_is_found_out_and_takes_its_own_experiment_only(
    copy: Copy, which: str, number: int, damage: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    segments = _segments(copy, which)
    name = segments[number]
    other = _segments(copy, "short" if which == "long" else "killed")[0]
    capsys.readouterr()
    damage(copy.path(name.key), copy.path(other.key))
    survey = copy.survey()
    others = {one for one, (experiment_id, *_) in copy.truth.items() if experiment_id != name.experiment_id}
    assert others <= survey.read
    assert "keepsake check" in capsys.readouterr().err
    problems = copy.project.check().problems
    assert problems
    assert all(name.experiment_id in problem.key for problem in problems)


@pytest.mark.parametrize("which", ["short", "killed"])
def test_a_flipped_byte_anywhere_in_a_journal_is_found_out(copy: Copy, which: str) -> None:
    (name,) = _segments(copy, which)
    path = copy.path(name.key)
    whole = path.read_bytes()
    project = copy.project
    listed = len(project.experiments.list())
    for position in positions(path, 150):
        for flip in (0x11, 0x01, ord("\n") ^ whole[position]):
            if not flip:
                continue
            data = bytearray(whole)
            data[position] ^= flip
            path.write_bytes(data)
            journal = open_repository(copy.root).load_journal(name.experiment_id)
            assert journal.problems, position
            assert len(open_repository(copy.root).list_experiments().experiments) in (listed, listed - 1)
    flip_byte(path, len(whole) // 2)
    survey = copy.survey()
    others = {one for one, (experiment_id, *_) in copy.truth.items() if experiment_id != name.experiment_id}
    assert others <= survey.read


def test_a_journal_of_the_same_length_from_elsewhere_is_nobodys_events(copy: Copy) -> None:
    (short,) = _segments(copy, "short")
    (killed,) = _segments(copy, "killed")
    copy.path(killed.key).write_bytes(copy.path(short.key).read_bytes())
    survey = copy.survey()
    assert killed.experiment_id not in survey.listed
    problems = copy.project.check().problems
    assert any(killed.experiment_id in problem.key for problem in problems)


def test_an_open_journal_that_ends_in_a_torn_line_is_no_damage(copy: Copy) -> None:
    (name,) = _segments(copy, "killed")
    path = copy.path(name.key)
    whole = path.read_bytes()
    assert name.size_bytes is None
    assert len(whole) < SEGMENT_BYTES
    path.write_bytes(whole[:-1])
    assert copy.project.check().problems == []
    assert len(copy.survey().checkpoints) == len(copy.truth) - 1
    path.write_bytes(whole + whole[:100])
    assert copy.project.check().problems == []
    assert copy.survey().checkpoints == set(copy.truth)


def test_garbage_among_the_journals_is_left_alone(copy: Copy) -> None:
    for name in ("notes.txt", "a.b.c.d.jsonl", "x" * 64 + ".y.0.open", "README"):
        copy.path(f"{JOURNALS}ab").mkdir(exist_ok=True)
        copy.path(f"{JOURNALS}ab/{name}").write_bytes(b"\x00garbage\n")
    assert copy.survey().read == set(copy.truth)
    assert copy.project.check().problems == []


# The rest.


# All but the loss of its newline, which says nothing.
@pytest.mark.parametrize("damage", [one for one in DAMAGES if one is not cut_last_byte])
def test_without_its_specification_a_repository_is_refused_and_the_rest_is_unharmed(copy: Copy, damage: Damage) -> None:
    path = copy.path(REPOSITORY)
    whole = path.read_bytes()
    damage(path, copy.path(copy.keys(HEARTBEATS)[0]))
    for look in (copy.project.experiments.list, copy.project.check):
        with pytest.raises(KeepsakeError, match="repository"):
            look()
    path.write_bytes(whole)
    assert copy.survey().read == set(copy.truth)


def test_a_flipped_byte_anywhere_in_the_specification_is_found_out(copy: Copy) -> None:
    path = copy.path(REPOSITORY)
    whole = path.read_bytes()
    for position in range(len(whole) - 1):
        flip_byte(path, position)
        with pytest.raises(KeepsakeError):
            open_repository(copy.root)
        path.write_bytes(whole)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_heartbeat_harms_nothing_and_is_reported(copy: Copy, damage: Damage) -> None:
    (key,) = copy.keys(HEARTBEATS)
    damage(copy.path(key), copy.path(REPOSITORY))
    assert copy.survey().read == set(copy.truth)
    problems = copy.project.check().problems
    is_a_line = damage in (swap, cut_last_byte)
    assert [problem.key for problem in problems] == ([] if damage is lose or is_a_line else [key])
    assert all(problem.touches == () for problem in problems)


def test_several_damages_are_all_reported(copy: Copy) -> None:
    chunk, *_ = copy.keys(CHUNKS)
    manifest, *_ = copy.keys(MANIFESTS)
    (heartbeat,) = copy.keys(HEARTBEATS)
    journal = _segments(copy, "long")[0].key
    for key in (chunk, manifest, heartbeat, journal):
        flip_byte(copy.path(key), copy.path(key).stat().st_size // 2)
    problems = {problem.key for problem in copy.project.check().problems}
    assert {chunk, manifest, heartbeat, journal} <= problems
