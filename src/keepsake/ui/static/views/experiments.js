// The landing page: all experiments as a table. What is shown and how follows from the address; here it is put together.

import { html, useEffect, useLayoutEffect, useMemo, useRef, useState, useStore } from "../parts/ui.js";
import { current, go, setQuery, sharedAddress } from "../core/address.js";
import { arrange, formatLayout, isExtreme, listColumns, onlyDiffering, primaryMetric } from "../core/columns.js";
import { formatOpen, groupableColumns, groupPlaces, groupRows, parseOpen } from "../core/groups.js";
import { bindKeys } from "../core/keys.js";
import { layoutActions, readLayout } from "../core/layout.js";
import { textWidth } from "../core/measure.js";
import { model, MOST_SELECTED, select } from "../core/model.js";
import { formatSort, parseSort, turnSort } from "../core/sort.js";
import { askCurves, Sparks } from "../core/sparks.js";
import { toNumber } from "../core/values.js";
import { readViews, recogniseView, viewOf } from "../core/views.js";
import { cellDrawer, groupDrawer } from "../parts/cells.js";
import { compareAddress } from "../parts/frame.js";
import { Grid } from "../parts/grid.js";
import { Lazy } from "../parts/lazy.js";
import { SelectionBar, TableBar } from "../parts/tablebar.js";

const SELECT = { id: "select", key: "select", kind: "select", width: 34, isPinned: true, isFixed: true, label: "Select", scope: "", name: null };
const loadMenu = async () => (await import("../parts/columnmenu.js")).ColumnMenu;
const loadChooser = async () => (await import("../parts/columnchooser.js")).ColumnChooser;
const loadViews = async () => (await import("../parts/viewmenu.js")).ViewMenu;
const loadGlance = async () => (await import("../parts/glance.js")).Glance;
const loadExtremes = async () => (await import("../core/extremes.js")).fillExtremes;
const loadFirst = async () => (await import("../parts/firstexperiment.js")).FirstExperiment;
const loadNothing = async () => (await import("../parts/firstexperiment.js")).NothingFound;
const place = { top: 0, left: 0, row: null, column: null }; // where the reader was, when they come back
const sparksOf = new Map(); // one for each metric that was primary
const coarse = matchMedia("(pointer: coarse)");

