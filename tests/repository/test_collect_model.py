"""The handshake of writers and collectors as a model, small enough to try every order in which its steps can happen.

Every step is one operation on the store. Two writers save the same content, two collectors run beside them; one
experiment has just been deleted, so that the chunk lies there unreached. In every state, an event that stands in a
journal must find a copy of its chunk. The variants at the end break one rule each, and each of them loses data: so the
model would notice if a rule were not needed, or not kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import pytest


class Store(NamedTuple):
    """What is in the store: keys of copies of the one chunk, garbage lists by collector, intents, events."""

    copies: frozenset[str]
    lists: frozenset[tuple[int, frozenset[str]]] = frozenset()
    intents: frozenset[int] = frozenset()
    events: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Rules:
    """The order of things; the defaults are those that Keepsake keeps."""

    intent_before_lookup: bool = True
    intents_before_journals: bool = True
    second_mark: bool = True
    fresh_key_when_condemned: bool = True


class Process(NamedTuple):
    """A writer or collector: the step it is at, and what it remembers."""

    kind: str
    number: int
    step: str
    condemned: frozenset[str] = frozenset()
    plan: frozenset[str] = frozenset()
    is_reached: bool = False


def writer_step(me: Process, store: Store, rules: Rules) -> tuple[Process, Store] | None:
    n = me.number
    if me.step == "capture":
        after = "intend" if rules.intent_before_lookup else "list"
        return me._replace(step=after), store._replace(copies=store.copies | {"plain"})
    if me.step == "intend":
        after = "list" if rules.intent_before_lookup else "append"
        return me._replace(step=after), store._replace(intents=store.intents | {n})
    if me.step == "list":
        condemned = frozenset(key for _, keys in store.lists for key in keys)
        return me._replace(step="look up", condemned=condemned), store
    if me.step == "look up":
        after = "append" if rules.intent_before_lookup else "intend"
        if not store.copies:
            # Gone altogether: the intent is withdrawn, and everything begins again.
            return me._replace(step="withdraw"), store
        if store.copies - me.condemned or not rules.fresh_key_when_condemned:
            return me._replace(step=after), store
        return me._replace(step=after), store._replace(copies=store.copies | {f"fresh {n}"})
    if me.step == "withdraw":
        return me._replace(step="capture"), store._replace(intents=store.intents - {n})
    if me.step == "append":
        return me._replace(step="finish"), store._replace(events=store.events | {n})
    if me.step == "finish":
        return me._replace(step="done"), store._replace(intents=store.intents - {n})
    return None


def collector_step(me: Process, store: Store, rules: Rules) -> tuple[Process, Store] | None:
    first, second = ("intents", "journals") if rules.intents_before_journals else ("journals", "intents")
    looks = {"intents": bool(store.intents), "journals": bool(store.events)}
    if me.step == "stored":
        return me._replace(step="mark", plan=store.copies), store
    if me.step in ("mark", "mark again"):
        return me._replace(step=f"finish {me.step}", is_reached=looks[first]), store
    if me.step == "finish mark":
        is_over = me.is_reached or looks[second] or not me.plan
        return me._replace(step="done" if is_over else "publish"), store
    if me.step == "publish":
        after = "mark again" if rules.second_mark else "delete"
        return me._replace(step=after), store._replace(lists=store.lists | {(me.number, me.plan)})
    if me.step == "finish mark again":
        return me._replace(step="withdraw" if me.is_reached or looks[second] else "delete"), store
    if me.step == "delete":
        left = sorted(me.plan & store.copies)
        if not left:
            return me._replace(step="withdraw"), store
        return me, store._replace(copies=store.copies - {left[0]})
    if me.step == "withdraw":
        own = frozenset(one for one in store.lists if one[0] == me.number)
        return me._replace(step="done"), store._replace(lists=store.lists - own)
    return None


def count_losses(rules: Rules, *, writers: int = 2, collectors: int = 2) -> tuple[int, int]:
    """Try every order; return how many states there are, and in how many of them data is lost."""
    start = (
        *(Process("writer", n, "capture") for n in range(writers)),
        *(Process("collector", n, "stored") for n in range(collectors)),
    )
    pending = [(start, Store(frozenset({"plain"})))]
    seen = set(pending)
    losses = 0
    while pending:
        processes, store = pending.pop()
        losses += bool(store.events) and not store.copies
        for place, process in enumerate(processes):
            step = writer_step if process.kind == "writer" else collector_step
            outcome = step(process, store, rules)
            if outcome is None:
                continue
            state = ((*processes[:place], outcome[0], *processes[place + 1 :]), outcome[1])
            if state not in seen:
                seen.add(state)
                pending.append(state)
    return len(seen), losses


def test_in_no_order_of_steps_is_anything_lost() -> None:
    states, losses = count_losses(Rules())
    assert losses == 0
    assert states > 10_000


@pytest.mark.parametrize(
    "broken",
    [
        replace(Rules(), intent_before_lookup=False),
        replace(Rules(), intents_before_journals=False),
        replace(Rules(), second_mark=False),
        replace(Rules(), fresh_key_when_condemned=False),
    ],
    ids=["intent after the look-up", "journals before intents", "no second mark", "condemned copies trusted"],
)
def test_breaking_any_rule_loses_data(broken: Rules) -> None:
    assert count_losses(broken)[1] > 0
