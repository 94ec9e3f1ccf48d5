// What stands in the cells of the table of experiments.

import { h, html, useEffect, useState } from "./ui.js";
import { linkTo, sharedAddress } from "../core/address.js";
import { formatCell } from "../core/columns.js";
import { sparkPath } from "../core/sparks.js";
import { formatAge, formatCount, formatNumber, formatTime } from "../core/values.js";
import { Status } from "./small.js";

const [SPARK_WIDTH, SPARK_HEIGHT] = [96, 20];
const narrow = matchMedia("(max-width: 640px)");

// Returns what draws a cell of a table: (place, column) => content. `best` is the place with the best primary metric of all
// that are shown (-1: none), `selected` the ids that are selected, `sparks` where curves come from.
export function cellDrawer({ table, best, selected, sparks }) {
  return (place, { key, kind, column, isPrimary }) => {
    if (kind === "select") return selected.has(table.ids[place]) ? CHECKED : UNCHECKED;
    if (kind === "id" && !column) return idCell(table, place);
    if (kind === "curve") return h(Spark, { id: table.ids[place], sparks });
    const value = column.values[place];
    if (value === null) return null;
    if (kind === "status") return h(Status, { status: value });
    if (kind === "time") return h("time", { dateTime: value, title: `${formatTime(value, { seconds: true })}, ${formatAge(value)}` }, formatTime(value));
    if (kind === "number" && isPrimary && place === best) return BEST(formatCell(value, kind));
    const text = formatCell(value, kind);
    return text.length > 16 ? h("span", { title: text, class: "text" }, text) : text;
  };
}

const CHECKED = html`<span class="check is-on" aria-hidden="true">✓</span><span class="hidden-text">selected</span>`;
const UNCHECKED = html`<span class="check" aria-hidden="true"></span><span class="hidden-text">not selected</span>`;
const BEST = (text) => html`<strong title="the best of those shown"><span class="star" aria-hidden="true">★</span><span class="hidden-text">best: </span>${text}</strong>`;

// On a narrow page the status is seen here, since its column is scrolled out of view.
function idCell(table, place) {
  const id = table.ids[place];
  return [
    narrow.matches && h("span", { class: "narrow-status", "aria-hidden": "true" }, h(Status, { status: table.value(place, "status") })),
    h("a", { ...linkTo(sharedAddress("experiment", [id])), tabIndex: -1, class: "mono", title: id }, id.slice(0, 8)),
  ];
}

function Spark({ id, sparks }) {
  const [, redraw] = useState(0);
  useEffect(() => sparks.watch(id, () => redraw((count) => count + 1)), [id, sparks]);
  const curve = sparks.get(id);
  if (!curve) return null;
  const last = curve.y[curve.y.length - 1];
  return h("svg", { class: "spark", width: SPARK_WIDTH, height: SPARK_HEIGHT, viewBox: `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`, role: "img", "aria-label": `${curve.points ?? curve.y.length} points, last ${curve.y.length ? formatNumber(last) : "none"}` }, h("path", { d: sparkPath(curve, SPARK_WIDTH, SPARK_HEIGHT) }));
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
