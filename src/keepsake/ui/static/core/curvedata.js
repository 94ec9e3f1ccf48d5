// The curves of one chart: fetched as wide as it is, finer where it is zoomed in, and anew where an experiment has gone on.
//
// `whole` are all points as the server reduced them, `detail` those of a range. A range is asked for only where points were left
// out. An answer that comes too late for what is asked now is dropped.

import { askCurves, stepped, takeAhead } from "./ahead.js";
import { getJson, isStatic } from "./api.js";
import { curveFromFrozen, decodeCurves } from "./curves.js";
import { model } from "./model.js";
import { Store } from "./store.js";

const MOST_IDS = 500; // in one answer

export class CurveData {
  // `state` has {whole: Map by id, detail: {from, to, curves: Map} or null, isLoading, error}.
  constructor() {
    this.state = new Store({ whole: new Map(), detail: null, isLoading: true, error: null });
    this.asked = null;
    this.abort = new AbortController();
  }

  // Fetches what is not there yet; all of it when the metric, x or the width has changed.
  async load({ ids, metric, x, width }) {
    const before = this.asked;
    const isSame = before && before.metric === metric && before.x === x && width <= before.width * 1.5;
    const ahead = isSame ? null : takeAhead({ ids, metric, x, width });
    this.asked = { metric, x, ids, width: isSame ? before.width : (ahead?.width ?? stepped(width)) };
    if (!isSame) this.#restart();
    const { whole } = this.state.get();
    const missing = isSame ? ids.filter((id) => !whole.has(id)) : ids;
    await this.#fetch(missing, { bytes: ahead?.bytes }, (curves) => this.state.set({ whole: merged(isSame ? this.state.get().whole : new Map(), curves), isLoading: false, error: null }));
  }

  // Fetches a range finer, if there is more of it than is there.
  async zoom(range) {
    const { whole, detail } = this.state.get();
    if (!range || !this.asked) return this.state.set({ detail: null });
    const [from, to] = range;
    if (detail && detail.from === from && detail.to === to) return undefined;
    const reduced = this.asked.ids.filter((id) => whole.has(id) && whole.get(id).points > whole.get(id).xs.length);
    if (!reduced.length) return undefined;
    this.wanted = range;
    return this.#fetch(reduced, { from, to }, (curves) => {
      if (this.wanted === range) this.state.set({ detail: { from, to, curves: merged(new Map(), curves) } });
    });
  }

  // Fetches these experiments again, of those that are shown.
  async refresh(changed) {
    if (!this.asked) return;
    const ids = this.asked.ids.filter((id) => changed.includes(id));
    const { detail } = this.state.get();
    await this.#fetch(ids, {}, (curves) => this.state.set({ whole: merged(this.state.get().whole, curves) }));
    if (detail) {
      await this.#fetch(ids, { from: detail.from, to: detail.to }, (curves) => {
        const now = this.state.get().detail;
        if (now?.from === detail.from && now.to === detail.to) this.state.set({ detail: { ...now, curves: merged(now.curves, curves) } });
      });
    }
  }

  // Returns all points of the experiments shown in a range, for a download.
  async fetchExact(ids, range) {
    const [from, to] = range ?? [null, null];
    const curves = [];
    for (let start = 0; start < ids.length; start += MOST_IDS) {
      const asked = { ...this.asked, width: 10_000, from, to };
      curves.push(...(await ask(ids.slice(start, start + MOST_IDS), asked, this.abort.signal)));
    }
    return curves;
  }

  stop() {
    this.abort.abort();
  }

  #restart() {
    this.abort.abort();
    this.abort = new AbortController();
    this.wanted = null;
    this.state.set({ detail: null, isLoading: true, error: null });
  }

  async #fetch(ids, range, take) {
    if (!ids.length) return this.state.set({ isLoading: false });
    const { signal } = this.abort;
    try {
      const curves = [];
      for (let start = 0; start < ids.length; start += MOST_IDS) curves.push(...(await ask(ids.slice(start, start + MOST_IDS), { ...this.asked, ...range }, signal)));
      if (!signal.aborted) take(curves);
    } catch (error) {
      if (!signal.aborted) this.state.set({ error, isLoading: false });
    }
    return undefined;
  }
}

function merged(known, curves) {
  const all = new Map(known);
  for (const curve of curves) all.set(curve.id, curve);
  return all;
}

// `bytes` are the answer, when it was asked for already. Ids may come back with more digits than were asked for; the ones asked for are what the page knows.
async function ask(ids, { metric, x, width, from, to, bytes }, signal) {
  if (isStatic) return Promise.all(ids.map((id) => askFrozen(id, metric, x)));
  const { curves } = decodeCurves(await (bytes ?? askCurves({ ids, metric, x, width, from, to }, signal)));
  const known = new Map(curves.map((curve) => [ids.find((id) => curve.id.startsWith(id) || id.startsWith(curve.id)), curve]));
  const empty = new Float64Array(0);
  return ids.map((id) => ({ ...(known.get(id) ?? { xs: empty, ys: empty, points: 0 }), id }));
}

const frozen = new Map();

async function askFrozen(id, metric, x) {
  if (!frozen.has(id)) frozen.set(id, getJson(`experiments/${id}/curves`));
  const { table } = model.get();
  const created = Date.parse(table.valueOf(table.find(id), "experiment", "created")) / 1000;
  return curveFromFrozen(id, await frozen.get(id), metric, x, created);
}
