// The card of one metric: its title and buttons around a chart, which is made when it comes into view.

import { html, useEffect, useLayoutEffect, useMemo, useRef, useState, useStore } from "./ui.js";
import { chartView } from "../core/chartview.js";
import { CurveData } from "../core/curvedata.js";
import { whenHeard } from "../core/heard.js";
import { formatCsv } from "../core/curves.js";
import { nameOfX } from "../core/chartsettings.js";
import { bestMarks, checkpointMarks } from "../core/marks.js";
import { model } from "../core/model.js";
import { saveBlob, saveText } from "../core/save.js";
import { formatNumber } from "../core/values.js";
import { isStatic } from "../core/api.js";
import { Chart, ChartTable } from "./chart.js";
import { sentence } from "./message.js";
import { loadPlots } from "./plot.js";
import { Icon } from "./small.js";

const NEAR_PX = 300;
const MARK_REST_MS = 250; // a pointer that rests on a series so long wants to see its checkpoints

// `shared` is what all cards have in common: ids, names, colorOf, groupOf, groupColor, onSpeak. `turn` changes one thing of this card: pin,
// turned (log y), table or full. `refocus` is from `useRefocus`.
export function ChartCard({ metric, shared, settings, height, turn, refocus, isFull = false }) {
  const card = useRef(null);
  const isSeen = useSeen(card, isFull, refocus.current === metric);
  const isLogY = settings.isLogY !== settings.turned.includes(metric);
  const isPinned = settings.pins.includes(metric);
  const isTable = settings.tables.includes(metric);
  const button = (name, isOn, label, sign) => html`<button type="button" class="plain icon" aria-pressed=${isOn} aria-label=${`${label}: ${metric}`} title=${label} onClick=${() => turn(name, metric)}>${sign}</button>`;
  const cardSettings = useMemo(() => ({ ...settings, isLogY }), [settings, isLogY]);
  const showValue = useRef(() => {});
  const actions = useRef({});
  return html`<section ref=${card} class="chart-card" aria-label=${metric}>
    <header>
      <h3 class="cut" title=${metric}>${metric}</h3>
      <${PointedValue} show=${showValue} />
      ${button("turned", isLogY, "log y axis", "log")}
      ${button("table", isTable, "Show as table", html`<${Icon} name="table" />`)}
      ${button("pin", isPinned, "Pin to the top", html`<${Icon} name="pin" />`)}
      <details class="chart-menu"><summary aria-label=${`Download ${metric}`} title="Download"><${Icon} name="download" /></summary><div class="menu">
        <button type="button" disabled=${isTable} onClick=${(event) => close(event, () => actions.current.png?.())}>Picture (PNG)</button>
        <button type="button" disabled=${isTable} onClick=${(event) => close(event, () => actions.current.svg?.())}>Drawing (SVG)</button>
        <button type="button" onClick=${(event) => close(event, () => actions.current.csv?.())}>Points (CSV)</button></div></details>
      ${button("full", isFull, isFull ? "Back to all charts (Esc)" : "Full size", html`<${Icon} name=${isFull ? "close" : "grow"} />`)}
    </header>
    ${isSeen ? html`<${Body} ...${{ metric, shared, settings: cardSettings, height, isTable, showValue, actions, refocus }} />` : html`<div class="chart-box" style=${{ height: `${height}px` }}></div>`}
  </section>`;
}

// What the series under the pointer of any chart has here. By itself, so that a pointer that moves draws nothing else.
function PointedValue({ show }) {
  const [value, setValue] = useState(null);
  show.current = (next) => (next?.value === value?.value && next?.color === value?.color) || setValue(next);
  return html`<output class="chart-value number">${value ? html`<span class="swatch" style=${{ background: value.color }}></span>${formatNumber(value.value)}` : null}</output>`;
}

function close(event, run) {
  event.target.closest("details").open = false;
  run();
}

// What is in view, or nearly: a page of a hundred charts has a dozen at work.
function useSeen(card, isAlways, isAtFirst) {
  const [isSeen, setSeen] = useState(isAlways || isAtFirst);
  useLayoutEffect(() => {
    const { top, bottom } = card.current.getBoundingClientRect(); // the observer says so, too, but a few frames later
    if (top < innerHeight + NEAR_PX && bottom > -NEAR_PX) setSeen(true);
  }, []);
  useEffect(() => {
    if (isAlways) return undefined;
    const observer = new IntersectionObserver(([entry]) => setSeen(entry.isIntersecting), { rootMargin: `${NEAR_PX}px 0px` });
    observer.observe(card.current);
    return () => observer.disconnect();
  }, []);
  return isSeen;
}

