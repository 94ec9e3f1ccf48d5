"""What the table of experiments works out: which columns, in which order, which groups."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.ui.browser.conftest import RunModule

ANSWER: dict[str, Any] = {
    "cursor": "1",
    "ids": [f"{number:012x}" for number in range(4)],
    "columns": [
        {
            "name": "created",
            "group": "experiment",
            "key": "created",
            "values": [f"2026-01-0{day}T00:00:00+00:00" for day in (1, 2, 3, 4)],
        },
        {
            "name": "status",
            "group": "experiment",
            "key": "status",
            "values": ["finished", "running"],
            "codes": [0, 0, 1, 0],
        },
        {"name": "notes", "group": "experiment", "key": "notes", "values": ["a note", None, None, None]},
        {"name": "user", "group": "environment", "key": "user", "values": ["ada"] * 4},
        {"name": "host", "group": "environment", "key": "host", "values": ["a", "a", "b", "b"]},
        {"name": "params.lr", "group": "params", "key": "lr", "values": [0.1, "auto", 0.001, None]},
        {"name": "params.model", "group": "params", "key": "model", "values": ["vit, large", "cnn", "cnn", None]},
        {"name": "params.same", "group": "params", "key": "same", "values": [1, 1, 1, 1]},
        {"name": "best.loss", "group": "best.metrics", "key": "loss", "values": [0.5, 0.25, "NaN", None]},
        {"name": "latest.loss", "group": "latest.metrics", "key": "loss", "values": [0.6, 0.25, "NaN", None]},
        {"name": "primary.name", "group": "primary", "key": "name", "values": ["loss", "loss", "loss", None]},
        {
            "name": "primary.goal",
            "group": "primary",
            "key": "goal",
            "values": ["minimize", "minimize", "minimize", None],
        },
    ],
}
TABLE = "const { Table } = await import('/static/core/table.js'); const table = Table.fromAnswer(answer);"


def run_with_table(run_module: RunModule, module: str, code: str, *given: Any) -> Any:
    return run_module(module, f"async (m, answer, ...given) => {{ {TABLE} return {code}; }}", ANSWER, *given)


def test_what_is_shown_at_first_is_what_it_is_how_good_it_became_and_what_went_in(run_module: RunModule) -> None:
    ids = run_with_table(run_module, "core/columns.js", "m.defaultLayout(m.listColumns(table)).map(({ id }) => id)")
    assert ids == [
        "id",
        "status",
        "created",
        "metrics.loss",
        "curve",
        "params.lr",
        "params.model",
        "params.same",
        "host",
    ]


def test_a_switch_turns_all_metrics_from_best_to_latest_or_both(run_module: RunModule) -> None:
    code = "m.listColumns(table, ...given).filter((c) => c.id === 'metrics.loss').map((c) => c.name)"
    assert run_with_table(run_module, "core/columns.js", code, "best") == ["best.loss"]
    assert run_with_table(run_module, "core/columns.js", code, "latest") == ["latest.loss"]
    assert run_with_table(run_module, "core/columns.js", code, "both") == ["best.loss", "latest.loss"]


@pytest.mark.parametrize("name", ["params.lr", "params.`a,b!c~d%e=f`", "metrics.%2c", "params.größe", "a~12"])
def test_a_layout_comes_back_from_the_address_whatever_its_names(run_module: RunModule, name: str) -> None:
    layout = [{"id": "id", "width": None, "isPinned": True}, {"id": name, "width": 120, "isPinned": False}]
    assert run_module("core/columns.js", "(m, layout) => m.parseLayout(m.formatLayout(layout))", layout) == layout


def test_params_that_came_up_after_a_layout_was_kept_are_shown_and_hidden_ones_stay_hidden(
    run_module: RunModule,
) -> None:
    code = """m.chooseLayout("", { cols: "id,status,params.lr", known: given[0] }, m.listColumns(table)).map(
        ({ id }) => id)"""
    known = ["id", "status", "created", "notes", "user", "host", "params.lr", "params.model", "metrics.loss", "curve"]
    assert run_with_table(run_module, "core/columns.js", code, known) == ["id", "status", "params.lr", "params.same"]


def test_the_best_of_all_fits_into_its_column_though_it_was_not_looked_at_for_its_width(run_module: RunModule) -> None:
    code = """(() => {
      const columns = m.listColumns(table);
      const measure = (text) => text.length * 8;
      return m.arrange(m.defaultLayout(columns), columns, measure).find(({ key }) => key === "best.loss").width;
    })()"""
    bold_and_star = 1.1 * 8 * len("0.000114903") + 18
    assert run_with_table(run_module, "core/columns.js", code) >= bold_and_star + 16  # and the space on both sides


def test_the_id_cannot_be_hidden_or_moved(run_module: RunModule) -> None:
    code = """(m) => [m.hideColumn(m.parseLayout("id,a"), "id"), m.moveColumn(m.parseLayout("id,a,b"), "b", 0)].map(
        (layout) => layout.map(({ id }) => id))"""
    assert run_module("core/columns.js", code) == [["id", "a"], ["id", "a", "b"]]
    moved = "(m) => m.moveColumn(m.parseLayout('id,a,b,c'), 'c', 1).map(({ id }) => id)"
    assert run_module("core/columns.js", moved) == ["id", "c", "a", "b"]


def test_only_what_differs_counts_a_missing_value_as_a_difference(run_module: RunModule) -> None:
    code = "m.onlyDiffering(m.listColumns(table), ...given).map(({ id }) => id)"
    both = run_with_table(run_module, "core/columns.js", code, [1, 2])
    assert "params.model" not in both
    assert "params.lr" in both
    assert "params.model" in run_with_table(run_module, "core/columns.js", code, [2, 3])


def test_sorting_puts_what_is_missing_last_both_ways(run_module: RunModule) -> None:
    code = "m.sortTable(table, [0, 1, 2, 3], m.parseSort(given[0]))"
    assert run_with_table(run_module, "core/sort.js", code, "best.loss") == [1, 0, 2, 3]
    assert run_with_table(run_module, "core/sort.js", code, "-best.loss") == [0, 1, 2, 3]
    assert run_with_table(run_module, "core/sort.js", code, "params.lr") == [2, 0, 1, 3]
    assert run_with_table(run_module, "core/sort.js", code, "host,-created") == [1, 0, 3, 2]


def test_names_are_ordered_with_their_numbers_as_numbers(run_module: RunModule) -> None:
    names = ["layer.10/loss", "b", "layer.9/loss", "B", "a2b", "layer", "a10", "a2"]
    ordered = run_module("core/values.js", "(values, names) => names.sort(values.compareNames)", names)
    assert ordered == ["a2", "a2b", "a10", "B", "b", "layer", "layer.9/loss", "layer.10/loss"]


def test_clicks_on_a_header_turn_the_order_round_and_then_leave_it(run_module: RunModule) -> None:
    code = """(m, cases) => cases.map(([text, name, options]) =>
        m.formatSort(m.turnSort(m.parseSort(text), name, options)))"""
    cases = [
        ["", "lr", {}],
        ["lr", "lr", {}],
        ["-lr", "lr", {}],
        ["", "acc", {"isDescendingFirst": True}],
        ["lr", "acc", {"isAdded": True}],
        ["lr,acc", "lr", {"isAdded": True}],
        ["lr,acc", "lr", {}],
        ["`a,b`,lr", "lr", {"isAdded": True}],
    ]
    expected = ["lr", "-lr", "", "-acc", "lr,acc", "-lr,acc", "lr", "`a,b`,-lr"]
    assert run_module("core/sort.js", code, cases) == expected


def test_groups_say_what_their_experiments_came_to_and_stand_as_the_sort_has_them(run_module: RunModule) -> None:
    code = """m.groupPlaces([3, 2, 1, 0], table.column("params.model"), table.column("best.loss"), "minimize").map(
        ({ key, count, best, median, max }) => [key, count, best, median, max])"""
    assert run_with_table(run_module, "core/groups.js", code) == [
        ["", 1, None, None, None],
        ["cnn", 2, 0.25, 0.25, 0.25],
        ["vit, large", 1, 0.5, 0.5, 0.5],
    ]
    keys = ["", "a,b", "%2c", "="]
    opened = "(m, keys) => [...m.parseOpen(m.formatOpen(keys)).keys]"
    assert run_module("core/groups.js", opened, keys) == keys


def test_a_histogram_counts_every_number_once_and_passes_over_what_is_none(run_module: RunModule) -> None:
    values = [*range(100), "NaN", "Infinity", None, "text"]
    counts = run_module("core/groups.js", "(m, v) => m.histogram(v, [...v.keys()], 10)?.counts", values)
    assert counts == [10] * 10
    assert run_module("core/groups.js", "(m) => m.histogram([3, 3], [0, 1])") is None


@pytest.mark.parametrize(
    ("typed", "proposed"),
    [
        ("", "created"),
        ("lo", "best.loss"),
        ("params.l", "params.lr"),
        ("status = finished and mo", "params.model"),
        ("not (sam", "params.same"),
        ("status ", "="),
        ("params.same ", "<"),
        ("status = ", "finished"),
        ("status = fin", "finished"),
        ("model = ", "cnn"),
        ("status in (", "finished"),
        ("status not in (running, ", "finished"),
        ("status = finished ", "and"),
        ("created > 1d", "1d ago"),
    ],
)
def test_the_filter_proposes_names_operators_and_values(run_module: RunModule, typed: str, proposed: str) -> None:
    code = "m.complete(given[0], given[0].length, table).items.map(({ text }) => text)"
    assert run_with_table(run_module, "core/completion.js", code, typed)[0] == proposed


def test_a_proposal_takes_the_place_of_what_was_typed_of_it(run_module: RunModule) -> None:
    code = "m.insertProposal(given[0], m.complete(given[0], given[1], table), given[2])"
    assert run_with_table(run_module, "core/completion.js", code, "params.l and x", 8, "params.lr") == {
        "text": "params.lr and x",
        "caret": 10,
    }
    quoted = run_with_table(run_module, "core/completion.js", "m.complete('model = vi', 10, table).items[0].text")
    assert quoted == '"vit, large"'


def test_a_condition_is_added_so_that_an_or_before_it_stays_together(run_module: RunModule) -> None:
    code = "(m, text) => m.addToFilter(text, 'c = 1')"
    assert run_module("core/completion.js", code, " ") == "c = 1"
    assert run_module("core/completion.js", code, "a = 1") == "a = 1 and c = 1"
    assert run_module("core/completion.js", code, "a = 1 or b = 2") == "(a = 1 or b = 2) and c = 1"


def test_what_is_shown_can_be_called_in_python_and_on_the_command_line(run_module: RunModule) -> None:
    python = run_module("core/sharing.js", "(m, ...given) => m.pythonCall(...given)", 'name = "a\\"b"', "-best.loss,lr")
    assert python == 'keepsake.experiments.list(filter="name = \\"a\\\\\\"b\\"", sort="best.loss-desc,lr")'
    assert run_module("core/sharing.js", "(m) => m.pythonCall('', '')") == "keepsake.experiments.list()"
    shell = run_module("core/sharing.js", "(m, ...given) => m.shellCommand(...given)", "name ~ it's", "lr")
    assert shell == "keepsake ls -f 'name ~ it'\\''s' -s lr"


def test_a_csv_quotes_what_needs_it_and_holds_no_formula(run_module: RunModule) -> None:
    code = """(m, values) => m.toCsv({ ids: values.map((_, place) => `id${place}`) }, [...values.keys()],
        [{ name: "params.x", column: { values } }])"""
    values = [1.5, "a,b", 'say "x"', "=1+1", None, [1, 2], "-Infinity", True]
    assert run_module("core/sharing.js", code, values).split("\r\n") == [
        "id,params.x",
        "id0,1.5",
        'id1,"a,b"',
        'id2,"say ""x"""',
        "id3,'=1+1",
        "id4,",
        'id5,"[1,2]"',
        "id6,-Infinity",
        "id7,true",
        "",
    ]


