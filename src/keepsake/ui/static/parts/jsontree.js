// A JSON value as a tree that opens and closes; what is inside is drawn when it is opened, and long lists by the hundred.

import { html, useState } from "./ui.js";

const STEP = 100;

export function JsonTree({ value }) {
  return html`<div class="json-tree"><${Value} value=${value} name=${null} isOpen=${true} depth=${0} /></div>`;
}

function Value({ name, value, isOpen: isOpenAtFirst = false, depth }) {
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  const [shown, setShown] = useState(STEP);
  const label = name === null ? null : html`<span class="tok-attr">${name}</span>: `;
  if (value === null || typeof value !== "object") return html`<div class="json-row">${label}<${Plain} value=${value} /></div>`;
  const isList = Array.isArray(value);
  const entries = isList ? value.map((one, index) => [index, one]) : Object.entries(value);
  const size = `${entries.length} ${isList ? "item" : "name"}${entries.length === 1 ? "" : "s"}`;
  if (!entries.length) return html`<div class="json-row">${label}${isList ? "[]" : "{}"}</div>`;
  return html`<details open=${isOpen} onToggle=${(event) => event.target === event.currentTarget && setOpen(event.currentTarget.open)}>
    <summary>${label}${isList ? "[" : "{"}<span class="muted"> ${size} </span>${isList ? "]" : "}"}</summary>
    ${isOpen ? entries.slice(0, shown).map(([key, one]) => html`<${Value} key=${key} name=${key} value=${one} depth=${depth + 1} isOpen=${depth < 1 && entries.length <= 20} />`) : null}
    ${isOpen && entries.length > shown ? html`<button type="button" onClick=${() => setShown(shown + STEP)}>${(entries.length - shown).toLocaleString("en")} more</button>` : null}
  </details>`;
}

function Plain({ value }) {
  const kind = value === null || typeof value === "boolean" ? "literal" : typeof value === "number" ? "number" : "string";
  return html`<span class=${`tok-${kind}`}>${typeof value === "string" ? JSON.stringify(value) : String(value)}</span>`;
}
