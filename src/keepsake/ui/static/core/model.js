// What all views share: the experiments, which of them the filter keeps and in which order, which are selected, and whether
// what is shown is up to date.
//
// Filter, order, group and selection live in the address; this holds what follows from them.

import { ApiError, getJson, isStatic, knowIds } from "./api.js";
import { current, setQuery } from "./address.js";
import { keptAtOnce } from "./atonce.js";
import { idle } from "./idle.js";
import { Store } from "./store.js";
import { isApart, Table } from "./table.js";
import { parseSort, sortTable } from "./sort.js";
import { formatValue } from "./values.js";

// `matches` are the places that the filter keeps (null: not known yet, or `filterError` has come first), `order` the same as
// they are shown.
// `filter` is the text that `matches` come from, which is not yet that of the address while the server works on it.
// `changed` are the ids that the last update brought, `revision` counts updates. `connection` is loading, idle, live, or
// failed with `error`; `updated` is when the server was last heard, in ms. `isLive` says whether it is asked by itself.
export const model = new Store({
  meta: null, table: Table.empty(), matches: null, order: [], filter: "", filterError: null, unknown: [], selected: [],
  connection: "loading", error: null, updated: 0, isLive: true, changed: [], revision: 0,
});

export const MOST_SELECTED = 500; // an address holds no more, and no chart shows more

let filterRun = 0;
let isFilterDue = false; // the server did not answer it
let filterAbort = new AbortController();

// Fetches everything; called once, and when the server tells to.
export async function load() {
  try {
    if (isStatic) return await loadFrozen();
    // What is shown already is replaced as a whole, or columns would be gone for a moment.
    const isFirst = current.get().view === "experiments" && model.get().meta === null;
    const [meta, answer, rest] = await Promise.all([getJson("meta"), getJson("experiments", { part: "first" }), isFirst ? null : askRest()]);
    const table = Table.fromAnswer(answer);
    if (isFirst && isEnough(table)) {
      await take(meta, table);
      await idle();
    }
    await addRest(meta, table, rest ?? (await askRest()));
  } catch (error) {
    model.set({ connection: "failed", error });
  }
}

// Most columns are looked at later, or never: what the table shows first comes first.
const askRest = () => getJson("experiments", { part: "rest" });

async function addRest(meta, first, { cursor, columns }) {
  if (cursor !== first.cursor) return take(meta, Table.fromAnswer(await getJson("experiments"))); // something has changed in between
  if (model.get().table !== first) return take(meta, first.withColumns(columns));
  const table = first.withColumns(columns);
  return model.set({ table, order: orderPlaces(table, model.get().matches) });
}

// Whether what comes first is all that the address asks of the landing page.
function isEnough(table) {
  const { query } = current.get();
  return !query.at && !query.differ && [query.group, ...parseSort(query.sort).map(({ name }) => name)].every((name) => !name || table.column(name));
}

async function loadFrozen() {
  const [meta, answer] = await Promise.all([getJson("meta"), getJson("experiments")]);
  knowIds(answer.ids);
  return take(meta, Table.fromAnswer(answer));
}

function take(meta, table) {
  const { revision } = model.get();
  model.set({ meta, table, ...placesIn(table), selected: readSelection(table), connection: "idle", error: null, updated: Date.now(), revision: revision + 1 });
  return applyFilter();
}

// Until the filter has been asked again, what was shown stays, at its places in another table.
function placesIn(after) {
  const { table, matches, order } = model.get();
  const isSame = after.ids.length >= table.ids.length && table.ids.every((id, place) => id === after.ids[place]);
  const moved = (places) => (isSame ? places : places.map((place) => after.places.get(table.ids[place])).filter((place) => place !== undefined));
  return { matches: matches && moved(matches), order: moved(order) };
}

