// What can stand on an axis: columns of the table with their labels, their values as they are placed, and the same as filter text.

import { makeScale } from "./axes.js";
import { isMissing, toNumber } from "./values.js";

const PLACED = { experiment: ["created", "duration", "status", "num_checkpoints"], environment: ["user", "host", "python_version", "git.branch", "git.commit"] };
const GROUPS = [["params", "params"], ["best.metrics", "best checkpoint"], ["latest.metrics", "latest checkpoint"], ["experiment", "experiment"], ["environment", "environment"]];

// Returns [{label, columns}] of what any of these experiments has; a column is {name, group, key, values} as in the table.
export function listChoices(table, places) {
  const has = (column) => places.some((place) => column.values[place] !== null);
  return GROUPS.map(([group, label]) => ({
    label,
    columns: table.columns.filter((column) => column.group === group && (!PLACED[group] || PLACED[group].includes(column.key)) && has(column)),
  })).filter(({ columns }) => columns.length);
}

// Finds a column by its name, or by the key alone: of a param, else of a metric at the best checkpoint.
export function findColumn(table, name) {
  return table.column(name) ?? table.columnOf("params", name) ?? table.columnOf("best.metrics", name) ?? table.columnOf("latest.metrics", name) ?? table.columnOf("experiment", name);
}

export function labelOf({ group, key }) {
  return group === "latest.metrics" ? `${key} (latest)` : key;
}

// Moments are numbers on an axis: seconds since 1970.
export function isMoment(column) {
  return column.group === "experiment" && column.key === "created";
}

export function placedValues(column) {
  return isMoment(column) ? column.values.map((value) => (value === null ? null : Date.parse(value) / 1000)) : column.values;
}

export function scaleOf(column, places, isLog) {
  const values = placedValues(column);
  return makeScale(places.map((place) => values[place]), { isLog });
}

// Whether a log axis is the better one: all values are above 0, lie far apart, and most of them crowd at the low end.
export function isWide(column, places) {
  const numbers = isMoment(column) ? null : numbersOf(column, places);
  if (!numbers) return false;
  const sorted = Float64Array.from(numbers.filter((number) => Number.isFinite(number))).sort();
  const [low, median, high] = [sorted[0], sorted[sorted.length >> 1], sorted[sorted.length - 1]];
  return low > 0 && high / low >= 100 && median - low < (high - low) * 0.15;
}

// Numbers of a column by place, NaN where there is none; booleans are 0 and 1. Null when most of it is something else.
export function numbersOf(column, places) {
  const values = placedValues(column);
  let others = 0;
  const numbers = places.map((place) => {
    const value = values[place];
    if (isMissing(value)) return NaN;
    const number = typeof value === "boolean" ? Number(value) : toNumber(value);
    if (number === null) others++;
    return number ?? NaN;
  });
  return others ? null : numbers;
}

// The primary metric of most of the experiments: {column, goal}; without one, the first metric there is.
export function primaryOf(table, places) {
  const counts = new Map();
  const names = table.columnOf("primary", "name")?.values ?? [];
  for (const place of places) if (names[place]) counts.set(names[place], (counts.get(names[place]) ?? 0) + 1);
  const [name] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [];
  const column = (name && table.columnOf("best.metrics", name)) ?? table.columns.find(({ group }) => group === "best.metrics");
  const place = places.find((one) => names[one] === name);
  return { column: column ?? null, goal: place === undefined ? null : (table.columnOf("primary", "goal")?.values[place] ?? null) };
}

// The params in which these experiments differ, numbers first.
export function differingParams(table, places) {
  const params = table.columns.filter((column) => column.group === "params" && differs(column.values, places));
  const isNumber = (column) => Boolean(numbersOf(column, places));
  return [...params.filter(isNumber), ...params.filter((column) => !isNumber(column))];
}

function differs(values, places) {
  const first = values[places[0]];
  const written = JSON.stringify(first);
  return places.some((place) => values[place] !== first && JSON.stringify(values[place]) !== written);
}

// A value as the filter language reads it: texts in quotes, all else bare.
export function formatFilterValue(value) {
  if (typeof value === "string") return `"${value.replace(/[\\"]/g, "\\$&")}"`;
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}
