// The header of a grid: sort by a click, move by dragging, resize at the edge, and a menu for all that and more. Everything
// that is dragged can be done from the menu as well.

import { html, useRef, useState } from "./ui.js";

const DRAG_PX = 6; // less is a click

// `actions` are {sort(column, isAdded), menu(column, anchor), move(column, before), resize(column, width_px or null)}; a column
// has `sort`: null or {place, isDescending, isOnly}.
export function GridHead({ columns, offsets, pinned, first, stop, focused, actions, drawCorner, total }) {
  const [target, setTarget] = useState(null); // where a dragged column would go: a place
  const drag = useRef(null);
  const row = useRef(null);

  function begin(event, column) {
    if (event.button || event.pointerType !== "mouse" || column.isFixed) return;
    drag.current = { column, x: event.clientX, isMoving: false };
  }
  function move(event) {
    const dragged = drag.current;
    if (!dragged) return;
    if (!dragged.isMoving && Math.abs(event.clientX - dragged.x) < DRAG_PX) return;
    if (!dragged.isMoving) event.currentTarget.setPointerCapture(event.pointerId);
    dragged.isMoving = true;
    setTarget(placeAt(event.clientX));
  }
  function end() {
    const dragged = drag.current;
    drag.current = null;
    if (!dragged?.isMoving) return;
    setTarget(null);
    // The click that ends a drag would sort.
    row.current.addEventListener("click", (event) => event.stopPropagation(), { capture: true, once: true });
    setTimeout(() => row.current?.dispatchEvent(new Event("click")));
    if (target !== null) actions.move(dragged.column, columns[target]);
  }
  function placeAt(x) {
    const cells = [...row.current.querySelectorAll("[role=columnheader]")].map((cell) => [cell, cell.getBoundingClientRect()]);
    const over = cells.find(([, box]) => x >= box.left && x < box.right);
    const place = over ? columns.findIndex((column) => column.key === over[0].dataset.column) : -1;
    return place < 0 || columns[place].isFixed ? null : place;
  }

  const places = columns.map((_, place) => place).filter((place) => place < pinned || (place >= first && place < stop) || columns[place].key === focused);
  return html`<div class="grid-head" role="rowgroup" style=${{ width: `${total}px` }}>
    <div ref=${row} role="row" class="row" aria-rowindex="1" onPointerMove=${move} onPointerUp=${end} onPointerCancel=${end}>
      ${places.map((place) => html`<${HeadCell} key=${columns[place].key} column=${columns[place]} place=${place} left=${offsets[place]} isFocused=${columns[place].key === focused}
        isTarget=${target === place} actions=${actions} begin=${begin} drawCorner=${drawCorner} />`)}
    </div>
  </div>`;
}

function HeadCell({ column, place, left, isFocused, isTarget, actions, begin, drawCorner }) {
  const { key, kind, label, scope, sort, isPinned, isPrimary, width } = column;
  const common = {
    role: "columnheader", class: `cell k-${kind}${isPinned ? " is-pinned" : ""}${isTarget ? " is-target" : ""}`, "aria-colindex": place + 1, "data-column": key,
    tabIndex: isFocused ? 0 : -1, style: { left: `${left}px`, width: `${width}px` },
  };
  if (kind === "select") return html`<div ...${common}>${drawCorner()}</div>`;
  const direction = sort && (sort.isDescending ? "descending" : "ascending");
  return html`<div ...${common} aria-sort=${sort?.place === 0 ? direction : null} onPointerDown=${(event) => begin(event, column)} title=${column.name ?? label}>
    ${column.name
      ? html`<button type="button" class="plain sort" tabindex="-1" onClick=${(event) => actions.sort(column, event.shiftKey)}><${Label} column=${column} />${sort ? html`<span class="arrow" aria-hidden="true">${sort.isDescending ? "▼" : "▲"}${sort.isOnly ? "" : sort.place + 1}</span>` : null}</button>`
      : html`<span class="sort"><${Label} column=${column} /></span>`}
    <button type="button" class="plain icon more" tabindex="-1" aria-haspopup="dialog" aria-label=${`Menu of ${scope} ${label}`} onClick=${(event) => actions.menu(column, event.currentTarget.closest("[role=columnheader]"))}>⋮</button>
    <${Edge} column=${column} resize=${actions.resize} />
  </div>`;
}

function Label({ column: { label, scope, isPrimary, kind } }) {
  return html`<span class="label">${scope && kind !== "curve" ? html`<span class="scope">${scope}</span>` : kind === "curve" ? html`<span class="scope">curve</span>` : null}
    <span class="cut">${isPrimary ? html`<span class="star" title="the primary metric">★<span class="hidden-text">primary </span></span>` : null}${label}</span></span>`;
}

// The edge by which a column is made wider; a double click gives the width back to the page.
function Edge({ column, resize }) {
  const from = useRef(null);
  function begin(event) {
    event.stopPropagation();
    event.currentTarget.setPointerCapture(event.pointerId);
    from.current = { x: event.clientX, width: column.width };
  }
  function move(event) {
    if (from.current) resize(column, Math.round(from.current.width + event.clientX - from.current.x));
  }
  return html`<span class="edge" aria-hidden="true" onPointerDown=${begin} onPointerMove=${move} onPointerUp=${() => (from.current = null)} onDblClick=${() => resize(column, null)}></span>`;
}
