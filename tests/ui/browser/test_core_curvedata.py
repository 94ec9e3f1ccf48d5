"""The curves of a chart: whatever the order of answers, what is shown is what was asked for last."""

from __future__ import annotations

from typing import Any

from tests.ui.browser.conftest import RunModule

WORLD = """
    const asked = [], { fetch } = window;
    const encode = (ids, value, points) => {
        const series = ids.map((id) => ({ id, count: 2, points }));
        const head = new TextEncoder().encode(JSON.stringify({ metric: "loss", x: "step", series }));
        const start = 4 + head.length + ((8 - ((4 + head.length) % 8)) % 8);
        const bytes = new Uint8Array(start + 32 * ids.length);
        new DataView(bytes.buffer).setUint32(0, head.length, true);
        bytes.set(head, 4);
        new Float64Array(bytes.buffer, start).set(ids.flatMap(() => [0, 1, value, value]));
        return { ok: true, arrayBuffer: async () => bytes.buffer };  // there at once, so that `settle` is enough
    };
    window.fetch = (address) => new Promise((resolve, reject) => {
        const query = new URL(address, location).searchParams, ids = query.get("ids").split(",");
        const answer = (value, points = 2) => (resolve(encode(ids, value, points)), settle());
        const fail = () => (reject(new TypeError("away")), settle());
        asked.push({ ids: ids.join(), x: query.get("x"), from: query.get("from"), answer, fail });
    });
    const settle = () => new Promise((resolve) => setTimeout(resolve));
    const values = (curves) => Object.fromEntries([...curves].map(([id, { ys }]) => [id, ys[0]]));
    const data = new m.CurveData();
    const load = (ids, more = {}) => void data.load({ ids: [...ids], metric: "loss", x: "step", width: 100, ...more });
    const shown = () => {
        const { whole, detail, isLoading, error } = data.state.get();
        return [values(whole), detail && values(detail.curves), isLoading, error?.message ?? null];
    };
"""


def run(run_module: RunModule, code: str) -> Any:
    """Run code with a `CurveData` whose questions are answered by hand, and return what it returns."""
    script = f"async (m) => {{ {WORLD} try {{ {code} }} finally {{ window.fetch = fetch; }} }}"
    return run_module("core/curvedata.js", script)


def test_a_late_answer_replaces_nothing_that_was_asked_for_after_it(run_module: RunModule) -> None:
    found = run(
        run_module,
        """load("ab"); load("bc");
        await asked[1].answer(2); const before = shown();
        await asked[0].answer(1); return [before, shown()];""",
    )
    assert found == [[{"b": 2, "c": 2}, None, False, None]] * 2


def test_an_answer_for_others_does_not_end_loading(run_module: RunModule) -> None:
    found = run(run_module, 'load("a"); load("b"); await asked[0].answer(1); return shown();')
    assert found == [{}, None, True, None]


def test_what_an_update_brought_is_not_replaced_by_the_first_answer(run_module: RunModule) -> None:
    found = run(
        run_module,
        """load("ab"); data.refresh(["a"]);
        await asked[1].answer(2); await asked[0].answer(1); return [asked[1].ids, shown()];""",
    )
    assert found == ["a", [{"a": 2, "b": 1}, None, False, None]]


def test_what_has_changed_while_it_was_not_shown_is_fetched_when_it_is(run_module: RunModule) -> None:
    found = run(
        run_module,
        """load("ab"); await asked[0].answer(1); load("a"); data.refresh(["b"]); load("ab");
        return asked.map(({ ids }) => ids);""",
    )
    assert found == ["a,b", "b"]


def test_curves_by_another_x_are_gone_at_once_and_those_of_another_width_stay(run_module: RunModule) -> None:
    found = run(
        run_module,
        """load("a"); await asked[0].answer(1);
        load("a", { width: 2000 }); const wide = shown();
        load("a", { x: "time" }); return [wide, shown()];""",
    )
    assert found == [[{"a": 1}, None, False, None], [{}, None, True, None]]


def test_what_failed_is_asked_for_again_with_the_next_change_and_on_demand(run_module: RunModule) -> None:
    found = run(
        run_module,
        """load("ab"); await asked[0].fail(); const failed = shown();
        data.refresh(["a"]); await asked[1].fail();
        data.retry(); const begun = shown(); await asked[2].answer(1);
        return [failed, begun, shown(), asked.map(({ ids }) => ids)];""",
    )
    failed, begun, there, asked = found
    assert failed[2:] == [False, "the server does not answer"]
    assert begun[2:] == [True, None]
    assert there == [{"a": 1, "b": 1}, None, False, None]
    assert asked == ["a,b"] * 3


def test_a_curve_that_is_shown_again_is_as_fine_as_the_others(run_module: RunModule) -> None:
    found = run(
        run_module,
        """load("ab"); await asked[0].answer(1, 9); load("a");
        data.zoom([0, 1]); await asked[1].answer(5); load("ab");
        data.zoom([0, 1]); await asked[2].answer(6); return [asked[2].ids, asked[2].from, shown()[1]];""",
    )
    assert found == ["b", "0", {"a": 5, "b": 6}]


def test_metrics_that_could_not_be_asked_for_are_asked_for_again(run_module: RunModule) -> None:
    found = run_module(
        "core/metrics.js",
        """async (m) => {
            const { fetch } = window; let count = 0;
            window.fetch = async () => {
                if (!count++) throw new TypeError("away");
                return new Response(JSON.stringify({ metrics: [{ name: "loss" }] }));
            };
            try {
                const first = m.loggedMetrics(["a"]), again = m.loggedMetrics(["a"]);
                const failed = await first.answer.catch(({ message }) => message);
                const names = await m.loggedMetrics(["a"]).answer;
                return [first === again, failed, names, m.loggedMetrics(["a"]).names, count];
            } finally { window.fetch = fetch; }
        }""",
    )
    assert found == [True, "the server does not answer", ["loss"], ["loss"], 2]
