// Params against metrics: a point an experiment, coloured by a third value; a lasso selects.

import { html, useMemo, useState, useStore } from "../parts/ui.js";
import { current, go, linkTo, setQuery, sharedAddress } from "../core/address.js";
import { parseList, toggled } from "../core/chartsettings.js";
import { differingParams, findColumn, isWide, labelOf, listChoices, numbersOf, placedValues, primaryOf, scaleOf } from "../core/choices.js";
import { rankParams } from "../core/importance.js";
import { model, select, toggle } from "../core/model.js";
import { makePoints } from "../core/points.js";
import { paretoFront, spearman } from "../core/rank.js";
import { makeShades } from "../core/shades.js";
import { formatCount, formatValue, sortPlaces } from "../core/values.js";
import { ColorLegend, ColumnChoice } from "../parts/choice.js";
import { Empty } from "../parts/message.js";
import { nameOf, ScatterPlot } from "../parts/scatterplot.js";

export const MOST_SELECTED = 200; // an address with more is too long to be shared
const TABLE_ROWS = 100;

export function Scatter() {
  const [table, matches, selected] = [useStore(model, (state) => state.table), useStore(model, (state) => state.matches), useStore(model, (state) => state.selected)];
  const query = useStore(current, (address) => address.query);
  const [said, say] = useState("");
  const choices = useMemo(() => listChoices(table, matches), [table, matches]);
  const primary = useMemo(() => primaryOf(table, matches), [table, matches]);
  const [x, y, color] = useAxes(table, matches, query, primary.column, choices);
  const shades = useMemo(() => makeShades(color?.scale ?? null), [color]);
  const points = useMemo(() => (x && y ? makePoints(matches, table.ids, x.values, y.values, x.scale, y.scale) : null), [x, y, matches]);
  const goals = readGoals(query.goals, [x, y], primary);
  const front = useMemo(() => (points && query.front === "1" ? frontOf(points, x, y, goals) : []), [points, query.front, goals.join()]);
  const trend = useMemo(() => (points ? trendOf(x, y, matches) : null), [points]);
  if (!points) return html`<${Nothing} table=${table} matches=${matches} />`;
  const axes = { x, y, c: color };
  const logs = Object.keys(axes).filter((name) => axes[name]?.scale.kind === "log");
  const log = (name, axis) => (axis?.scale.kind === "choice" || !axis ? null : html`<label class="inline"><input type="checkbox" checked=${logs.includes(name)} onChange=${() => setQuery({ log: toggled(logs, name).join(",") || "none" })} />log<span class="hidden-text"> ${labelOf(axis.column)}</span></label>`);
  // Both axes are written down: one that was chosen for the reader stays when the other is chosen by them.
  const choose = (name) => (value) => setQuery({ x: x.column.name, y: y.column.name, [name]: value, log: "" });
  const lasso = (places, isAdding) => {
    const ids = [...new Set([...(isAdding ? selected : []), ...places.map((place) => table.ids[place])])];
    select(ids.slice(0, MOST_SELECTED));
    say(ids.length > MOST_SELECTED ? `${MOST_SELECTED} of ${ids.length} selected: a selection holds no more` : `${ids.length} selected`);
  };
  const open = (place) => go(sharedAddress("experiment", [table.ids[place]]));
  const summary = `${labelOf(y.column)} against ${labelOf(x.column)}, ${points.places.length} experiments${trend ? `, rank correlation ${trend.rho.toFixed(2)}` : ""}. Arrows go from point to point, Enter opens, x selects.`;
  return html`<div class="scatter">
    <h1 class="hidden-text">Scatter</h1>
    <div class="toolbar chart-bar" role="group" aria-label="Axes">
      <${ColumnChoice} label="x" choices=${choices} value=${x.column.name} onChange=${choose("x")} />${log("x", x)}
      <${ColumnChoice} label="y" choices=${choices} value=${y.column.name} onChange=${choose("y")} />${log("y", y)}
      <${ColumnChoice} label="colour" none="none" choices=${choices} value=${color?.column.name} onChange=${(value) => choose("c")(value || "none")} />${log("c", color)}
      <label class="inline"><input type="checkbox" checked=${query.trend !== "0"} onChange=${() => setQuery({ trend: query.trend === "0" ? "" : "0" })} />trend</label>
      <label class="inline" title="Those that no other one beats in both"><input type="checkbox" checked=${query.front === "1"} onChange=${() => setQuery({ front: query.front === "1" ? "" : "1" })} />Pareto front</label>
      ${query.front === "1" ? [x, y].map((axis, index) => html`<label class="inline">${labelOf(axis.column)} <select value=${goals[index]} onChange=${(event) => setQuery({ goals: goals.map((goal, at) => (at === index ? event.target.value : goal)).join(",") })}><option value="min">small is good</option><option value="max">large is good</option></select></label>`) : null}
      <button type="button" aria-pressed=${query.table === "1"} onClick=${() => setQuery({ table: query.table === "1" ? "" : "1" })}>As a table</button>
    </div>
    <div class="toolbar scatter-facts">
      <${ColorLegend} column=${color?.column} scale=${color?.scale} shades=${shades} />
      ${trend ? html`<span title="Spearman's rank correlation: 1 when both rise together, −1 when one falls as the other rises. It says nothing about causes.">rank correlation <b>${formatRho(trend.rho)}</b> <span class="muted">n = ${formatCount(trend.count)}</span></span>` : null}
      ${front.length ? html`<span>${front.length} on the front <button type="button" onClick=${() => lasso(front.map((index) => points.places[index]), false)}>Select them</button></span>` : null}
      ${points.places.length < matches.length ? html`<span class="muted">${(matches.length - points.places.length).toLocaleString("en")} have no place here</span>` : null}
      <span class="spacer"></span>
      ${selected.length ? html`<a class="button" ...${linkTo(sharedAddress("charts"))}>Plot ${selected.length} selected</a><button type="button" onClick=${() => select([])}>Clear selection</button>` : html`<span class="muted">Draw around points to select them, click one to open it.</span>`}
    </div>
    ${query.table === "1" ? html`<${PointTable} ...${{ table, points, x, y, color }} />`
      : html`<${ScatterPlot} ...${{ table, points, axes: { x, y, color }, shades, selected, front, summary }} hasTrend=${query.trend !== "0"} onLasso=${lasso} onOpen=${open} onToggle=${(place) => toggle(table.ids[place])} onSpeak=${say} />`}
    <p class="hidden-text" role="status">${said}</p>
  </div>`;
}