export function Experiments() {
  const { table, order, matches, selected, meta, filter, revision, changed } = useStore(model);
  const { query } = useStore(current);
  const [popup, setPopup] = useState(null); // {kind, anchor, column}
  const [focused, setFocused] = useState(place.row);
  const at = ["latest", "both", "min", "max"].includes(query.at) ? query.at : "best";
  const primary = useMemo(() => primaryMetric(table), [table]);
  const columns = useMemo(() => listColumns(table, at), [table, at]);
  const laid = useMemo(() => readLayout(query.cols, columns, meta.repository), [query.cols, columns]);
  const shown = useShown({ laid, columns, query, table, matches, selected });
  const view = useMemo(() => viewOf(query, formatLayout(laid.layout)), [query, laid]);
  const named = useMemo(() => recogniseView(readViews(meta.repository), view), [view, popup]);
  const grouping = useGroups({ query, table, order, columns, primary });
  const sparks = useSparks(primary, changed, revision);
  const picked = useMemo(() => new Set(selected), [selected]);
  const best = useMemo(() => findBest(table, matches, primary, at), [table, matches, primary, at]);
  const progress = useExtremes(at, changed, revision);
  const keyOf = (row) => (typeof row === "number" ? table.ids[row] : `group:${row.key}`);
  const { rows, group } = grouping;
  const latest = useRef(null);
  const toIds = (list) => list.map((one) => table.ids[one]);
  const anchor = useRef(null); // where a range begins

  function pick(row, { isRange = false, isOn = null }) {
    const ids = typeof row === "number" ? (isRange ? toIds(rangeTo(rows, anchor.current, row, keyOf)) : [table.ids[row]]) : toIds(row.places);
    const turnOn = isOn ?? (isRange || !ids.every((id) => picked.has(id)));
    if (!isRange) anchor.current = keyOf(row);
    select(turnOn ? [...selected, ...ids.filter((id) => !picked.has(id))] : selected.filter((id) => !ids.includes(id)));
  }
  function turnGroup(key, isOpen) {
    const { keys, isAll } = parseOpen(query.open);
    const next = isAll ? new Set(grouping.groups.map((one) => one.key)) : new Set(keys);
    if (isOpen) next.add(key);
    else next.delete(key);
    setQuery({ open: formatOpen(next) });
  }
  const alter = (name) => (...given) => laid.change(layoutActions[name](laid.layout, ...given));
  const sortKeys = parseSort(query.sort);
  const actions = {
    open: (row) => (typeof row === "number" ? go(sharedAddress("experiment", [table.ids[row]])) : turnGroup(row.key, !grouping.isOpen(row.key))),
    expand: (row, isOpen) => turnGroup(row.key, isOpen),
    pick,
    pickAll: () => select(order.length && toIds(order.slice(0, MOST_SELECTED)).every((id) => picked.has(id)) ? [] : toIds(order)),
    sort: (column, isAdded) => setQuery({ sort: formatSort(turnSort(sortKeys, column.name, { isAdded, isDescendingFirst: isDescendingFirst(column) })) }, { isQuick: true }),
    sortBy: (column, isDescending, isAdded) => setQuery({ sort: formatSort([...(isAdded ? sortKeys.filter(({ name }) => name !== column.name) : []), { name: column.name, isDescending }]) }),
    menu: (column, element) => setPopup({ kind: "column", column, anchor: element }),
    group: (column) => setQuery({ group: column.name, open: "" }),
    canGroup: (column) => grouping.groupable.some(({ key }) => key === column.key),
    ...Object.fromEntries(["hide", "pin", "resize", "move"].map((name) => [name, alter(name)])),
    step: (column, direction) => alter("step")(column, direction, shown),
  };
  const close = () => setPopup(null);
  const previewed = focused !== null && table.places.has(focused) ? focused : order.length ? table.ids[order[0]] : null;
  latest.current = { selected, query, popup, close };
  useKeys(latest, setPopup);

  const all = useMemo(() => withSort([SELECT, ...shown], query.sort), [shown, query.sort]);
  const drawCell = useMemo(() => cellDrawer({ table, best, selected: picked, sparks }), [table, best, picked, sparks]);
  const drawGroup = groupDrawer({ label: group?.label, metric: primary, isOpen: grouping.isOpen, turn: (row) => actions.open(row) });
  const version = useVersion(table, best, query.open, group?.key);
  if (!table.size) return html`<${Lazy} load=${loadFirst} repository=${meta.repository} />`;
  return html`<div class="experiments">
    <h1 class="hidden-text">Experiments</h1>
    <div class="bars-above">
      <${TableBar} columns=${`${shown.length}/${columns.length}`} groupable=${grouping.groupable} group=${group?.name ?? ""} at=${at} progress=${progress} view=${named} openViews=${(element) => setPopup({ kind: "views", anchor: element })} isDiffering=${query.differ === "1"} isPreviewed=${query.preview === "1"}
        hasMetrics=${columns.some((column) => column.goal !== undefined)} change=${setQuery} openChooser=${(element) => setPopup({ kind: "columns", anchor: element })}
        share=${{ filter, sort: query.sort ?? "", table, places: order, columns: shown, project: meta.project }} />
    </div>
    <div class="table-area">
      <${Grid} label="Experiments" columns=${all} rows=${rows} keyOf=${keyOf} version=${version} view=${`${filter}\n${query.sort ?? ""}\n${query.group ?? ""}`} place=${place} row_px=${coarse.matches ? 36 : 28}
        selected=${picked} actions=${actions} drawCell=${drawCell} drawGroup=${drawGroup} noteFocus=${setFocused} drawCorner=${() => html`<${Corner} count=${selected.length} pickAll=${actions.pickAll} />`} />
      ${rows.length ? null : html`<${Lazy} load=${loadNothing} filter=${filter} clear=${() => setQuery({ q: "" })} />`}
      <${SelectionBar} selected=${selected} clear=${() => select([])} change=${setQuery} isDiffering=${query.differ === "sel"} most=${MOST_SELECTED} />
      ${query.preview === "1" ? html`<${Lazy} load=${loadGlance} table=${table} id=${previewed} primary=${primary} close=${() => setQuery({ preview: "" })} />` : null}
    </div>
    ${popup?.kind === "column" ? html`<${Lazy} load=${loadMenu} key=${popup.column.key} column=${all.find(({ key }) => key === popup.column.key) ?? popup.column} anchor=${popup.anchor} places=${matches} actions=${actions} close=${close} />` : null}
    ${popup?.kind === "views" ? html`<${Lazy} load=${loadViews} anchor=${popup.anchor} repository=${meta.repository} view=${view} name=${named.name} close=${close} />` : null}
    ${popup?.kind === "columns"
      ? html`<${Lazy} load=${loadChooser} anchor=${popup.anchor} columns=${columns} shown=${laid.layout.map(({ id }) => id)} change=${(ids, isShown) => alter("show")(ids, isShown, columns)} reset=${laid.reset} close=${close} />`
      : null}
  </div>`;
}

// The columns of the layout, without those in which nothing differs when that was asked for.
function useShown({ laid, columns, query, table, matches, selected }) {
  const among = query.differ === "sel" && selected.length > 1 ? selected.map((id) => table.find(id)) : query.differ ? matches : null;
  const shown = useMemo(() => {
    const arranged = arrange(laid.layout, columns, textWidth);
    return among ? onlyDiffering(arranged, among) : arranged;
  }, [laid, among]);
  // The same columns stay the same value, so that rows are not drawn again at every update.
  const last = useRef(shown);
  const same = last.current.length === shown.length && shown.every((column, at) => column.key === last.current[at].key && column.width === last.current[at].width && column.column === last.current[at].column && column.isPinned === last.current[at].isPinned);
  if (!same) last.current = shown;
  return last.current;
}