def test_rows_in_view_and_a_margin_are_drawn_and_none_that_are_not_there(run_module: RunModule) -> None:
    code = "(m, ...given) => m.rowWindow(...given)"
    assert run_module("core/window.js", code, 0, 280, 28, 10_000) == [0, 16]
    first, stop = run_module("core/window.js", code, 28 * 5_000, 280, 28, 10_000)
    assert first <= 4_995
    assert stop >= 5_015
    assert stop - first < 32
    assert run_module("core/window.js", code, 28 * 9_990, 280, 28, 10_000)[1] == 10_000
    assert run_module("core/window.js", code, 5_000, 280, 28, 3) == [3, 3]


def test_an_update_shares_the_columns_in_which_nothing_has_changed(run_module: RunModule) -> None:
    change: dict[str, Any] = {"cursor": "2", "ids": ["000000000002"], "removed": []}
    change["columns"] = [
        {"name": column["name"], "group": column["group"], "key": column["key"], "values": [value]}
        for column in ANSWER["columns"]
        for value in [column["values"][column["codes"][2]] if "codes" in column else column["values"][2]]
    ]
    change["columns"][1]["values"] = ["finished"]
    code = """(() => { const after = table.withChanges(given[0]);
        return after.columns.filter((column, at) => column !== table.columns[at]).map(({ name }) => name); })()"""
    assert run_with_table(run_module, "core/table.js", code, change) == ["status"]


