// A table that may have thousands of rows: real rows and cells, of which only those near the window are there.
//
// A column is {name, label, render(row), width, isNumber, value(row)}; with `value` it can be sorted by. `sort` is the name
// of a column, with a minus when the largest come first; the view keeps it, mostly in the address.

import { html, useMemo, useState } from "./ui.js";
import { sortPlaces } from "../core/values.js";

const ROW_PX = 30;
const FEW = 150; // rows that are all there, so that searching in the page finds them
const MARGIN = 12; // rows that are there above and below the window
const STEP_PX = 5 * ROW_PX; // scrolling less than this draws nothing anew

export function LongTable({ label, columns, rows, rowKey, sort = "", onSort = null, rowClass = null, height = "70vh" }) {
  const [top, setTop] = useState(0);
  const [isDescending, name] = [sort.startsWith("-"), sort.replace(/^-/, "")];
  const shown = useMemo(() => {
    const column = columns.find((one) => one.name === name && one.value);
    if (!column) return rows;
    const values = rows.map(column.value);
    return sortPlaces([...rows.keys()], values, isDescending).map((place) => rows[place]);
  }, [rows, sort, columns]);
  const width = columns.reduce((sum, column) => sum + (parseInt(column.width, 10) || 160), 0);
  const isLong = shown.length > FEW;
  const first = isLong ? Math.max(Math.floor(top / ROW_PX) - MARGIN, 0) : 0;
  const last = isLong ? Math.min(first + Math.ceil(window.innerHeight / ROW_PX) + 2 * MARGIN, shown.length) : shown.length;
  return html`<div class="long-table" tabindex="0" role="region" aria-label=${label} style=${{ maxHeight: height }}
      onScroll=${(event) => isLong && setTop(Math.floor(event.currentTarget.scrollTop / STEP_PX) * STEP_PX)}>
    <table style=${{ minWidth: `${width}px` }} aria-rowcount=${shown.length + 1}><caption class="hidden-text">${label}</caption>
      <colgroup>${columns.map((column) => html`<col style=${{ width: column.width ?? "auto" }} />`)}</colgroup>
      <thead><tr aria-rowindex="1">${columns.map((column) => html`<${Heading} column=${column} sort=${column.name === name ? (isDescending ? "descending" : "ascending") : "none"} onSort=${onSort} />`)}</tr></thead>
      <tbody>
        ${first > 0 ? html`<tr class="space" aria-hidden="true" style=${{ height: `${first * ROW_PX}px` }}></tr>` : null}
        ${shown.slice(first, last).map((row, index) => html`<tr key=${rowKey(row)} aria-rowindex=${first + index + 2} class=${rowClass?.(row) ?? ""}>
          ${columns.map((column) => html`<td class=${column.isNumber ? "number" : ""}>${column.render(row)}</td>`)}</tr>`)}
        ${last < shown.length ? html`<tr class="space" aria-hidden="true" style=${{ height: `${(shown.length - last) * ROW_PX}px` }}></tr>` : null}
      </tbody></table></div>`;
}

function Heading({ column, sort, onSort }) {
  const [className, arrow] = [column.isNumber ? "number" : "", { ascending: " ▲", descending: " ▼", none: "" }[sort]];
  if (!column.value || !onSort) return html`<th scope="col" class=${className}>${column.label}</th>`;
  const next = sort === "none" ? (column.isNumber ? "-" : "") : sort === "descending" ? "" : "-";
  return html`<th scope="col" class=${className} aria-sort=${sort}><button type="button" class="plain" onClick=${() => onSort(`${next}${column.name}`)}>${column.label}<span aria-hidden="true">${arrow}</span></button></th>`;
}
