// Which metrics some experiments have: what the table knows, and what was logged besides.

import { useLayoutEffect, useMemo, useState } from "./ui.js";
import { getJson, isStatic } from "../core/api.js";
import { model } from "../core/model.js";
import { compareNames } from "../core/values.js";

// The metrics of these experiments. The table knows those that checkpoints have; the server says which were logged besides, and
// again of those that have gone on.
export function useMetrics(table, ids) {
  const key = ids.join();
  const [others, setOthers] = useState({ key: null, names: [] });
  const asked = useMemo(() => askMetrics(ids), [key]); // on its way before anything is drawn: no curve can be asked for before
  useLayoutEffect(() => {
    let isOver = false;
    const take = async (answer) => {
      const names = await answer.catch(() => []); // what cannot be asked is shown where a chart asks for it
      if (!isOver) setOthers((before) => joined(before, key, names));
    };
    take(asked);
    let { revision } = model.get();
    const end = model.subscribe((state) => {
      const changed = state.revision === revision ? [] : ids.filter((id) => state.changed.includes(id));
      revision = state.revision;
      if (changed.length) take(askMetrics(changed));
    });
    return () => {
      isOver = true;
      end();
    };
  }, [key]);
  return { metrics: useMemo(() => metricsOf(table, ids, others.names), [table, key, others]), isAsking: others.key !== key };
}

function joined(before, key, names) {
  if (before.key !== key) return { key, names };
  const added = names.filter((name) => !before.names.includes(name));
  return added.length ? { key, names: [...before.names, ...added] } : before;
}

async function askMetrics(ids) {
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
