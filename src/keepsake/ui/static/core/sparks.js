// Small curves of many experiments: asked for together, only for those in view, and kept.
//
// Whoever shows one wants it with `watch`; all that are wanted a moment later go into one request, one at a time.

import { getBytes, getJson, isStatic } from "./api.js";
import { decodeSeries } from "./series.js";
import { toNumber } from "./values.js";

const WAIT_MS = 40; // rows that fly past while somebody scrolls are never asked for
const BATCH = 100;
const BUCKETS = 44;

export class Sparks {
  #known = new Map(); // id -> {x, y} or null where there is no curve
  #stale = new Set();
  #watchers = new Map(); // id -> functions to call
  #timer = 0;
  #wanted_ms = 0; // when one was last
  #isAsking = false;

  // `ask(ids)` returns a promise of a Map of id to {x, y}.
  constructor(ask) {
    this.ask = ask;
  }

  get(id) {
    return this.#known.get(id);
  }

  // Calls `redraw` when the curve of `id` is there or has changed, until the returned function is called.
  watch(id, redraw) {
    this.#watchers.set(id, [...(this.#watchers.get(id) ?? []), redraw]);
    this.#plan();
    return () => {
      const rest = this.#watchers.get(id).filter((one) => one !== redraw);
      if (rest.length) this.#watchers.set(id, rest);
      else this.#watchers.delete(id);
    };
  }

  // Asks again for those that have changed and are in view; what is known of them stays until then.
  renew(ids) {
    for (const id of ids) this.#stale.add(id);
    this.#plan();
  }

  #plan() {
    this.#wanted_ms = performance.now();
    if (!this.#isAsking && !this.#timer) this.#timer = setTimeout(() => this.#askSoon(), WAIT_MS);
  }

  // Waits on while more come to be wanted: to set a timer anew for each takes longer.
  #askSoon() {
    const rest_ms = this.#wanted_ms + WAIT_MS - performance.now();
    this.#timer = rest_ms > 0 ? setTimeout(() => this.#askSoon(), rest_ms) : 0;
    if (!this.#timer) this.#askNow();
  }

  async #askNow() {
    const ids = [...this.#watchers.keys()].filter((id) => !this.#known.has(id) || this.#stale.has(id)).slice(0, BATCH);
    if (!ids.length) return;
    this.#isAsking = true;
    for (const id of ids) this.#stale.delete(id);
    const found = await this.ask(ids).catch(() => null); // the page says elsewhere that the server does not answer
    this.#isAsking = false;
    if (found === null) return;
    for (const id of ids) this.#known.set(id, found.get(id) ?? null);
    for (const id of ids) for (const redraw of this.#watchers.get(id) ?? []) redraw();
    this.#plan();
  }
}

// Curves of one metric, from the server or from the files of an export.
export async function askCurves(ids, metric) {
  if (isStatic) return new Map(await Promise.all(ids.map(async (id) => [id, await askFrozen(id, metric)])));
  const series = decodeSeries(await getBytes("curves", { ids: ids.join(","), metric, x: "step", width: BUCKETS }));
  return new Map(ids.map((id) => [id, series.find((one) => one.id === id || one.id.startsWith(id) || id.startsWith(one.id)) ?? null]));
}

async function askFrozen(id, metric) {
  const { metrics } = await getJson(`experiments/${id}/curves`).catch(() => ({ metrics: {} }));
  const curve = metrics[metric];
  return curve ? { x: curve.value.map((_, place) => toNumber(curve.step[place]) ?? place), y: curve.value.map((value) => toNumber(value) ?? NaN) } : null;
}

const paths = new WeakMap(); // by the curve, since rows come and go

export function pathOf(curve, width, height) {
  if (!paths.has(curve)) paths.set(curve, sparkPath(curve, width, height));
  return paths.get(curve);
}

// The `d` of an SVG path of a curve in a box, each scaled to its own smallest and largest value; NaN is a gap, also at its end.
export function sparkPath({ x, y }, width, height, margin = 1.5) {
  const places = [...x.keys()].filter((place) => Number.isFinite(y[place]) && Number.isFinite(x[place]));
  if (places.length < 2) return places.length ? `M${margin} ${height / 2}h${width - 2 * margin}` : "";
  const ends = x.filter((value) => Number.isFinite(value));
  const [left, right] = [ends[0], ends.at(-1)];
  let [low, high] = [Infinity, -Infinity];
  for (const place of places) [low, high] = [Math.min(low, y[place]), Math.max(high, y[place])];
  const across = (value) => (margin + ((value - left) / (right - left || 1)) * (width - 2 * margin)).toFixed(1);
  const down = (value) => (high === low ? height / 2 : height - margin - ((value - low) / (high - low)) * (height - 2 * margin)).toFixed(1);
  return places.map((place, at) => `${at > 0 && places[at - 1] === place - 1 ? "L" : "M"}${across(x[place])} ${down(y[place])}`).join("");
}