// Takes in what has changed; returns whether anything has.
export async function update() {
  const answer = await getJson("changes", { since: model.get().table.cursor });
  const { table, revision } = model.get(); // with the columns that have come meanwhile
  model.set({ updated: Date.now(), error: null });
  if (answer === null) {
    if (isFilterDue) await applyFilter();
    return false;
  }
  if (answer.reload) {
    await load();
    return true;
  }
  const after = table.withChanges(answer);
  model.set({ table: after, ...placesIn(after), changed: answer.ids, revision: revision + 1 });
  await applyFilter();
  return true;
}

// Asks which experiments the filter of the address keeps. A filter that cannot be read leaves the last ones standing.
export async function applyFilter() {
  const run = ++filterRun;
  isFilterDue = false;
  filterAbort.abort(); // what was typed before need not be answered any more
  filterAbort = new AbortController();
  const { signal } = filterAbort;
  const { table } = model.get();
  const text = (current.get().query.q ?? "").trim();
  if (!text) return keep(run, text, table.ids.map((_, place) => place));
  if (isStatic) return keep(run, text, searchText(table, text));
  const answer = getJson("select", { filter: text }, { signal });
  const kept = keptAtOnce(table, text);
  if (kept) keep(run, text, kept);
  try {
    const { places, unknown, cursor, mistake } = await answer;
    if (cursor !== table.cursor && run === filterRun) await update();
    if (!mistake) return kept && !unknown.length && areSame(kept, places) ? undefined : keep(run, text, places, unknown);
    if (run === filterRun) model.set({ filterError: new ApiError(mistake.message, mistake) });
    return undefined;
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    if (!(error instanceof ApiError)) throw error;
    if (run !== filterRun) return undefined;
    isFilterDue = true;
    model.set({ error, connection: "failed" });
    return undefined;
  }
}

const areSame = (places, others) => places.length === others.length && places.every((place, at) => place === others[at]);

function keep(run, filter, matches, unknown = []) {
  if (run !== filterRun) return;
  const { table } = model.get();
  model.set({ matches, unknown, filter, filterError: null, order: orderPlaces(table, matches), selected: readSelection(table) });
}

// Without a server there is no filter language: every word must be somewhere in what is known of an experiment.
function searchText(table, text) {
  const words = text.toLowerCase().split(/\s+/);
  return table.ids.map((_, place) => place).filter((place) => {
    const known = [table.ids[place], ...table.columns.filter((column) => !isApart(column)).map((column) => `${column.key}=${formatValue(column.values[place])}`)].join("\n").toLowerCase();
    return words.every((word) => known.includes(word));
  });
}

// Returns the places as the address sorts them: `sort=best.metrics.loss,-created`; by default the newest come first.
export function orderPlaces(table, places) {
  return places ? sortTable(table, places, parseSort(current.get().query.sort)) : [];
}

function readSelection(table) {
  const wanted = (current.get().query.sel ?? "").split(",").filter(Boolean);
  const ids = wanted.map((id) => table.find(id)).filter((place) => place >= 0).map((place) => table.ids[place]);
  const { selected } = model.get();
  return ids.length === selected.length && ids.every((id, place) => id === selected[place]) ? selected : ids;
}

// Selects exactly these experiments, by their ids.
export function select(ids) {
  setQuery({ sel: ids.slice(0, MOST_SELECTED).map((id) => id.slice(0, 8)).join(",") });
}

export function toggle(id) {
  const { selected } = model.get();
  select(selected.includes(id) ? selected.filter((one) => one !== id) : [...selected, id]);
}

// Keeps matches, order and selection in step with the address.
let seen = current.get().query;
current.subscribe(({ query }) => {
  const before = seen;
  seen = query;
  const { table, matches } = model.get();
  if ((before.q ?? "") !== (query.q ?? "")) applyFilter();
  else if (before.sort !== query.sort) model.set({ order: orderPlaces(table, matches) });
  if (before.sel !== query.sel) model.set({ selected: readSelection(table) });
});
