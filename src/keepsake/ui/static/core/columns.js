// The columns that the table of experiments can show, and the layout: which of them it does, in which order, how wide and
// where pinned.
//
// A layout is a list of {id, width, isPinned}. A metric has one id (`metrics.loss`) whether its best or its latest value is
// looked at, so that one turn of a switch changes all of them. `width` is null where it is worked out from the values.

import { escapeName, unescapeName } from "./lists.js";
import { asKey, Column } from "./table.js";
import { formatDuration, formatTime, formatValue } from "./values.js";

export const GROUPS = ["meta", "metrics", "params"];
const KINDS = { created: "time", status: "status", duration: "duration", tags: "tags", id: "id", notes: "text", command: "text" };
const HIDDEN = ["notes", "path", "project", "error"]; // of an experiment, unless somebody asks for them
const LEAST_PX = 68;
const LONGEST_NUMBER = "0.000123456"; // of six digits; smaller ones are written with an exponent
const BOLD = 1.1; // as wide as the same text that is not
const STAR_PX = 18;
// Kinds whose values are never wider than the width worked out for them. Cells that need not cut anything off are drawn faster.
const FITTING = new Set(["number", "time", "duration", "status", "id", "curve"]);
export const MIN_WIDTH = 48;

// Returns every column that could be shown: {id, key, name, label, scope, group, kind, column, isShown, width}. `key` tells
// columns apart, `name` is what filter and sort call it (null where they cannot), `isShown` whether it is there by default.
// `at` says which values of metrics: those of the best checkpoint, of the latest or of both, or the min or max of all.
export function listColumns(table, at = "best") {
  const listed = [{ id: "id", key: "id", name: null, label: "id", scope: "", group: "meta", kind: "id", isShown: true, width: 92 }];
  const primary = primaryMetric(table);
  const keys = new Set(); // a metric may be of the best and of the latest checkpoint
  for (const column of table.columns) {
    const found = isExtreme(at) && /^(best|latest)/.test(column.group) ? describeExtreme(column, table, at, primary) : describeColumn(column, table, at, primary);
    if (found && !keys.has(found.key)) listed.push(found);
    if (found) keys.add(found.key);
  }
  if (primary) listed.push({ id: "curve", key: "curve", name: null, label: primary.name, scope: "curve", group: "metrics", kind: "curve", isShown: true, width: 112 });
  return listed;
}

function describeColumn(column, table, at, primary) {
  const { name, key } = column;
  const [scope, part] = column.group.split(".");
  const common = { key: name, name, label: key, column };
  if (scope === "primary") return null;
  if (scope === "params") return { ...common, id: name, scope: "param", group: "params", kind: kindOf(column), isShown: true };
  if (scope === "best" || scope === "latest") {
    // Without a primary metric nothing is best, and the latest values are all there are.
    const isWanted = at === scope || at === "both" || (scope === "latest" && !primary);
    if (!isWanted) return null;
    const kind = part ? kindOf(column) : KINDS[key] ?? kindOf(column);
    const isPrimary = Boolean(part) && key === primary?.name;
    return { ...common, id: `${part ? "metrics" : "checkpoint"}.${key}`, scope, group: "metrics", kind, isPrimary, goal: isPrimary ? primary.goal : null, isShown: Boolean(part) || key === "step" };
  }
  const isShown = scope === "experiment" ? !HIDDEN.includes(key) : (key === "user" || key === "host") && column.distinct.size > 1;
  return { ...common, id: name, scope: "", group: "meta", label: LABELS[key] ?? key, kind: KINDS[key] ?? kindOf(column), isShown };
}

export const isExtreme = (at) => at === "min" || at === "max";

// The least or greatest value of a metric that the table has of checkpoints. It comes later; its column is there at once.
function describeExtreme(column, table, at, primary) {
  const { name, group, key } = column;
  const [scope, part] = group.split(".");
  if (!part) return null;
  const own = { name: at + name.slice(scope.length), group: `${at}.metrics`, key };
  const isPrimary = key === primary?.name;
  return {
    id: `metrics.${key}`, key: own.name, name: own.name, label: key, scope: at, group: "metrics", kind: "number", column: table.column(own.name) ?? new Column(own, new Array(table.size).fill(null)),
    like: column, isPrimary, goal: isPrimary ? primary.goal : null, isShown: true,
  };
}

const LABELS = { num_checkpoints: "checkpoints" };

function kindOf(column) {
  return column.isNumber ? "number" : "text";
}

