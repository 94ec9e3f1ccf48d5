// Parallel coordinates: params and metrics side by side, a line an experiment; stretches of axes keep some of them.

import { html, useMemo, useState, useStore } from "../parts/ui.js";
import { current, linkTo, setQuery, sharedAddress } from "../core/address.js";
import { formatList, parseList, toggled } from "../core/chartsettings.js";
import { differingParams, findColumn, isWide, labelOf, listChoices, placedValues, primaryOf, scaleOf } from "../core/choices.js";
import { rankParams } from "../core/importance.js";
import { model, select } from "../core/model.js";
import { filterOf, formatBrushes, makeAxis, maskOf, parseBrushes } from "../core/parallel.js";
import { makeShades } from "../core/shades.js";
import { formatCount, formatValue, sortPlaces } from "../core/values.js";
import { AxisHead } from "../parts/axishead.js";
import { ColorLegend, ColumnChoice } from "../parts/choice.js";
import { Importance } from "../parts/importance.js";
import { Empty } from "../parts/message.js";
import { ParallelPlot } from "../parts/parallelplot.js";
import { nameOf } from "../parts/scatterplot.js";
import { Copy } from "../parts/small.js";
import { MOST_SELECTED } from "./scatter.js";

const USUAL_PARAMS = 6; // and the metric: seven axes, as many as a screen shows well
const TABLE_ROWS = 10;

export function Parallel() {
  const [table, matches] = [useStore(model, (state) => state.table), useStore(model, (state) => state.matches)];
  const query = useStore(current, (address) => address.query);
  const choices = useMemo(() => listChoices(table, matches), [table, matches]);
  const primary = useMemo(() => primaryOf(table, matches).column, [table, matches]);
  const metric = (query.m && findColumn(table, query.m)) || primary;
  const axes = useAxes(table, matches, query, metric);
  const [moving, setMoving] = useState(null); // brushes while one is dragged; the address has them when it rests
  const brushes = useMemo(() => moving ?? parseBrushes(query.brush), [moving, query.brush]);
  const mask = useMemo(() => maskOf(axes, brushes, matches.length), [axes, brushes]);
  const color = (query.c && query.c !== "none" && findColumn(table, query.c)) || (query.c === "none" ? null : metric);
  const { scale, shades, shadeOf } = useColor(color, matches);
  const [hovered, hover] = useState(-1);
  if (!matches.length || !axes.length) return html`<${Nothing} table=${table} matches=${matches} />`;
  const onBrush = (name, brush, isOver) => {
    const { [name]: _, ...others } = brushes;
    const now = brush ? { ...others, [name]: brush } : others;
    setMoving(isOver ? null : now);
    if (isOver) setQuery({ brush: formatBrushes(now) });
  };
  const kept = [];
  for (let index = 0; index < mask.length; index++) if (mask[index]) kept.push(index);
  const summary = `${axes.map(({ column }) => labelOf(column)).join(", ")}: ${kept.length} of ${matches.length} experiments are kept. The menus of the axes keep a stretch of each.`;
  return html`<div class="parallel">
    <h1 class="hidden-text">Parallel coordinates</h1>
    <div class="toolbar chart-bar" role="group" aria-label="Axes">
      <${AddAxis} choices=${choices} axes=${axes} />
      <${ColumnChoice} label="colour" none="none" choices=${choices} value=${color?.name} onChange=${(value) => setQuery({ c: value || "none" })} />
      <${ColorLegend} column=${color} scale=${scale} shades=${shades} />
      <span class="spacer"></span>
      <span class="muted">Drag along an axis to keep a stretch of it, click it to keep all.</span>
    </div>
    <div class="parallel-main">
      <${ParallelPlot} ...${{ axes, brushes, mask, shades, shadeOf, hovered, summary, onBrush }}>${(toX, gap) => axes.map((axis, index) => html`<${AxisHead} key=${axis.name} ...${{ axis, index, count: axes.length, left: toX(index), room: axes.length > 1 ? gap : 130, brush: brushes[axis.name] }}
        change=${(what, value) => changeAxis(axes, axis, index, what, value, brushes)} indexAt=${(clientX) => nearestAxis(clientX, axes.length, toX)} />`)}<//>
      ${metric ? html`<${Importance} ...${{ table, places: matches, metric, choices }} />` : null}
    </div>
    <${Kept} ...${{ table, places: matches, axes, brushes, kept, metric, hover }} />
  </div>`;
}

function useAxes(table, places, query, metric) {
  const key = [query.axes, query.log, query.flip].join("|");
  return useMemo(() => {
    const named = parseList(query.axes).map((name) => findColumn(table, name)).filter(Boolean);
    // The params that go best with the metric stand next to it.
    const params = () => (metric ? rankParams(table, places, metric).map(({ column }) => column) : differingParams(table, places));
    const usual = () => [...params().slice(0, USUAL_PARAMS).reverse(), ...(metric ? [metric] : [])];
    const logs = query.log ? parseList(query.log) : null; // not said: where values lie far apart
    const flips = parseList(query.flip);
    return (named.length ? named : usual()).map((column) => makeAxis(column, places, { isLog: logs ? logs.includes(column.name) : isWide(column, places), isFlipped: flips.includes(column.name) }));
  }, [table, places, key, metric]);
}