function useGroups({ query, table, order, columns, primary }) {
  const groupable = useMemo(() => groupableColumns(columns, table.size), [columns, table.size]);
  const group = query.group ? columns.find(({ name, column }) => column && name === query.group) ?? null : null;
  const metric = primary ? table.columns.find((column) => column.group === "best.metrics" && column.key === primary.name) ?? null : null;
  const groups = useMemo(() => (group ? groupPlaces(order, group.column, metric, primary?.goal) : []), [order, group?.column, metric]);
  const { isOpen } = parseOpen(query.open);
  const rows = useMemo(() => (group ? groupRows(groups, isOpen) : order), [groups, order, query.open, group?.column]);
  const listed = group && !groupable.includes(group) ? [...groupable, group] : groupable;
  return { groupable: listed, group, groups, rows, isOpen };
}

function useSparks(primary, changed, revision) {
  const name = primary?.name ?? "";
  if (!sparksOf.has(name)) sparksOf.set(name, new Sparks((ids) => askCurves(ids, name)));
  const sparks = sparksOf.get(name);
  const seen = useRef(revision);
  useEffect(() => {
    if (seen.current !== revision) sparks.renew(changed);
    seen.current = revision;
  }, [revision, sparks]);
  return sparks;
}

// Has the least and greatest values asked for while they are looked at; returns how far that is.
function useExtremes(at, changed, revision) {
  const [progress, setProgress] = useState("");
  useEffect(() => {
    if (isExtreme(at)) loadExtremes().then((fill) => fill(changed, setProgress));
  }, [isExtreme(at), revision]);
  return isExtreme(at) ? progress : "";
}

// A number that changes when rows must be drawn again though they are the same experiments.
function useVersion(...inputs) {
  const kept = useRef({ inputs, version: 0 });
  if (inputs.some((input, at) => input !== kept.current.inputs[at])) kept.current = { inputs, version: kept.current.version + 1 };
  return kept.current.version;
}

function useKeys(latest, setPopup) {
  useLayoutEffect(() => bindKeys("Experiments", [
    { keys: ["c", "d"], label: "Compare the selected", run: () => (latest.current.selected.length > 1 ? go(compareAddress(latest.current.selected)) : false) },
    { keys: ["p"], label: "Preview beside the table", run: () => setQuery({ preview: latest.current.query.preview === "1" ? "" : "1" }) },
    { keys: ["o"], label: "Choose columns", run: () => setPopup({ kind: "columns", anchor: document.querySelector(".table-bar button") }) },
    { keys: ["v"], label: "Views: save how the table is looked at, come back to it", run: () => setPopup({ kind: "views", anchor: document.querySelector("[data-views]") }) },
    { keys: ["Escape"], label: "Close what is open, then clear the selection", run: () => escape(latest.current) },
  ]), []);
}

function escape({ popup, close, query, selected }) {
  if (document.querySelector("dialog[open]")) return false;
  if (popup) close();
  else if (query.preview === "1") setQuery({ preview: "" });
  else if (selected.length) select([]);
  return undefined;
}

// The rows from where a range began to where it ends, in the order in which they stand.
function rangeTo(rows, from, to, keyOf) {
  const stop = rows.indexOf(to);
  const start = from === null ? stop : rows.findIndex((row) => keyOf(row) === from);
  const [low, high] = start < 0 ? [stop, stop] : [Math.min(start, stop), Math.max(start, stop)];
  return rows.slice(low, high + 1).filter((row) => typeof row === "number");
}

// Better, newer and longer first, where a column has such an end; else the smallest.
function isDescendingFirst({ kind, goal }) {
  return kind === "time" || kind === "duration" || goal === "maximize";
}

function withSort(columns, sort) {
  const keys = parseSort(sort);
  return columns.map((column) => {
    const at = keys.findIndex(({ name }) => name === column.name);
    return at < 0 ? column : { ...column, sort: { place: at, isDescending: keys[at].isDescending, isOnly: keys.length === 1 } };
  });
}

// The best by what is shown: of the values at the worse end, none is.
function findBest(table, matches, primary, at) {
  if (!primary || (isExtreme(at) && (at === "max") !== (primary.goal === "maximize"))) return -1;
  const column = table.columnOf(isExtreme(at) ? `${at}.metrics` : "best.metrics", primary.name);
  if (!column) return -1;
  const sign = primary.goal === "maximize" ? -1 : 1;
  let [best, least] = [-1, Infinity];
  for (const one of matches) {
    const value = sign * (toNumber(column.values[one]) ?? Infinity);
    if (value < least) [best, least] = [one, value];
  }
  return best;
}

function Corner({ count, pickAll }) {
  const word = count ? "Select none" : "Select all that are shown";
  return html`<button type="button" class="plain corner" tabindex="-1" onClick=${pickAll} title=${word} aria-label=${word}><span class=${`check${count ? " is-some" : ""}`} aria-hidden="true">${count ? "−" : ""}</span></button>`;
}
