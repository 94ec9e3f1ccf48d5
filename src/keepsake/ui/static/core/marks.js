// Checkpoints as marks in charts: a star at the best of each experiment, dots at all of the one that is looked at.

import { getJson } from "./api.js";
import { toNumber } from "./values.js";

const asked = new Map(); // by id: a promise of its checkpoints

// The best checkpoint of each experiment, where the table knows its place on the axis and its value.
export function bestMarks(table, ids, metric, x, colorOf) {
  const marks = [];
  for (const id of ids) {
    const place = table.find(id);
    const read = (group, key) => table.valueOf(place, group, key);
    const best = { step: read("best", "step"), created: read("best", "created"), value: (name) => read("best.metrics", name) };
    const mark = makeMark(best, read("experiment", "created"), metric, x);
    if (mark) marks.push({ ...mark, id, kind: "best", color: colorOf(id) });
  }
  return marks;
}

// All checkpoints of one experiment; `isChanged` asks anew.
export async function checkpointMarks(table, id, metric, x, color, isChanged = false) {
  if (isChanged || !asked.has(id)) asked.set(id, getJson(`experiments/${id}`).catch(() => ({ checkpoints: [] })));
  const { checkpoints = [] } = await asked.get(id);
  const created = table.valueOf(table.find(id), "experiment", "created");
  const marks = checkpoints.map((one) => makeMark({ step: one.step, created: one.created, value: (name) => one.metrics?.[name] ?? null }, created, metric, x));
  return marks.filter(Boolean).map((mark) => ({ ...mark, id, kind: "checkpoint", color }));
}

function makeMark({ step, created, value }, began, metric, x) {
  const y = toNumber(value(metric));
  const at = x === "step" ? step : x === "wall" ? Date.parse(created) / 1000 : x === "time" ? (Date.parse(created) - Date.parse(began)) / 1000 : toNumber(value(x.slice("metric:".length)));
  return typeof at === "number" && Number.isFinite(at) && Number.isFinite(y) && y !== null ? { x: at, y } : null;
}
