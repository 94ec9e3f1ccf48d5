// What all charts of a page share while somebody looks: the range of x, the place of the pointer, and the series under it.
//
// The range stands in the address as well, where it is written when a movement has come to rest.

import { current, setQuery } from "./address.js";
import { formatRange, parseRange } from "./ranges.js";
import { Store } from "./store.js";

const REST_MS = 200;

// `range` is of x, null for everything. `x` is where the pointer is, `id` the experiment nearest to it, `source` the chart it is in.
export const chartView = new Store({ range: parseRange(current.get().query.range), x: null, id: null, source: null });

let timer = 0;
let written = current.get().query.range ?? "";

export function setRange(range) {
  chartView.set({ range });
  clearTimeout(timer);
  const view = current.get().view;
  timer = setTimeout(() => {
    if (current.get().view !== view) return;
    written = formatRange(range);
    setQuery({ range: written });
  }, REST_MS);
}

// An address that came from elsewhere (back, a link) shows its range.
current.subscribe(({ query }) => {
  const text = query.range ?? "";
  if (text === written) return;
  written = text;
  clearTimeout(timer);
  chartView.set({ range: parseRange(text) });
});

export function point(x, id, source) {
  chartView.set({ x, id, source });
}
