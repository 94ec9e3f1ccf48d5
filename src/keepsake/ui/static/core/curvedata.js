// The curves of one chart: fetched as wide as it is, finer where it is zoomed in, and anew where an experiment has gone on.
//
// `whole` are all points as the server reduced them, `detail` those of a range. A range is asked for only where points were left
// out. Of each experiment the curve stays that was asked for last, in whatever order answers come; what comes of experiments
// that are not shown any more is dropped.

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
    this.wanted = null; // the range that is looked at
    this.abort = new AbortController();
    this.loads = 0;
    this.count = 0; // of questions: a curve has the number of its own in `asked`
  }

  // Fetches what is not there yet; all of it when the metric, x or the width has changed, or something could not be fetched.
  async load({ ids, metric, x, width }) {
    const before = this.asked;
    const isAlike = before?.metric === metric && before.x === x;
    const isSame = isAlike && width <= before.width * 1.5;
    const ahead = isSame ? null : takeAhead({ ids, metric, x, width });
    this.asked = { metric, x, ids, width: isSame ? before.width : (ahead?.width ?? stepped(width)) };
    if (!isSame) this.#restart(isAlike ? ids : []);
    const { whole, error } = this.state.get();
    await this.#loadWhole(isSame && !error ? ids.filter((id) => !whole.has(id)) : ids, ahead?.bytes);
  }

  // Fetches a range finer, where there is more of it than is there.
  async zoom(range) {
    this.wanted = range;
    if (!range || !this.asked) return this.state.set({ detail: null });
    const known = this.#detailOf(range);
    return this.#zoomIn(this.asked.ids.filter((id) => !known.has(id)), range);
  }

  // Fetches these experiments again, of those that are shown; others are, when they are shown again.
  async refresh(changed) {
    if (!this.asked) return;
    const { whole, detail, error } = this.state.get();
    const ids = this.asked.ids.filter((id) => changed.includes(id));
    const gone = changed.filter((id) => whole.has(id) && !ids.includes(id));
    if (gone.length) this.state.set({ whole: without(whole, gone), detail: detail && { ...detail, curves: without(detail.curves, gone) } });
    if (error) return this.retry();
    await this.#fetch(ids, {}, (curves) => this.#keep(curves));
    if (this.wanted) await this.#zoomIn(ids, this.wanted);
  }

  // Fetches everything again, after something could not be fetched.
  async retry() {
    if (!this.asked) return;
    await this.#loadWhole(this.asked.ids);
    await this.zoom(this.wanted);
  }

  // Returns all points of the experiments shown in a range, for a download.
  async fetchExact(ids, range) {
    const [from, to] = range ?? [null, null];
    return this.#ask(ids, { width: 10_000, from, to });
  }

  stop() {
    this.abort.abort();
  }

  // Curves of `kept` stay until finer ones are there; those by another x would be drawn on the wrong axis.
  #restart(kept) {
    this.abort.abort();
    this.abort = new AbortController();
    const { whole } = this.state.get();
    this.state.set({ whole: new Map([...whole].filter(([id]) => kept.includes(id))), detail: null });
  }

  async #loadWhole(ids, bytes) {
    const load = ++this.loads;
    const isLast = () => load === this.loads; // one before it asked for nothing that is not here, or asked for again
    const { whole } = this.state.get();
    this.state.set({ isLoading: ids.length > 0 && !this.asked.ids.some((id) => whole.has(id)), error: null });
    await this.#fetch(ids, { bytes }, (curves) => this.#keep(curves, isLast() ? { isLoading: false } : {}), isLast);
  }

  async #zoomIn(ids, range) {
    const { whole } = this.state.get();
    const [from, to] = range;
    const reduced = ids.filter((id) => whole.has(id) && whole.get(id).points > whole.get(id).xs.length);
    await this.#fetch(reduced, { from, to }, (curves) => {
      if (isAlike(this.wanted, range)) this.state.set({ detail: { from, to, curves: merged(this.#detailOf(range), curves) } });
    });
  }

  // What is known of a range already.
  #detailOf([from, to]) {
    const { detail } = this.state.get();
    return detail && isAlike([detail.from, detail.to], [from, to]) ? detail.curves : new Map();
  }

  #keep(curves, changes = {}) {
    this.state.set({ ...changes, whole: merged(this.state.get().whole, curves) });
  }

  // `isWanted` tells whether a failure is still of interest.
  async #fetch(ids, range, take, isWanted = () => true) {
    if (!ids.length) return;
    const { signal } = this.abort;
    const asked = ++this.count;
    try {
      const curves = await this.#ask(ids, range, signal);
      const shown = new Set(this.asked.ids);
      if (!signal.aborted) take(curves.filter(({ id }) => shown.has(id)).map((curve) => ({ ...curve, asked })));
    } catch (error) {
      if (!signal.aborted && isWanted()) this.state.set({ error, isLoading: false });
    }
  }

  async #ask(ids, range, signal = this.abort.signal) {
    const curves = [];
    for (let start = 0; start < ids.length; start += MOST_IDS) curves.push(...(await ask(ids.slice(start, start + MOST_IDS), { ...this.asked, ...range }, signal)));
    return curves;
  }
}

const isAlike = (a, b) => a !== null && a[0] === b[0] && a[1] === b[1];

// What was asked for earlier replaces nothing that was asked for later.
function merged(known, curves) {
  const all = new Map(known);
  for (const curve of curves) if (!(all.get(curve.id)?.asked > curve.asked)) all.set(curve.id, curve);
  return all;
}

const without = (curves, ids) => new Map([...curves].filter(([id]) => !ids.includes(id)));

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
