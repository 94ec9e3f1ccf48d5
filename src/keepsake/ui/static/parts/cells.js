// What stands in the cells of the table of experiments.

import { h, html } from "./ui.js";
import { linkTo, sharedAddress } from "../core/address.js";
import { formatCell } from "../core/columns.js";
import { pathOf } from "../core/sparks.js";
import { formatAge, formatCount, formatNumber, formatTime } from "../core/values.js";
import { Status } from "./small.js";

const [SPARK_WIDTH, SPARK_HEIGHT] = [96, 20];
const narrow = matchMedia("(max-width: 640px)");

// Returns what draws a cell of a table: (place, column) => content, as a cell of a grid takes it. `best` is the place with the
// best primary metric of all that are shown (-1: none), `selected` the ids that are selected, `sparks` where curves come from.
export function cellDrawer({ table, best, selected, sparks }) {
  return (place, { key, kind, column, isPrimary }) => {
    if (kind === "select") return selected.has(table.ids[place]) ? CHECKED : UNCHECKED;
    if (kind === "id" && !column) return idCell(table, place);
    if (kind === "curve") return sparkCell(table.ids[place], sparks);
    const value = column.values[place];
    if (value === null) return null;
    if (kind === "status") return { is: value, like: value, draw: () => h(Status, { status: value }) };
    if (kind === "time") return timeCell(value);
    const text = formatCell(value, kind);
    if (kind === "number" && isPrimary && place === best) return bestCell(text);
    return text.length > 16 ? longCell(text) : text;
  };
}

const CHECKED = { is: true, like: "selected", draw: () => html`<span class="check is-on" role="img" aria-label="selected">✓</span>` };
const UNCHECKED = { is: false, like: "not selected", draw: () => html`<span class="check" role="img" aria-label="not selected" />` };

function bestCell(text) {
  const draw = () => html`<strong title="the best of those shown"><span class="star" aria-hidden="true">★</span><span class="hidden-text">best: </span>${" "}</strong>`;
  return { is: text, like: "best", draw, write: (strong) => (strong.lastChild.data = text) };
}

function longCell(text) {
  return { is: text, like: "long", draw: () => h("span", { class: "text" }), write: (span) => Object.assign(span, { title: text, textContent: text }) };
}

function timeCell(value) {
  const write = (time) => Object.assign(time, { dateTime: value, title: `${formatTime(value, { seconds: true })}, ${formatAge(value)}`, textContent: formatTime(value) });
  return { is: value, like: "time", draw: () => h("time"), write };
}

// On a narrow page the status is seen here, since its column is scrolled out of view.
function idCell(table, place) {
  const id = table.ids[place];
  const status = narrow.matches ? table.value(place, "status") : null;
  const draw = () => [
    status && h("span", { class: "narrow-status", "aria-hidden": "true" }, h(Status, { status })),
    h("a", { "data-shared": "", tabIndex: -1, class: "mono" }),
  ];
  return { is: id, like: `id ${status}`, draw, write: (link) => Object.assign(link, { ...linkTo(sharedAddress("experiment", [id])), title: id, textContent: id.slice(0, 8) }) };
}

function sparkCell(id, sparks) {
  const curve = sparks.get(id);
  const watch = (redraw) => sparks.watch(id, redraw);
  if (!curve) return { is: `${id} ${curve}`, like: "no curve", draw: () => null, watch };
  const draw = () => h("svg", { class: "spark", width: SPARK_WIDTH, height: SPARK_HEIGHT, viewBox: `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`, role: "img" }, h("path"));
  return { is: curve, like: "curve", draw, write: (svg) => writeSpark(svg, curve), watch };
}

function writeSpark(svg, curve) {
  const last = curve.y[curve.y.length - 1];
  svg.setAttribute("aria-label", `${curve.points ?? curve.y.length} points, last ${curve.y.length ? formatNumber(last) : "none"}`);
  svg.firstChild.setAttribute("d", pathOf(curve, SPARK_WIDTH, SPARK_HEIGHT));
}

// A group: what its experiments have in common, how many they are, and what their primary metric came to.
export function groupDrawer({ label, metric, isOpen, turn }) {
  return (group) => {
    const open = isOpen(group.key);
    const name = group.key === "" ? html`<em>none</em>` : group.key;
    return html`<div class="group">
      <button type="button" class="plain turn" tabindex="-1" aria-expanded=${open ? "true" : "false"} onClick=${() => turn(group)}><span aria-hidden="true">${open ? "▾" : "▸"}</span><span class="cut"><span class="muted">${label} = </span><strong>${name}</strong></span></button>
      <span class="muted">${formatCount(group.count)} experiment${group.count === 1 ? "" : "s"}</span>
      ${metric && group.best !== null ? html`<span class="group-summary"><span class="muted">${metric.name}</span> best <strong>${formatNumber(group.best)}</strong><span class="muted"> · median </span>${formatNumber(group.median)}<span class="muted"> · from </span>${formatNumber(group.min)}<span class="muted"> to </span>${formatNumber(group.max)}</span>` : null}
    </div>`;
  };
}
