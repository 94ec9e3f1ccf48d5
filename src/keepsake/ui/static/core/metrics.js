// Which metrics some experiments have: what the table knows, and what was logged besides.

import { getJson, isStatic } from "./api.js";
import { model } from "./model.js";
import { compareNames } from "./values.js";

let last = { key: null };

// Asks the server, which knows what was logged besides what checkpoints have; not again while nothing has changed, unless it
// failed. Returns {answer, names}: a promise of the names, and the names once they are there.
export function loggedMetrics(ids) {
  const key = `${model.get().revision} ${ids.join()}`;
  if (last.key !== key) {
    const asked = { key, names: null, answer: askMetrics(ids) };
    last = asked;
    asked.answer.then((names) => (asked.names = names), () => {
      if (last === asked) last = { key: null };
    });
    return asked;
  }
  return last;
}

export async function askMetrics(ids) {
  if (!isStatic) return ids.length ? (await getJson("metrics", { ids: ids.join(",") })).metrics.map(({ name }) => name) : [];
  const all = await Promise.all(ids.map((id) => getJson(`experiments/${id}`).catch(() => ({ metrics: [] }))));
  return all.flatMap(({ metrics }) => metrics.map(({ name }) => name));
}

// In the order of their names, but for the primary ones, which come first.
export function metricsOf(table, ids, others) {
  const places = ids.map((id) => table.find(id));
  const names = new Set(others);
  for (const { group, key, values } of table.columns) {
    if ((group === "latest.metrics" || group === "best.metrics") && places.some((place) => values[place] !== null)) names.add(key);
  }
  const primary = new Set(places.map((place) => table.valueOf(place, "primary", "name")));
  return [...names].sort((a, b) => primary.has(b) - primary.has(a) || compareNames(a, b));
}