// The metric that decides which checkpoint is best, as most experiments have it: {name, goal}, or null.
export function primaryMetric(table) {
  const [names, goals] = [table.column("primary.name"), table.column("primary.goal")];
  if (!names) return null;
  const counts = new Map();
  const isOne = !names.differs && (!goals || !goals.differs); // mostly all have the same one
  names.values.slice(0, isOne ? 1 : undefined).forEach((name, place) => {
    if (name === null) return;
    const key = `${goals?.values[place] ?? "minimize"} ${name}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  });
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  if (!most) return null;
  const [goal] = most[0].split(" ", 1);
  return { name: most[0].slice(goal.length + 1), goal };
}

// What is shown when nobody has chosen: what it is, how good it became, what went in, and the rest.
export function defaultLayout(columns) {
  const first = ["id", "status", "created", "duration", "name"];
  const weigh = (column) => {
    if (first.includes(column.id)) return first.indexOf(column.id);
    if (column.isPrimary) return 10;
    if (column.kind === "curve") return 11;
    if (column.group === "params") return column.column.differs ? 20 : 21;
    return column.group === "metrics" ? (column.id.startsWith("metrics.") ? 30 : 31) : 40;
  };
  const shown = columns.filter((column) => column.isShown);
  const sorted = shown.map((column, place) => [weigh(column), place, column]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const ids = new Set(sorted.map(([, , column]) => column.id));
  return [...ids].map((id) => ({ id, width: null, isPinned: id === "id" }));
}

// A layout as one text: `!` before what is pinned, `~` before a width.
export function formatLayout(layout) {
  return layout.map(({ id, width, isPinned }) => `${isPinned ? "!" : ""}${escapeName(id)}${width ? `~${width}` : ""}`).join(",");
}

export function parseLayout(text) {
  return text.split(",").filter(Boolean).map((item) => {
    const [, pin, id, width] = item.match(/^(!?)([^~]*)(?:~(\d+))?/);
    return { id: unescapeName(id), width: width ? Math.max(Number(width), MIN_WIDTH) : null, isPinned: pin !== "" };
  });
}

// The layout that holds: what the address says, else what was kept, with what has come up since, else the default.
export function chooseLayout(text, kept, columns) {
  if (text) return withId(parseLayout(text));
  const usual = defaultLayout(columns);
  if (!kept) return usual;
  const known = new Set(kept.known);
  return usual.filter(({ id }) => !known.has(id)).reduce((layout, item) => insertBeside(layout, item, columns), withId(parseLayout(kept.cols)));
}

// The id is always there, and first: it is how a row is told and opened.
function withId(layout) {
  return [layout.find(({ id }) => id === "id") ?? { id: "id", width: null, isPinned: true }, ...layout.filter(({ id }) => id !== "id")];
}

// Puts a column after the last one of its group.
export function insertBeside(layout, item, columns) {
  const groups = new Map(columns.map((column) => [column.id, column.group]));
  const last = layout.map(({ id }) => groups.get(id)).lastIndexOf(groups.get(item.id));
  return last < 0 ? [...layout, item] : [...layout.slice(0, last + 1), item, ...layout.slice(last + 1)];
}

export function moveColumn(layout, id, target) {
  const from = layout.findIndex((item) => item.id === id);
  if (from < 1 || target < 1 || target >= layout.length || from === target) return layout;
  const rest = layout.filter((item) => item.id !== id);
  return [...rest.slice(0, target), layout[from], ...rest.slice(target)];
}

export function changeColumn(layout, id, changes) {
  return layout.map((item) => (item.id === id ? { ...item, ...changes } : item));
}

export function hideColumn(layout, id) {
  return id === "id" ? layout : layout.filter((item) => item.id !== id);
}

// Returns the columns of a layout in the order in which they stand: pinned ones first, each with its width.
// `measure` says how many pixels a text takes.
export function arrange(layout, columns, measure) {
  const byId = new Map();
  for (const column of columns) byId.set(column.id, [...(byId.get(column.id) ?? []), column]);
  const laid = layout.flatMap(({ id, width, isPinned }) => (byId.get(id) ?? []).map((column) => ({ ...column, width: width ?? column.width ?? guessWidth(column, measure), isPinned, fits: width === null && FITTING.has(column.kind) })));
  return [...laid.filter((column) => column.isPinned), ...laid.filter((column) => !column.isPinned)];
}

// Leaves out columns in which these experiments all have the same; what says which experiment it is stays.
export function onlyDiffering(columns, places) {
  return columns.filter(({ column }) => !column || differs(column.values, places));
}

export function differs(values, places) {
  if (places.length < 2) return true;
  const first = asKey(values[places[0]]);
  return places.some((place) => asKey(values[place]) !== first);
}

// A width is guessed once, from the first values there are, so that it does not change under the reader's eyes.
const guessed = new Map();

function guessWidth({ key, label, kind, column, like = column, isPrimary }, measure) {
  if (kind === "status") return 112;
  if (!guessed.has(key)) {
    const texts = sample(like.values).map((value) => formatCell(value, kind).slice(0, 60)).sort((a, b) => a.length - b.length);
    // A few long texts are cut; numbers and times never are. Measuring takes a while, so only one is.
    const [longest, most_px] = kind === "text" || kind === "tags" ? [texts[Math.floor(texts.length * 0.9)], 190] : [texts.at(-1), 260];
    // The best of all is bold, has a star, and may be as long as numbers get: it is seldom among the values looked at.
    const best_px = isPrimary ? measure(LONGEST_NUMBER) * BOLD + STAR_PX : 0;
    const wanted = Math.max(longest ? measure(longest) : 0, best_px, measure(label) * BOLD + (isPrimary ? STAR_PX : 0) + 12) + 22;
    guessed.set(key, Math.round(Math.min(Math.max(wanted, LEAST_PX), most_px)));
  }
  return guessed.get(key);
}

function sample(values, count = 40) {
  const step = Math.max(1, Math.floor(values.length / count));
  const found = [];
  for (let place = 0; place < values.length; place += step) if (values[place] !== null) found.push(values[place]);
  return found;
}

// What stands in a cell, as text.
export function formatCell(value, kind) {
  if (value === null || value === undefined) return "";
  if (kind === "time") return formatTime(value);
  if (kind === "duration") return formatDuration(typeof value === "number" ? value : null);
  if (kind === "tags" && Array.isArray(value)) return value.map(formatValue).join(", ");
  if (kind === "id") return String(value).slice(0, 8);
  return formatValue(value).replace(/\s+/g, " ");
}
