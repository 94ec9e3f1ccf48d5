// Where the page begins: the frame, and in it the view that the address names, loaded when it is first seen.

import { html, render, useEffect, useState, useStore } from "./parts/ui.js";
import { current, setQuery } from "./core/address.js";
import { startLive } from "./core/live.js";
import { load, model } from "./core/model.js";
import { loadStyle } from "./core/styles.js";
import { applyTheme } from "./core/theme.js";
import { FilterError } from "./parts/filterbox.js";
import { Frame } from "./parts/frame.js";
import { Empty, Failure, Loading } from "./parts/message.js";
import { Experiments } from "./views/experiments.js";

// The landing page comes with this file; the others are fetched on demand.
const VIEWS = {
  experiments: async () => Experiments,
  charts: async () => (await import("./views/charts.js")).Charts,
  scatter: async () => (await import("./views/scatter.js")).Scatter,
  parallel: async () => (await import("./views/parallel.js")).Parallel,
  experiment: async () => (await import("./views/experiment.js")).ExperimentPage,
  compare: async () => (await import("./views/compare.js")).Compare,
  storage: async () => (await import("./views/storage.js")).Storage,
  about: async () => (await import("./views/about.js")).About,
  missing: async () => (await import("./views/about.js")).Missing,
};

const FILTERED = ["experiments", "charts", "scatter", "parallel"]; // which show what the filter keeps

const STYLES = ["vendor/uplot.css", "css/charts.css", "css/pages.css"]; // of all views but the first

const loaded = { experiments: Experiments };
const loading = new Map();

function loadView(name) {
  if (!loading.has(name)) loading.set(name, fetchView(name).catch((error) => {
    loading.delete(name); // so that it is tried again
    throw error;
  }));
  return loading.get(name);
}

async function fetchView(name) {
  const [view] = await Promise.all([VIEWS[name](), ...STYLES.map(loadStyle)]);
  loaded[name] = view;
}

function App() {
  const name = useStore(current, (address) => address.view);
  const [, redraw] = useState(0);
  const [failure, setFailure] = useState(null);
  const View = loaded[name];
  useEffect(() => {
    setFailure(null);
    if (View) return;
    loadView(name).then(() => redraw((count) => count + 1), setFailure);
  }, [name]);
  return html`<${Frame}>${failure ? html`<${Failure} error=${failure} />` : View ? html`<${Content} name=${name} view=${View} />` : html`<${Loading} what="this page" />`}<//>`;
}

// Nothing can be shown before the first answer; after that, what was heard last stays when the server does not answer.
function Content({ name, view: View }) {
  const { meta, error, matches, filterError, selected } = useStore(model);
  const isKnown = matches || !FILTERED.includes(name) || (name === "charts" && selected.length);
  if (meta && isKnown) return html`<${View} />`;
  if (meta && filterError) return html`<${Unreadable} error=${filterError} />`;
  return error ? html`<${Failure} error=${error} retry=${load} />` : html`<${Loading} what="experiments" />`;
}

// A filter that came with the address, for which nothing can be shown in the meantime.
function Unreadable({ error }) {
  const text = useStore(current, ({ query }) => query.q ?? "");
  return html`<${Empty} title="This filter cannot be read."><${FilterError} error=${error} text=${text} /><p><button type="button" onClick=${() => setQuery({ q: "" })}>Clear the filter</button></p><//>`;
}

const first = current.get().view;
if (!loaded[first]) loadView(first).catch(() => {}); // on its way before the page is drawn, which says what went wrong
load().then(startLive);
applyTheme();

// The page is drawn with what is in it, unless that takes longer than a moment: then its frame comes first.
const MOMENT_MS = 150;
let isBegun = false;
function begin() {
  if (isBegun) return;
  isBegun = true;
  const root = document.getElementById("app");
  root.replaceChildren();
  render(html`<${App} />`, root);
}
// Before a view is drawn, it asks for what it will show; its `prepare` resolves when there is more to draw.
async function prepare() {
  if (!loaded[first]) await loadView(first);
  await loaded[first].prepare?.();
}
const end = model.subscribe(({ connection }) => {
  if (connection === "loading") return;
  end();
  queueMicrotask(() => prepare().then(begin, begin)); // when the model is set as a whole
});
setTimeout(begin, MOMENT_MS);
