from __future__ import annotations

import json
import math
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._repository.legacy.metadata import decode_experiment, decode_time
from keepsake.errors import CorruptionError
from tests.legacy.repositories import CHECKPOINT, EXPERIMENT, checkpoint, experiment

MODIFIED = datetime(2020, 5, 6, tzinfo=timezone.utc)


def decode(document: object) -> list[dict[str, Any]]:
    return decode_experiment(json.dumps(document).encode(), EXPERIMENT, modified=MODIFIED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-01-02T03:04:05Z", "2021-01-02T03:04:05+00:00"),
        ("2021-01-02T03:04:05.1Z", "2021-01-02T03:04:05.100000+00:00"),
        ("2021-01-02T03:04:05.123456789Z", "2021-01-02T03:04:05.123456+00:00"),
        ("2021-01-02T03:04:05.000000009Z", "2021-01-02T03:04:05+00:00"),
        ("2021-01-02T03:04:05+02:00", "2021-01-02T01:04:05+00:00"),
        ("2021-01-02T03:04:05.5-01:30", "2021-01-02T04:34:05.500000+00:00"),
    ],
)
def test_times_have_any_number_of_digits(text: str, expected: str) -> None:
    moment = decode_time(text)
    assert moment is not None
    assert moment.isoformat() == expected


@pytest.mark.parametrize(
    "text", [None, "", 7, "yesterday", "2021-13-02T03:04:05Z", "2021-01-02", "9999-99-99T99:99:99Z"]
)
def test_what_is_no_time_is_none(text: object) -> None:
    assert decode_time(text) is None


@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,9})?(Z|[+-]\d\d:\d\d)", fullmatch=True))
def test_no_text_makes_reading_a_time_fail(text: str) -> None:
    moment = decode_time(text)
    assert moment is None or moment.utcoffset() is not None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (1, 1),
        (0.5, 0.5),
        (10**20, 1e20),
        (2**63 - 1, 2**63 - 1),
        (2**63, float(2**63)),
        (10**400, math.inf),
        ("[NaN]", math.nan),
        ("[+Infinity]", math.inf),
        ("[-Infinity]", -math.inf),
        ('[0.5, NaN, {"a": Infinity}]', [0.5, math.nan, {"a": math.inf}]),
        ("[this is NaNa's text", "[this is NaNa's text"),
        ("null", "null"),
        ("None", "None"),
        (None, None),
        ([64, [1.5, "x", None]], [64, [1.5, "x", None]]),
        ({"$float": "x"}, {"$float": "x"}),
    ],
)
def test_values_are_read_as_they_were_meant(written: Any, read: object) -> None:
    (event,) = decode(experiment(params={"value": written}))
    found = event["params"]["value"]
    assert (type(found), repr(found)) == (type(read), repr(read))


def test_an_experiment_that_says_nothing_but_its_id_is_read() -> None:
    (event,) = decode({"id": EXPERIMENT})
    assert event["time"] == "2020-05-06T00:00:00.000000Z"
    assert (event["params"], event["environment"], event["keepsake_version"]) == ({}, {}, None)
    assert "path" not in event


@pytest.mark.parametrize("created", [None, "0001-01-01T00:00:00Z", "rubbish"])
def test_a_missing_time_is_that_of_the_first_checkpoint(created: str | None) -> None:
    first, second = decode(experiment(created=created, checkpoints=[checkpoint(created="2021-02-02T00:00:00Z")]))
    assert first["time"] == second["time"] == "2021-02-02T00:00:00.000000Z"


def test_a_checkpoint_without_time_has_that_of_the_one_before() -> None:
    checkpoints = [checkpoint(), checkpoint("c" * 64, created=None)]
    assert decode(experiment(checkpoints=checkpoints))[2]["time"] == "2021-01-02T03:04:06.000001Z"


def test_checkpoints_of_one_moment_keep_their_order() -> None:
    ids = [digit * 64 for digit in "7b3a9"]
    bodies = decode(experiment(checkpoints=[checkpoint(one) for one in ids]))[1:]
    assert [body["id"] for body in bodies] == ids
    assert len({body["time"] for body in bodies}) == len(ids)


def test_checkpoints_of_a_clock_that_was_set_back_are_in_the_order_of_their_times() -> None:
    checkpoints = [checkpoint(), checkpoint("c" * 64, created="2020-01-01T00:00:00Z")]
    assert [body["id"][0] for body in decode(experiment(checkpoints=checkpoints))] == ["a", "c", "b"]


def test_what_replicate_wrote_has_its_version() -> None:
    assert decode(experiment(replicate_version="0.1.2", keepsake_version=""))[0]["keepsake_version"] == "0.1.2"


def test_unknown_fields_are_kept() -> None:
    fields: dict[str, Any] = {"config": {"repository": "file:///x", "storage": ""}, "tags": "not ours"}
    assert decode(experiment(**fields))[0]["format_1"] == fields | {"created": "2021-01-02T03:04:05.123456789Z"}


@pytest.mark.parametrize(
    ("pair", "read"),
    [
        (None, None),
        ({"name": "loss", "goal": "minimize"}, {"name": "loss", "goal": "minimize"}),
        ({"name": "acc", "goal": "maximize"}, {"name": "acc", "goal": "maximize"}),
        ({"name": "acc", "goal": "MAX"}, {"name": "acc", "goal": "minimize"}),
        ({"goal": "maximize"}, None),
        ("loss", None),
    ],
)
def test_a_primary_metric_is_read_as_the_old_program_did(pair: object, read: object) -> None:
    assert decode(experiment(checkpoints=[checkpoint(primary_metric=pair)]))[1].get("primary_metric") == read


def test_files_are_referred_to_by_the_id_of_their_owner() -> None:
    bodies = decode(experiment(path=".", checkpoints=[checkpoint(path="weights/"), checkpoint("c" * 64)]))
    assert [body.get("manifests") for body in bodies] == [[EXPERIMENT], [CHECKPOINT], None]


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"id": "short"},
        {"id": None},
        experiment("c" * 64),
        experiment(params=[1]),
        experiment(checkpoints={"a": 1}),
        experiment(checkpoints=[7]),
        experiment(checkpoints=[{"id": "../../etc/passwd"}]),
        experiment(checkpoints=[checkpoint(metrics="x")]),
    ],
)
def test_what_is_no_experiment_is_damage(document: object) -> None:
    with pytest.raises(CorruptionError):
        decode(document)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_experiment_or_damage(data: bytes) -> None:
    with pytest.raises(CorruptionError):
        decode_experiment(data, EXPERIMENT, modified=MODIFIED)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_fields = st.dictionaries(
    st.sampled_from(["created", "params", "path", "user", "checkpoints", "python_packages", "metrics", "step"]), _json
)


@given(_fields, st.lists(_fields, max_size=3))
def test_fields_of_any_kind_make_events_or_damage(fields: dict[str, Any], checkpoints: list[dict[str, Any]]) -> None:
    document = {"checkpoints": [checkpoint() | one for one in checkpoints]} | fields | {"id": EXPERIMENT}
    try:
        bodies = decode(document)
    except CorruptionError:
        return
    times = [body["time"] for body in bodies[1:]]
    assert bodies[0]["type"] == "experiment"
    assert times == sorted(times)
