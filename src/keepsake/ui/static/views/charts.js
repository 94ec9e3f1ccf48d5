// Curves: a chart a metric, of the experiments that are selected, else of the first that the filter keeps.

import { html, useEffect, useMemo, useRef, useState, useStore } from "../parts/ui.js";
import { current, setQuery } from "../core/address.js";
import { getJson, isStatic } from "../core/api.js";
import { setRange } from "../core/chartview.js";
import { formatList, groupMetrics, parseList, readSettings, toggled } from "../core/chartsettings.js";
import { colorAt, colorOf } from "../core/colors.js";
import { bindKeys } from "../core/keys.js";
import { isLive, switchLive } from "../core/live.js";
import { model } from "../core/model.js";
import { formatValue, shortId } from "../core/values.js";
import { ChartBar } from "../parts/chartbar.js";
import { ChartCard } from "../parts/chartcard.js";
import { controlOf } from "../parts/chartcontrol.js";
import { ChartList } from "../parts/chartlist.js";
import { Empty } from "../parts/message.js";

const HEIGHT_PX = 240;

export function Charts() {
  const query = useStore(current, (address) => address.query);
  const { table, order, selected } = useParts();
  const settings = useMemo(() => readSettings(query), [query]);
  const isSelection = selected.length > 0;
  const listed = useMemo(() => (isSelection ? selected : order.slice(0, settings.count).map((place) => table.ids[place])), [table.ids, order, selected, settings.count]);
  const ids = useMemo(() => listed.filter((id) => !settings.hidden.some((start) => id.startsWith(start))), [listed.join(), settings.hidden.join()]);
  const { metrics, isAsking } = useMetrics(table, listed);
  const [spoken, speak] = useState("");
  const shared = useShared(table, ids, query.group, speak);
  useChartKeys();
  useEffect(() => listed.forEach(colorOf), [listed]); // in the order of the list, so that neighbours differ
  const sections = groupMetrics(metrics, settings);
  const card = (metric, more = {}) => html`<${ChartCard} key=${metric} ...${{ metric, shared, settings, turn, height: HEIGHT_PX, ...more }} />`;
  if (!order.length && !isSelection) return html`<${Nothing} table=${table} />`;
  return html`<div class="charts">
    <h1 class="hidden-text">Charts</h1>
    <${ChartList} ...${{ table, listed, isSelection, hidden: settings.hidden, count: settings.count, colorOf, total: isSelection ? selected.length : order.length }} />
    <div class="charts-main">
      <${ChartBar} settings=${settings} metrics=${metrics} group=${query.group ? nameOfGroup(query.group) : ""} />
      ${settings.chosen.length ? html`<p class="toolbar">Only ${settings.chosen.map((name) => html`<code>${name}</code>`)}<button type="button" onClick=${() => setQuery({ m: "" })}>All metrics</button></p>` : null}
      ${settings.isMean ? html`<${GroupLegend} shared=${shared} />` : null}
      ${settings.full && metrics.includes(settings.full) ? html`<div class="chart-full">${card(settings.full, { key: `full ${settings.full}`, isFull: true, height: Math.max(innerHeight - 250, 280) })}</div>`
        : sections.map((section) => html`<${Section} key=${section.key} section=${section} isOpen=${!settings.closed.includes(section.key)} across=${settings.across} card=${card} />`)}
      ${metrics.length && !sections.length ? html`<${Empty} title="No metric is called that."><p><button type="button" onClick=${() => setQuery({ find: "", m: "" })}>Show all ${metrics.length} metrics</button></p><//>` : null}
      ${metrics.length || isAsking ? null : html`<${Empty} title="These experiments have no metrics."><p>Give <code>experiment.checkpoint(step=…, loss=…)</code> what was measured, and it is drawn here.</p><//>`}
    </div>
    <p class="hidden-text" role="status">${spoken}</p>
  </div>`;
}

function useParts() {
  return { table: useStore(model, (state) => state.table), order: useStore(model, (state) => state.order), selected: useStore(model, (state) => state.selected) };
}

function Nothing({ table }) {
  return table.size ? html`<${Empty} title="The filter keeps no experiment."><p><button type="button" onClick=${() => setQuery({ q: "" })}>Clear the filter</button></p><//>`
    : html`<${Empty} title="There are no experiments yet."><p>Curves appear here as soon as a training script has saved its first checkpoint.</p><//>`;
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

// Which group of experiments has which colour, when their means are drawn.
function GroupLegend({ shared }) {
  const groups = [...new Set(shared.ids.map(shared.groupOf))];
  return html`<ul class="chart-legend" aria-label="Groups">${groups.map((name) => html`<li><span class="swatch" style=${{ background: shared.groupColor(name) }}></span>${name || "all"} <span class="muted">${shared.ids.filter((id) => shared.groupOf(id) === name).length}</span></li>`)}</ul>`;
}

// What all cards need of the experiments.
function useShared(table, ids, group, onSpeak) {
  return useMemo(() => {
    const nameOnly = (id) => formatValue(table.valueOf(table.find(id), "experiment", "name"));
    const names = (id) => `${shortId(id)} ${nameOnly(id)}`.trim();
    const groupOf = (id) => (group ? formatValue(table.value(table.find(id), group)) || "(none)" : "");
    const groups = [...new Set(ids.map(groupOf))];
    return { ids, names, nameOnly, colorOf, groupOf, groupColor: (name) => colorAt(groups.indexOf(name)), onSpeak };
  }, [table, ids, group]);
}

const nameOfGroup = (name) => name.replace(/^(params|environment)\./, "");

// The metrics of these experiments. The table knows those that checkpoints have; the server says which were logged besides, and
// again of those that have gone on.
function useMetrics(table, ids) {
  const key = ids.join();
  const [others, setOthers] = useState({ key: null, names: [] });
  useEffect(() => {
    let isOver = false;
    const ask = async (some) => {
      const names = await askMetrics(some).catch(() => []); // what cannot be asked is shown where a chart asks for it
      if (!isOver) setOthers((before) => joined(before, key, names));
    };
    ask(ids);
    let { revision } = model.get();
    const end = model.subscribe((state) => {
      const changed = state.revision === revision ? [] : ids.filter((id) => state.changed.includes(id));
      revision = state.revision;
      if (changed.length) ask(changed);
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
  return [...names].sort((a, b) => primary.has(b) - primary.has(a) || a.localeCompare(b, "en", { numeric: true }));
}

// Turns something of one card: its pin, its axis, its table, its size.
function turn(what, metric) {
  const { query } = current.get();
  if (what === "full") return setQuery({ full: query.full === metric ? "" : metric });
  return setQuery({ [what]: formatList(toggled(parseList(query[what]), metric)) });
}

function useChartKeys() {
  const live = useRef(isLive());
  useEffect(() => {
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
  useEffect(() => bindKeys("Charts", [
    { keys: ["Escape"], label: "Back from full size, then show everything", when: () => Boolean(current.get().query.full || current.get().query.range), run: () => (current.get().query.full ? setQuery({ full: "" }) : setRange(null)) },
    { keys: ["l"], label: "Live on and off", run: () => switchLive((live.current = !live.current)) },
  ]), []);
}