def test_curves_are_asked_for_together_once_and_only_while_they_are_in_view(run_module: RunModule) -> None:
    code = """async (m) => {
        const asked = [];
        const sparks = new m.Sparks(async (ids) => {
            asked.push(ids);
            return new Map(ids.map((id) => [id, { x: [0, 1], y: [0, 1] }]));
        });
        const wait = () => new Promise((resolve) => setTimeout(resolve, 120));
        let drawn = 0;
        sparks.watch("a", () => drawn++);
        sparks.watch("b", () => drawn++)();
        sparks.watch("c", () => drawn++);
        await wait();
        sparks.watch("a", () => drawn++);
        await wait();
        sparks.renew(["a", "b"]);
        await wait();
        return [asked, drawn];
    }"""
    assert run_module("core/sparks.js", code) == [[["a", "c"], ["a"]], 4]


def test_a_small_curve_has_gaps_where_there_is_no_number(run_module: RunModule) -> None:
    code = "(m) => m.sparkPath({ x: [0, 1, 2, 3, 4], y: [0, 1, NaN, 0, 1] }, 103, 23)"
    path = run_module("core/sparks.js", code)
    assert re.findall("[ML]", path) == ["M", "L", "M", "L"]
    ending = "(m) => m.sparkPath({ x: [0, 1, 2, 3, 4], y: [0, 1, 0, NaN, NaN] }, 103, 23)"
    assert run_module("core/sparks.js", ending).endswith("L51.5 21.5")  # it went on, to no number


def test_the_keys_are_listed_from_what_is_bound_and_arrows_stay_when_letters_are_off(run_module: RunModule) -> None:
    code = """(m) => {
        const done = [];
        const run = (event) => done.push(event.key);
        const end = m.bindKeys("Here", [{ keys: ["q", "ArrowDown"], label: "Try", run }]);
        const press = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        const listed = m.listKeys().map(({ label }) => label);
        m.switchKeys(false);
        press("q");
        press("ArrowDown");
        m.switchKeys(true);
        press("q");
        end();
        press("q");
        return [listed, done];
    }"""
    assert run_module("core/keys.js", code) == [["Try"], ["ArrowDown", "q"]]
