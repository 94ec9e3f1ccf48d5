// Charts in sections, one for each part before the `/` of their metrics, and the keys that work in them. What is set for one
// card stands in the address.

import { html, useLayoutEffect, useMemo, useRef } from "./ui.js";
import { isStatic } from "../core/api.js";
import { current, setQuery } from "../core/address.js";
import { formatList, groupMetrics, parseList, readSettings, toggled } from "../core/chartsettings.js";
import { setRange } from "../core/chartview.js";
import { colorAt, colorOf } from "../core/colors.js";
import { bindKeys } from "../core/keys.js";
import { switchLive } from "../core/live.js";
import { model } from "../core/model.js";
import { formatValue, shortId } from "../core/values.js";
import { ChartCard } from "./chartcard.js";
import { controlOf } from "./chartcontrol.js";

const HEIGHT_PX = 240;

// What all cards need of the experiments.
export function useShared(table, ids, group, onSpeak) {
  return useMemo(() => {
    const nameOnly = (id) => formatValue(table.valueOf(table.find(id), "experiment", "name"));
    const names = (id) => `${shortId(id)} ${nameOnly(id)}`.trim();
    const groupOf = (id) => (group ? formatValue(table.value(table.find(id), group)) || "(none)" : "");
    const groups = [...new Set(ids.map(groupOf))];
    return { ids, names, nameOnly, colorOf, groupOf, groupColor: (name) => colorAt(groups.indexOf(name)), onSpeak };
  }, [table, ids, group]);
}

// `shared` is what `useShared` returned.
export function ChartGrid({ metrics, shared, settings }) {
  const refocus = useRefocus(settings.full);
  const card = (metric, more = {}) => html`<${ChartCard} key=${metric} ...${{ metric, shared, settings, turn, refocus, height: HEIGHT_PX, ...more }} />`;
  if (settings.full && metrics.includes(settings.full)) return html`<div class="chart-full">${card(settings.full, { key: `full ${settings.full}`, isFull: true, height: Math.max(innerHeight - 250, 280) })}</div>`;
  return groupMetrics(metrics, settings).map((section) => html`<${Section} key=${section.key} section=${section} isOpen=${!settings.closed.includes(section.key)} across=${settings.across} card=${card} />`);
}

// The chart that becomes full size, or is no longer, is made anew: the one in `current` takes the focus that would be lost.
function useRefocus(full) {
  const refocus = useRef(null);
  const before = useRef(full);
  if (full !== before.current) refocus.current = full || before.current;
  before.current = full;
  return refocus;
}

function Section({ section: { key, title, metrics }, isOpen, across, card }) {
  const turnOpen = (event) => {
    const { closed } = readSettings(current.get().query);
    if (event.target.open !== closed.includes(key)) return; // it is what the address says already
    setQuery({ closed: formatList(toggled(closed, key)) });
  };
  return html`<details class="chart-section" open=${isOpen} onToggle=${turnOpen}>
    <summary><h2>${title} <span class="muted">${metrics.length}</span></h2></summary>
    ${isOpen ? html`<div class=${`chart-grid across-${across || "auto"}`}>${metrics.map((metric) => card(metric))}</div>` : null}
  </details>`;
}

// Turns something of one card: its pin, its axis, its table, its size.
function turn(what, metric) {
  const { query } = current.get();
  if (what === "full") return setQuery({ full: query.full === metric ? "" : metric });
  return setQuery({ [what]: formatList(toggled(parseList(query[what]), metric)) });
}

export function useChartKeys() {
  useLayoutEffect(() => {
    const inChart = (keys, label, run) => ({ keys, label, when: (event) => Boolean(controlOf(event)), run: (event) => run(controlOf(event), event) });
    const metricOf = (control) => control.element.closest(".chart-card").getAttribute("aria-label");
    return bindKeys("In a chart", [
      inChart(["ArrowLeft"], "Pan to the left; with Shift, move the crosshair", (control, { shiftKey }) => (shiftKey ? control.move(-0.02) : control.pan(-0.1))),
      inChart(["ArrowRight"], "Pan to the right; with Shift, move the crosshair", (control, { shiftKey }) => (shiftKey ? control.move(0.02) : control.pan(0.1))),
      inChart(["+", "="], "Zoom in", (control) => control.zoom(0.7)),
      inChart(["-", "_"], "Zoom out", (control) => control.zoom(1 / 0.7)),
      inChart(["0"], "Show everything", (control) => control.reset()),
      inChart(["["], "The series above", (control) => control.step(-1)),
      inChart(["]"], "The series below", (control) => control.step(1)),
      inChart(["y"], "Logarithmic y axis", (control) => turn("turned", metricOf(control))),
      inChart(["f"], "Full size", (control) => turn("full", metricOf(control))),
    ]);
  }, []);
  useLayoutEffect(() => bindKeys("Charts", [
    { keys: ["Escape"], label: "Back from full size, then show everything", when: () => Boolean(current.get().query.full || current.get().query.range), run: () => (current.get().query.full ? setQuery({ full: "" }) : setRange(null)) },
    { keys: ["l"], label: "Live on and off", run: () => isStatic || switchLive(!model.get().isLive) },
  ]), []);
}
