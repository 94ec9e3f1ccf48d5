"""Experiments are the fold of their events: laws that hold for any events in any order."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from keepsake._model.events import Event, ExperimentState, find_end, fold_events, open_sessions, references
from keepsake._model.times import format_time

ID = "e" * 64
SESSIONS = ("s1", "s2", "s3")
TIMES = [f"2026-01-01T00:00:0{second}.000000Z" for second in range(6)]


def bodies() -> st.SearchStrategy[dict[str, Any]]:
    """Draw events of every known type."""
    metrics = st.dictionaries(st.sampled_from("abc"), st.integers(0, 9), max_size=2)
    return st.one_of(
        st.fixed_dictionaries({"type": st.just("experiment"), "id": st.just(ID), "params": metrics}),
        st.fixed_dictionaries(
            {"type": st.just("checkpoint"), "id": st.sampled_from("xyz"), "step": st.integers(0, 5), "metrics": metrics}
        ),
        st.fixed_dictionaries({"type": st.just("log"), "metrics": metrics}),
        st.fixed_dictionaries(
            {"type": st.just("annotate")},
            optional={"name": st.sampled_from(["n", "m", None]), "tags": st.lists(st.sampled_from("pq"), max_size=2)},
        ),
        st.fixed_dictionaries(
            {"type": st.just("stop"), "status": st.sampled_from(["finished", "failed", "lost"])},
            optional={"session": st.sampled_from(SESSIONS)},
        ),
        st.fixed_dictionaries({"type": st.just("delete"), "checkpoints": st.lists(st.sampled_from("xyz"), max_size=2)}),
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Draw the events of up to three sessions, as their journals have them, with a beginning."""
    begin = Event(TIMES[0], SESSIONS[0], (0, 0), {"type": "experiment", "id": ID, "time": TIMES[0], "params": {"p": 1}})
    events = [begin]
    for session_id in SESSIONS:
        times = sorted(draw(st.sets(st.sampled_from(TIMES), max_size=5)))
        for number, time in enumerate(times, start=1):
            events.append(Event(time, session_id, (0, number), draw(bodies()) | {"time": time}))
    return events


@given(histories(), st.randoms())
def test_the_order_in_which_events_are_read_changes_nothing(events: list[Event], random: Any) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    assert fold_events(ID, shuffled) == fold_events(ID, events)


@given(histories(), st.sampled_from(TIMES), st.sampled_from(SESSIONS), st.integers(0, 20))
def test_a_deleted_experiment_is_gone_whenever_it_was_deleted(
    events: list[Event], time: str, session_id: str, place: int
) -> None:
    deletion = Event(time, session_id, (9, 9), {"type": "delete", "time": time})
    assert fold_events(ID, [*events[:place], deletion, *events[place:]]) is None


@given(histories(), st.lists(st.sampled_from("xyz"), min_size=1))
def test_a_deleted_checkpoint_is_gone_whenever_it_was_deleted(events: list[Event], ids: list[str]) -> None:
    deletion = Event(TIMES[0], "s0", (0, 0), {"type": "delete", "checkpoints": ids, "time": TIMES[0]})
    state = fold_events(ID, [*events, deletion])
    assert state is not None
    assert {body["id"] for body in state.checkpoints}.isdisjoint(ids)


@given(histories(), st.sampled_from(TIMES), st.dictionaries(st.text(), st.integers()))
def test_unknown_types_change_nothing(events: list[Event], time: str, fields: dict[str, Any]) -> None:
    unknown = Event(time, SESSIONS[0], (8, 0), fields | {"type": "from the future", "time": time})
    before, after = fold_events(ID, events), fold_events(ID, [*events, unknown])
    assert before is not None
    assert after is not None
    before.last_time = after.last_time = ""
    assert after == before