function Body({ metric, shared, settings, height, isTable, showValue, actions, refocus }) {
  const { ids, names, colorOf } = shared;
  const data = useMemo(() => new CurveData(), []);
  const state = useStore(data.state);
  const control = useRef(null);
  const box = useRef(null);
  const [width, setWidth] = useState(0);
  const table = useStore(model, ({ table: now }) => now);
  useLayoutEffect(() => {
    setWidth(Math.max(box.current.clientWidth, 100) * devicePixelRatio);
    if (refocus.current === metric) {
      refocus.current = null;
      if (document.activeElement === document.body) box.current.querySelector("[tabindex]").focus();
    }
    return () => data.stop();
  }, []);
  useLayoutEffect(() => {
    if (!width) return;
    data.load({ ids, metric, x: settings.x, width }).then(() => data.zoom(chartView.get().range));
    plot(data, control);
  }, [ids.join(), metric, settings.x, width]);
  useEffect(() => followChanges(data), []);
  useEffect(() => whenHeard(() => data.state.get().error, () => {
    data.retry();
    plot(data, control);
  }), []);
  const marksOf = useMarksOf(metric, settings.x, colorOf);
  const marks = useMemo(() => (ids.length <= 100 ? bestMarks(table, ids, metric, settings.x, colorOf) : []), [table, ids.join(), metric, settings.x]);
  const goal = useMemo(() => goalOf(table, ids, metric), [table, ids.join(), metric]);
  actions.current = {
    png: async () => saveBlob(`${metric}.png`, await control.current.plot.toPng(`${metric} by ${nameOfX(settings.x)}`)),
    svg: () => saveText(`${metric}.svg`, control.current.plot.toSvg(`${metric} by ${nameOfX(settings.x)}`), "image/svg+xml"),
    csv: async () => saveText(`${metric}.csv`, formatCsv(metric, nameOfX(settings.x), await data.fetchExact(ids, chartView.get().range), shared.nameOnly)),
  };
  return html`<div ref=${box} class="chart-body">
    ${state.error ? html`<div class="chart-note" role="alert"><p>${sentence(state.error.message)}</p>${state.error.hint ? html`<p class="hint">${sentence(state.error.hint)}</p>` : null}</div>` : null}
    ${isTable ? html`<${ChartTable} ...${{ metric, ids, data: state, settings, names, colorOf }} />`
      : html`<${Chart} ...${{ metric, ids, data: state, settings, height, names, colorOf, marks, marksOf, goal }} groupOf=${shared.groupOf} groupColor=${shared.groupColor}
          onRest=${(range) => data.zoom(range)} onControl=${(made) => (control.current = made)} onSpeak=${shared.onSpeak} onValue=${(value) => showValue.current(value)} />`}
  </div>`;
}

function plot(data, control) {
  loadPlots().then(() => control.current?.draw(), (error) => data.state.set({ error }));
}

// An update that has something of these experiments fetches them again, and only them.
function followChanges(data) {
  let { revision } = model.get();
  return model.subscribe((state) => {
    if (state.revision === revision) return;
    revision = state.revision;
    if (!isStatic && state.changed.length) data.refresh(state.changed);
  });
}

// Returns a function that gives the checkpoints of an experiment once the pointer has rested on it; it calls `ready` when they are there.
function useMarksOf(metric, x, colorOf) {
  const kept = useRef({ key: "", marks: [], timer: 0 });
  return (id, ready) => {
    const key = `${id} ${metric} ${x} ${model.get().revision}`;
    if (kept.current.key === key) return kept.current.marks;
    clearTimeout(kept.current.timer);
    const timer = setTimeout(async () => {
      const { table, changed } = model.get();
      const marks = id.startsWith("group:") ? [] : await checkpointMarks(table, id, metric, x, colorOf(id), changed.includes(id));
      if (kept.current.key !== key) return;
      kept.current.marks = marks;
      ready();
    }, MARK_REST_MS);
    kept.current = { key, marks: [], timer };
    return kept.current.marks;
  };
}

// Which end of a metric is good, where one of the experiments says so.
function goalOf(table, ids, metric) {
  const place = ids.map((id) => table.find(id)).find((one) => table.valueOf(one, "primary", "name") === metric);
  return place === undefined ? null : table.valueOf(place, "primary", "goal");
}