export const formatRho = (rho) => rho.toFixed(2).replace("-", "−");

// The axes that the address names; without: the param that goes best with the primary metric, that metric, and no colour.
function useAxes(table, places, query, primary, choices) {
  const logs = query.log ? parseList(query.log) : null; // not said: a log axis where values lie far apart
  const make = (column, name) => (column ? { column, values: placedValues(column), scale: scaleOf(column, places, logs ? logs.includes(name) : isWide(column, places)) } : null);
  const y = (query.y && findColumn(table, query.y)) || primary || choices[0]?.columns[0];
  const x = (query.x && findColumn(table, query.x)) || bestParam(table, places, y);
  const color = query.c === "none" ? null : query.c ? findColumn(table, query.c) : null;
  const key = (column) => [table, places, column, query.log];
  return [
    useMemo(() => make(x, "x"), key(x)),
    useMemo(() => make(y, "y"), key(y)),
    useMemo(() => make(color, "c"), key(color)),
  ];
}

function bestParam(table, places, metric) {
  const ranked = metric ? rankParams(table, places, metric) : [];
  return (ranked.find(({ isChoice }) => !isChoice) ?? ranked[0])?.column ?? differingParams(table, places)[0] ?? table.column("created");
}

function trendOf(x, y, places) {
  const [xs, ys] = [numbersOf(x.column, places), numbersOf(y.column, places)];
  if (!xs || !ys) return null;
  const found = spearman(xs, ys);
  return Number.isNaN(found.rho) ? null : found;
}

// What is good on each axis: as the address says, else as the primary metric has it, else small.
function readGoals(text, axes, primary) {
  const given = parseList(text);
  return axes.map((axis, index) => (["min", "max"].includes(given[index]) ? given[index] : axis && axis.column.key === primary.column?.key && primary.goal === "maximize" ? "max" : "min"));
}

function frontOf({ places }, x, y, goals) {
  const [xs, ys] = [numbersOf(x.column, places), numbersOf(y.column, places)];
  return xs && ys ? paretoFront(xs, ys, goals.map((goal) => (goal === "max" ? -1 : 1))) : [];
}

function PointTable({ table, points, x, y, color }) {
  const [count, setCount] = useState(TABLE_ROWS);
  const columns = [x, y, color].filter(Boolean);
  const places = useMemo(() => sortPlaces(points.places, y.column.values, false), [points]);
  return html`<div class="scroll-x scatter-table" tabindex="0" role="region" aria-label="The points as a table"><table class="plain">
    <thead><tr><th scope="col">experiment</th>${columns.map(({ column }) => html`<th scope="col" class="number">${labelOf(column)}</th>`)}</tr></thead>
    <tbody>${places.slice(0, count).map((place) => html`<tr key=${place}><th scope="row"><a ...${linkTo(sharedAddress("experiment", [table.ids[place]]))}>${nameOf(table, place)}</a></th>${columns.map(({ column }) => html`<td class="number">${formatValue(column.values[place])}</td>`)}</tr>`)}</tbody></table>
    ${places.length > count ? html`<p><button type="button" onClick=${() => setCount(count + TABLE_ROWS)}>Show ${Math.min(TABLE_ROWS, places.length - count)} more of ${formatCount(places.length)}</button></p>` : null}</div>`;
}

function Nothing({ table, matches }) {
  if (!table.size) return html`<${Empty} title="There are no experiments yet."><p>Each will be a point here: a param against a metric.</p><//>`;
  if (!matches.length) return html`<${Empty} title="The filter keeps no experiment."><p><button type="button" onClick=${() => setQuery({ q: "" })}>Clear the filter</button></p><//>`;
  return html`<${Empty} title="There is nothing to put on the axes."><p>These experiments have neither params nor metrics.</p><//>`;
}