@given(histories(), st.dictionaries(st.text(min_size=9), st.integers()))
def test_unknown_fields_are_kept_and_ignored(events: list[Event], fields: dict[str, Any]) -> None:
    more = [event._replace(body={**event.body, **fields}) for event in events]
    before, after = fold_events(ID, events), fold_events(ID, more)
    assert before is not None
    assert after is not None
    assert [{**body, **fields} for body in before.checkpoints] == list(after.checkpoints)
    assert (before.name, before.tags, open_sessions(before)) == (after.name, after.tags, open_sessions(after))


@given(histories())
def test_nothing_of_a_session_is_lost_or_counted_twice(events: list[Event]) -> None:
    state = fold_events(ID, events)
    assert state is not None
    deleted = {one for event in events if event.body["type"] == "delete" for one in event.body.get("checkpoints", ())}
    written = {event.body["id"] for event in events if event.body["type"] == "checkpoint"} - deleted
    assert sorted(body["id"] for body in state.checkpoints) == sorted(written)
    assert len(state.logs) == sum(event.body["type"] == "log" for event in events)
    times = [body["time"] for body in state.checkpoints]
    assert times == sorted(times)


@given(histories(), st.integers(0, 20))
def test_what_a_session_wrote_twice_counts_once(events: list[Event], place: int) -> None:
    written = events[place % len(events)]
    again = written._replace(position=(9, 0))
    assert fold_events(ID, [*events, again]) == fold_events(ID, events)


@given(histories())
def test_what_a_session_says_of_its_end_counts_more_than_what_others_say(events: list[Event]) -> None:
    state = fold_events(ID, events)
    assert state is not None
    for session in state.sessions.values():
        own = [e.body for e in events if e.session_id == session.id and _is_own_stop(e)]
        said = [e.body for e in events if e.body["type"] == "stop" and e.body.get("session") == session.id]
        if own:
            assert session.stop in own
        elif said:
            assert session.stop in said
        else:
            assert session.stop is None


def _is_own_stop(event: Event) -> bool:
    return event.body["type"] == "stop" and "session" not in event.body


def test_without_its_beginning_there_is_no_experiment() -> None:
    assert fold_events(ID, []) is None
    assert fold_events(ID, [Event(TIMES[0], "s1", (0, 0), {"type": "log", "time": TIMES[0]})]) is None


def _state(*stops: tuple[str, dict[str, Any]]) -> ExperimentState:
    events = [Event(TIMES[0], "s1", (0, 0), {"type": "experiment", "time": TIMES[0]})]
    for number, (session_id, body) in enumerate(stops, start=1):
        events.append(Event(TIMES[number], session_id, (0, number), {"type": "stop", "time": TIMES[number], **body}))
    state = fold_events(ID, events)
    assert state is not None
    return state


def _end(*stops: tuple[str, dict[str, Any]]) -> str | None:
    end = find_end(_state(*stops))
    return None if end is None else str(end["status"])


def test_the_creating_sessions_word_says_how_an_experiment_ended() -> None:
    finished, failed, lost = ({"status": status} for status in ("finished", "failed", "lost"))
    assert _end() is None
    assert _end(("s1", finished)) == "finished"
    assert _end(("s1", failed), ("s2", finished)) == "failed"
    assert _end(("s2", failed), ("s3", finished)) == "finished"
    assert _end(("s9", lost | {"session": "s1"})) == "lost"
    assert _end(("s1", finished), ("s9", lost | {"session": "s1"})) == "finished"
    assert _end(("s9", lost | {"session": "s1"}), ("s1", finished)) == "finished"
    assert _end(("s9", lost | {"session": "s1"}), ("s2", finished)) == "finished"
    assert _end(("s2", finished), ("s9", lost | {"session": "s1"})) == "finished"


def test_references_are_found_in_any_type() -> None:
    assert references({"type": "from the future", "manifests": ["a", "b", 3]}) == ["a", "b"]
    assert references({"type": "log"}) == references({"type": "log", "manifests": None}) == []


def test_times_in_the_tests_have_the_format_of_events() -> None:
    from keepsake._model.times import parse_time

    assert [format_time(parse_time(time)) for time in TIMES] == TIMES
