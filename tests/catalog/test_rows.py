"""Lines that are taken apart as arrays say what they say when each is decoded as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._catalog import rows as rows_module
from keepsake._catalog.growth import Growth
from keepsake._catalog.lineshapes import LineReader
from keepsake._catalog.measurements import Measurements, no_measurements
from keepsake._catalog.rows import take_lines
from keepsake._model.keys import SegmentName
from keepsake._model.lines import encode_line
from keepsake._repository.journal import Journal, read_events
from keepsake.testing.strategies import values

NAME = SegmentName("e" * 64, "5" * 32, 0, None)

numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.just(0), st.just(-0.0), st.just(1e300)
)
odd = st.one_of(st.floats(), st.none(), st.booleans(), st.text(max_size=4), st.just(10**400), st.just({}), st.just([]))
names = st.sampled_from(["loss", "val/acc", "a", "a.b", "é", "$x", 'q"', "lr"])
nested = st.dictionaries(names, st.one_of(numbers, odd), max_size=2)
metrics = st.dictionaries(names, st.one_of(numbers, numbers, numbers, odd, nested, values()), max_size=4)
times = st.integers(0, 3).map(lambda number: f"2026-02-{27 + number:02}T23:59:5{number}.00000{number}Z")
bodies = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("log"), "metrics": metrics}, optional={"step": st.one_of(st.integers(), st.none(), odd)}
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("checkpoint"),
            "id": st.one_of(st.integers(0, 2**256 - 1).map("{:064x}".format), st.text(max_size=5)),
            "metrics": metrics,
            "step": st.integers(0, 100),
            "path": st.one_of(st.none(), st.just("model")),
            "manifests": st.lists(st.just("m" * 64), max_size=2),
        }
    ),
    st.fixed_dictionaries({"type": st.sampled_from(["experiment", "delete", "stop", "new"]), "x": values()}),
    st.fixed_dictionaries({"type": st.just("delete"), "checkpoints": st.just(["0" * 64])}),
)


@st.composite
def journals(draw: st.DrawFn) -> bytes:
    """Lines of which many share a shape, at times that mostly go on."""
    shapes = draw(st.lists(bodies, min_size=1, max_size=4))
    lines = []
    for number in range(draw(st.integers(1, 12))):
        body = dict(draw(st.sampled_from(shapes)))
        if isinstance(body.get("metrics"), dict):
            body["metrics"] = {
                name: draw(numbers) if type(value) in (int, float) else value for name, value in body["metrics"].items()
            }
        time = draw(st.one_of(st.just(f"2026-01-01T00:00:{number:02}.123456Z"), times, st.just("no time")))
        lines.append(encode_line(body | {"time": time}, place=NAME.place))
    return b"".join(lines)


def read_slowly(data: bytes) -> Measurements:
    growth = Growth(no_measurements())
    journal = Journal(NAME.experiment_id)
    read_events(NAME, data, journal)
    growth.add(NAME.session_id, [event.body for event in journal.events])
    return growth.result()


def read(*parts: bytes) -> Measurements:
    growth = Growth(no_measurements())
    for part in parts:
        growth.add_lines(NAME, part)
    return growth.result()


def facts(found: Measurements) -> Any:
    columns = {
        name: (column.rows.tolist(), [value if np.isfinite(value) else None for value in column.values.tolist()])
        for name, column in found.columns.items()
        if column is not None
    }
    bases = [array.tolist() for array in (found.times_us, found.steps, found.writers, found.checkpoints)]
    rest = (found.sessions, found.deleted, found.is_deleted, found.began_us, found.last_events)
    return repr((bases, sorted(columns.items()), rest))


@pytest.fixture(scope="module", params=[0, rows_module.FEW_LINES], autouse=True)
def few_lines(request: pytest.FixtureRequest) -> Iterator[None]:
    """Look for shapes in the fewest lines, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_module, "FEW_LINES", request.param)
        yield


@given(journals())
def test_lines_read_together_say_what_each_says_alone(data: bytes) -> None:
    assert facts(read(data)) == facts(read_slowly(data))


@given(journals(), st.integers(0, 12))
def test_a_journal_may_be_read_in_parts(data: bytes, count: int) -> None:
    lines = data.splitlines(keepends=True)
    first, rest = b"".join(lines[:count]), b"".join(lines[count:])
    assert facts(read(*filter(None, (first, rest)))) == facts(read_slowly(data))


@given(journals(), st.data())
def test_a_damaged_line_is_left_out_and_no_other(data: bytes, draw: st.DataObject) -> None:
    damaged = bytearray(data)
    damaged[draw.draw(st.integers(0, len(data) - 1))] ^= draw.draw(st.integers(1, 255))
    whole = bytes(damaged[: damaged.rfind(b"\n") + 1])
    if whole:
        assert facts(read(whole)) == facts(read_slowly(whole))


def long_journal(count: int = 1000) -> bytes:
    lines = []
    for number in range(count):
        body: dict[str, Any] = {"type": "log", "metrics": {"loss": 1 / (number + 1), "lr": 1e-05}, "step": number}
        if number % 10 == 0:
            body = {"type": "checkpoint", "id": f"{number:064x}"[::-1], "step": number, "metrics": {"acc": number}}
        time = f"2026-01-01T00:{number // 60:02}:{number % 60:02}.123456Z"
        lines.append(encode_line(body | {"time": time}, place=NAME.place))
    return b"".join(lines)


def test_lines_of_a_training_loop_are_not_decoded_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    data = long_journal()
    decoded: list[int] = []

    def count_lines(rest: bytes, *, place: bytes) -> dict[int, dict[str, Any]]:
        assert place == NAME.place
        decoded.append(rest.count(b"\n"))
        return {}

    monkeypatch.setattr(rows_module, "decode_lines", count_lines)
    taken = take_lines(data, NAME.place)
    assert decoded == [0]
    assert taken is not None
    assert len(taken.rows.times_us) == 1000
    assert set(taken.rows.columns) == {"loss", "lr", "acc"}


def test_lines_of_another_journal_are_damage() -> None:
    assert take_lines(long_journal(3), b"other") is None


def test_more_shapes_than_are_looked_for_are_left_to_the_decoder() -> None:
    lines = [
        encode_line(
            {"type": "log", "metrics": {f"m{number}": number}, "time": f"2026-01-01T00:00:{number:02}.000000Z"},
            place=NAME.place,
        )
        for number in range(40)
    ]
    data = b"".join(lines)
    assert len(list(LineReader(data).find_shaped(np.ones(40, bool)))) == 16
    assert facts(read(data)) == facts(read_slowly(data))
