// The head of an axis: its name, which is dragged to another place, and a menu that does the same and more with the keyboard.

import { html, useRef } from "./ui.js";
import { isMoment, labelOf } from "../core/choices.js";
import { formatValue } from "../core/values.js";
import { NumberBox } from "./numberbox.js";

// `change(what, value)` is called with log, flip, move (-1, 1), to (an index), remove, or brush ({from, to} or null).
export function AxisHead({ axis, index, count, left, room, brush, change, indexAt }) {
  const menu = useRef(null);
  const { column, scale, isFlipped } = axis;
  const run = (what, value) => () => {
    menu.current.open = false;
    change(what, value);
  };
  function onDragEnd(event) {
    const to = indexAt(event.clientX);
    if (to !== index) change("to", to);
  }
  return html`<div class="axis-head" style=${{ left: `${left}px`, maxWidth: `${Math.min(Math.max(room - 2, 40), 130)}px` }}>
    <details ref=${menu} class="chart-menu" name="axis">
      <summary title=${`${labelOf(column)}: drag to another place, or open for more`} draggable="true" onDragStart=${(event) => event.dataTransfer.setData("text/plain", labelOf(column))} onDragEnd=${onDragEnd}><span class="cut">${labelOf(column)}</span>${isFlipped ? " ↓" : ""}${scale.kind === "log" ? html` <small class="muted">log</small>` : null}</summary>
      <div class="menu">
        ${scale.kind === "choice" || isMoment(column) ? null : html`<button type="button" aria-pressed=${scale.kind === "log"} onClick=${run("log")}>${scale.kind === "log" ? "Linear" : "Logarithmic"}</button>`}
        <button type="button" aria-pressed=${isFlipped} onClick=${run("flip")}>Upside down</button>
        <button type="button" disabled=${index === 0} onClick=${run("move", -1)}>Move left</button>
        <button type="button" disabled=${index === count - 1} onClick=${run("move", 1)}>Move right</button>
        <button type="button" onClick=${run("remove")}>Remove</button>
        <${Ends} ...${{ axis, brush, change }} />
        ${brush ? html`<button type="button" onClick=${run("brush", null)}>Keep all</button>` : null}
      </div>
    </details></div>`;
}

// The ends of a brush, by typing.
function Ends({ axis: { scale, column }, brush, change }) {
  if (isMoment(column)) return null;
  if (scale.kind === "choice") {
    const pick = (end) => html`<select aria-label=${`Keep ${labelOf(column)} ${end}`} value=${brush ? JSON.stringify(brush[end]) : ""} onChange=${(event) => {
      const value = JSON.parse(event.target.value);
      change("brush", sorted(scale, { from: value, to: value, ...brush, [end]: value }));
    }}><option value="" disabled>any</option>${scale.choices.map((choice) => html`<option value=${JSON.stringify(choice)}>${formatValue(choice)}</option>`)}</select>`;
    return html`<div class="ends">keep ${pick("from")} to ${pick("to")}</div>`;
  }
  const type = (end) => html`<${NumberBox} step="any" label=${`Keep ${labelOf(column)} ${end}`} value=${brush?.[end] ?? ""} change=${(value) => change("brush", sorted(scale, { from: scale.from, to: scale.to, ...brush, [end]: value }))} />`;
  return html`<div class="ends">keep ${type("from")} to ${type("to")}</div>`;
}

function sorted(scale, { from, to }) {
  return scale.toPart(from) <= scale.toPart(to) ? { from, to } : { from: to, to: from };
}