function useColor(color, places) {
  const scale = useMemo(() => (color ? scaleOf(color, places, isWide(color, places)) : null), [color, places]);
  const shades = useMemo(() => makeShades(scale), [scale]);
  const shadeOf = useMemo(() => {
    const values = color ? placedValues(color) : null;
    return Uint8Array.from(places, (place) => (values ? shades.indexOf(values[place]) : 0));
  }, [shades]);
  return { scale, shades, shadeOf };
}

// Writes what a menu or a drag has changed into the address.
function changeAxis(axes, axis, index, what, value, brushes) {
  const names = axes.map(({ name }) => name);
  if (what === "brush") {
    const { [axis.name]: _, ...others } = brushes;
    return setQuery({ brush: formatBrushes(value ? { ...others, [axis.name]: value } : others) });
  }
  if (what === "log") return setQuery({ log: formatList(toggled(axes.filter(({ scale }) => scale.kind === "log").map(({ name }) => name), axis.name)) || "none" });
  if (what === "flip") return setQuery({ flip: formatList(toggled(axes.filter(({ isFlipped }) => isFlipped).map(({ name }) => name), axis.name)) });
  const rest = names.filter((name) => name !== axis.name);
  if (what !== "remove") rest.splice(what === "to" ? value : index + value, 0, axis.name);
  const { [axis.name]: _, ...others } = brushes;
  return setQuery({ axes: formatList(rest), ...(what === "remove" ? { brush: formatBrushes(others) } : {}) });
}

function nearestAxis(clientX, count, toX) {
  const left = document.querySelector(".parallel-lines").getBoundingClientRect().left;
  const distances = Array.from({ length: count }, (_, index) => Math.abs(clientX - left - toX(index)));
  return distances.indexOf(Math.min(...distances));
}

function AddAxis({ choices, axes }) {
  const rest = choices.map((group) => ({ ...group, columns: group.columns.filter((column) => !axes.some(({ name }) => name === column.name)) })).filter(({ columns }) => columns.length);
  return html`<${ColumnChoice} label="Add an axis" isHidden none="add an axis …" choices=${rest} value="" onChange=${(name) => name && setQuery({ axes: formatList([...axes.map((axis) => axis.name), name]) })} />`;
}

// What the brushes keep: how many, the same as a filter, and the first of them as a table.
function Kept({ table, places, axes, brushes, kept, metric, hover }) {
  const filter = filterOf(axes, brushes);
  const best = useMemo(() => sortPlaces(kept.map((index) => places[index]), metric?.values ?? [], table.valueOf(places[kept[0]], "primary", "goal") === "maximize").slice(0, TABLE_ROWS), [kept.length, filter, places, metric]);
  const indexOf = new Map(kept.map((index) => [places[index], index]));
  const use = () => {
    const { q } = current.get().query;
    setQuery({ q: q ? `(${q}) and ${filter}` : filter, brush: "" });
  };
  return html`<section class="kept" aria-label="What is kept">
    <div class="toolbar"><b role="status">${formatCount(kept.length)} of ${formatCount(places.length)} kept</b>
      ${filter ? html`<code class="snippet cut" title=${filter}>${filter}</code><button type="button" onClick=${use}>Use as filter</button><${Copy} text=${filter} label="Copy" /><button type="button" onClick=${() => setQuery({ brush: "" })}>Keep all</button>` : null}
      ${kept.length <= MOST_SELECTED ? html`<button type="button" onClick=${() => select(kept.map((index) => table.ids[places[index]]))}>Select ${kept.length}</button>` : null}</div>
    <div class="scroll-x"><table class="plain" onMouseLeave=${() => hover(-1)}>
      <thead><tr><th scope="col">${kept.length > TABLE_ROWS ? `best ${TABLE_ROWS}` : "experiment"}</th>${axes.map(({ column }) => html`<th scope="col" class="number">${labelOf(column)}</th>`)}</tr></thead>
      <tbody>${best.map((place) => html`<tr key=${place} onMouseEnter=${() => hover(indexOf.get(place) ?? -1)}><th scope="row"><a ...${linkTo(sharedAddress("experiment", [table.ids[place]]))}>${nameOf(table, place)}</a></th>
        ${axes.map(({ column }) => html`<td class="number">${formatValue(column.values[place])}</td>`)}</tr>`)}</tbody></table></div>
  </section>`;
}

function Nothing({ table, matches }) {
  if (!table.size) return html`<${Empty} title="There are no experiments yet."><p>Each will be a line here, from param to param to metric.</p><//>`;
  if (!matches.length) return html`<${Empty} title="The filter keeps no experiment."><p><button type="button" onClick=${() => setQuery({ q: "" })}>Clear the filter</button></p><//>`;
  return html`<${Empty} title="There is nothing to put on the axes."><p>These experiments do not differ in params, and have no metrics.</p><p><button type="button" onClick=${() => setQuery({ axes: "created" })}>Begin with when they were created</button></p><//>`;
}
