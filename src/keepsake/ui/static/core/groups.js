// Experiments put together by the value of one column, with what their primary metric came to.
//
// A row of the table is a place (a number) or a group. Groups stand in the order in which the sort brings up their first
// experiment, so that sorting by a metric sorts the groups by their best as well.

import { escapeName, unescapeName } from "./lists.js";
import { compareValues, formatValue, isMissing, toNumber } from "./values.js";

// Returns [{key, value, places, count, best, median, min, max}]; the numbers are null where no experiment has the metric.
export function groupPlaces(order, column, metric = null, goal = "minimize") {
  const groups = new Map();
  for (const place of order) {
    const value = column.values[place];
    const key = groupKey(value);
    if (!groups.has(key)) groups.set(key, { key, value, places: [] });
    groups.get(key).places.push(place);
  }
  return [...groups.values()].map((group) => ({ ...group, count: group.places.length, ...summarize(group.places, metric, goal) }));
}

// The text by which an address names a group.
export function groupKey(value) {
  return isMissing(value) ? "" : formatValue(value);
}

function summarize(places, metric, goal) {
  const numbers = metric ? places.map((place) => toNumber(metric.values[place])).filter((number) => number !== null && !Number.isNaN(number)).sort((a, b) => a - b) : [];
  if (!numbers.length) return { best: null, median: null, min: null, max: null };
  const middle = numbers.length >> 1;
  const median = numbers.length % 2 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2;
  const [min, max] = [numbers[0], numbers.at(-1)];
  return { best: goal === "maximize" ? max : min, median, min, max };
}

// The rows of a table: each group, and its experiments when it is open.
export function groupRows(groups, isOpen) {
  return groups.flatMap((group) => (isOpen(group.key) ? [group, ...group.places] : [group]));
}

// Which groups are open, as the address says it: `*` for all, else their keys.
export function parseOpen(text = "") {
  if (text === "*") return { isOpen: () => true, isAll: true, keys: new Set() };
  const keys = new Set(text.split(",").filter(Boolean).map((item) => unescapeName(item.slice(1))));
  return { isOpen: (key) => keys.has(key), isAll: false, keys };
}

// Each key has a letter before it, so that the empty one (no value) can be named.
export function formatOpen(keys) {
  return [...keys].map((key) => `=${escapeName(key)}`).join(",");
}

// Columns by which grouping makes sense: several values, and far fewer of them than experiments.
export function groupableColumns(columns, size) {
  return columns.filter(({ column, kind, group }) => column && group !== "metrics" && kind !== "time" && kind !== "duration" && isGroupable(column, size));
}

function isGroupable(column, size) {
  const { distinct } = column;
  return distinct.size > 1 && distinct.size <= Math.max(12, Math.min(size / 4, 200));
}

// The values of a column with how often each occurs, the most frequent first.
export function countValues(values, places) {
  const counts = new Map();
  for (const place of places) {
    const value = values[place];
    if (isMissing(value)) continue;
    const key = formatValue(value);
    const known = counts.get(key);
    if (known) known.count++;
    else counts.set(key, { value, count: 1 });
  }
  return [...counts.values()].sort((a, b) => b.count - a.count || compareValues(a.value, b.value));
}

// Equal steps between the smallest and the largest number: {edges, counts}, or null where there are no two numbers.
export function histogram(values, places, bars = 24) {
  const numbers = places.map((place) => toNumber(values[place])).filter((number) => Number.isFinite(number));
  const [low, high] = [Math.min(...chunked(numbers, Math.min)), Math.max(...chunked(numbers, Math.max))];
  if (!(high > low)) return null;
  const counts = new Array(bars).fill(0);
  for (const number of numbers) counts[Math.min(Math.floor(((number - low) / (high - low)) * bars), bars - 1)]++;
  return { edges: Array.from({ length: bars + 1 }, (_, index) => low + ((high - low) * index) / bars), counts };
}

// Calls may have some ten thousand arguments, no more.
function chunked(numbers, pick) {
  const parts = [];
  for (let start = 0; start < numbers.length; start += 8192) parts.push(pick(...numbers.slice(start, start + 8192)));
  return parts;
}
