// Curves: a chart a metric, of the experiments that are selected, else of the first that the filter keeps.

import { html, useEffect, useMemo, useState, useStore } from "../parts/ui.js";
import { current, setQuery } from "../core/address.js";
import { askAhead } from "../core/ahead.js";
import { groupMetrics, readSettings } from "../core/chartsettings.js";
import { colorOf } from "../core/colors.js";
import { loggedMetrics, metricsOf } from "../core/metrics.js";
import { model } from "../core/model.js";
import { ChartBar } from "../parts/chartbar.js";
import { ChartGrid, useChartKeys, useShared } from "../parts/chartgrid.js";
import { ChartList } from "../parts/chartlist.js";
import { useMetrics } from "../parts/chartmetrics.js";
import { Empty, Failure } from "../parts/message.js";
import { loadPlots } from "../parts/plot.js";

export function Charts() {
  const query = useStore(current, (address) => address.query);
  const { table, order, selected } = useParts();
  const settings = useMemo(() => readSettings(query), [query]);
  useMemo(() => void Charts.prepare().catch(() => {}), []); // what cannot be asked is shown where a chart asks for it
  const isSelection = selected.length > 0;
  const listed = useMemo(() => listedIds({ table, order, selected }, settings), [table.ids, order, selected, settings.count]);
  const ids = useMemo(() => seenIds(listed, settings), [listed.join(), settings.hidden.join()]);
  const { metrics, isAsking, error } = useMetrics(table, listed);
  const [spoken, speak] = useState("");
  const shared = useShared(table, ids, query.group, speak);
  useChartKeys();
  useEffect(() => listed.forEach(colorOf), [listed]); // in the order of the list, so that neighbours differ
  const sections = groupMetrics(metrics, settings);
  const total = isSelection ? selected.length : order.length;
  // The same until something of it changes, so that it is not gone through when metrics become known.
  const list = useMemo(() => html`<${ChartList} ...${{ table, listed, isSelection, hidden: settings.hidden, count: settings.count, colorOf, total }} />`, [table, listed, isSelection, settings, total]);
  if (!order.length && !isSelection) return html`<${Nothing} table=${table} />`;
  return html`<div class="charts">
    <h1 class="hidden-text">Charts</h1>
    ${list}
    <div class="charts-main">
      <${ChartBar} settings=${settings} metrics=${metrics} group=${query.group ? nameOfGroup(query.group) : ""} />
      ${settings.chosen.length ? html`<p class="toolbar">Only ${settings.chosen.map((name) => html`<code>${name}</code>`)}<button type="button" onClick=${() => setQuery({ m: "" })}>All metrics</button></p>` : null}
      ${settings.isMean ? html`<${GroupLegend} shared=${shared} />` : null}
      <${ChartGrid} metrics=${metrics} shared=${shared} settings=${settings} />
      ${metrics.length && !sections.length ? html`<${Empty} title="No metric is called that."><p><button type="button" onClick=${() => setQuery({ find: "", m: "" })}>Show all ${metrics.length} metrics</button></p><//>` : null}
      ${error ? html`<${Failure} error=${error} />` : metrics.length || isAsking ? null : html`<${Empty} title="These experiments have no metrics."><p>Give <code>experiment.checkpoint(step=…, loss=…)</code> what was measured, and it is drawn here.</p><//>`}
    </div>
    <p class="hidden-text" role="status">${spoken}</p>
  </div>`;
}

// Asks for what will be drawn; resolves when it is known which charts there are.
Charts.prepare = async () => {
  if (!isKnown(model.get())) await new Promise((resolve) => {
    const end = model.subscribe((state) => isKnown(state) && resolve(end()));
  });
  const { listed, key } = askFor([]);
  const { answer } = loggedMetrics(listed);
  askFor(await answer, key);
  loadPlots().catch(() => {}); // while the server looks for curves; a chart says what went wrong
};

const isKnown = ({ matches, selected }) => matches !== null || selected.length > 0;

// Asks for the curves of what the address shows by now, unless that has another `key` than it had.
function askFor(names, before = null) {
  const { view, query } = current.get();
  const settings = readSettings(query);
  const state = model.get();
  const listed = listedIds(state, settings);
  const ids = seenIds(listed, settings);
  const key = `${view} ${state.revision} ${settings.x} ${ids.join()}`;
  if (before === null || before === key) askAhead(metricsOf(state.table, listed, names), ids, settings);
  return { listed, key };
}

function listedIds({ table, order, selected }, { count }) {
  return selected.length ? selected : order.slice(0, count).map((place) => table.ids[place]);
}

function seenIds(listed, { hidden }) {
  return listed.filter((id) => !hidden.some((start) => id.startsWith(start)));
}

function useParts() {
  return { table: useStore(model, (state) => state.table), order: useStore(model, (state) => state.order), selected: useStore(model, (state) => state.selected) };
}

function Nothing({ table }) {
  return table.size ? html`<${Empty} title="The filter keeps no experiment."><p><button type="button" onClick=${() => setQuery({ q: "" })}>Clear the filter</button></p><//>`
    : html`<${Empty} title="There are no experiments yet."><p>Curves appear here as soon as a training script has saved its first checkpoint.</p><//>`;
}

// Which group of experiments has which colour, when their means are drawn.
function GroupLegend({ shared }) {
  const groups = [...new Set(shared.ids.map(shared.groupOf))];
  return html`<ul class="chart-legend" aria-label="Groups">${groups.map((name) => html`<li><span class="swatch" style=${{ background: shared.groupColor(name) }}></span>${name || "all"} <span class="muted">${shared.ids.filter((id) => shared.groupOf(id) === name).length}</span></li>`)}</ul>`;
}

const nameOfGroup = (name) => name.replace(/^(params|environment)\./, "");
