// Which columns the table shows: all there are, by group, with a search, and in which order.

import { html, useState } from "./ui.js";
import { GROUPS } from "../core/columns.js";
import { Popup } from "./popup.js";

const TITLES = { meta: "About the experiment", metrics: "Metrics", params: "Params" };
const MOST_ROWS = 300; // a longer list is searched, not read

// `columns` are all that there are, `shown` the ids of the layout, `change(ids, isShown)` shows or hides.
export function ColumnChooser({ anchor, columns, shown, change, reset, close }) {
  const [text, setText] = useState("");
  const ids = new Set(shown);
  const wanted = text.toLowerCase();
  const unique = columns.filter((column, place) => column.id !== "id" && columns.findIndex((other) => other.id === column.id) === place);
  const found = unique.filter((column) => `${column.scope} ${column.label} ${column.id}`.toLowerCase().includes(wanted));
  return html`<${Popup} anchor=${anchor} label="Columns" close=${close}>
    <input type="search" class="chooser-search" data-first aria-label="Search columns" placeholder="Search columns" value=${text} onInput=${(event) => setText(event.target.value)} />
    <div class="chooser">
      ${GROUPS.map((group) => {
        const listed = found.filter((column) => column.group === group);
        if (!listed.length) return null;
        const all = listed.every(({ id }) => ids.has(id));
        return html`<fieldset><legend>${TITLES[group]} <button type="button" class="plain" onClick=${() => change(listed.map(({ id }) => id), !all)}>${all ? "none" : "all"}</button></legend>
          ${listed.slice(0, MOST_ROWS).map((column) => html`<label class="inline" key=${column.id}><input type="checkbox" checked=${ids.has(column.id)} onChange=${(event) => change([column.id], event.target.checked)} />
            <span class="cut" title=${column.id}>${column.id.startsWith("checkpoint.") ? `checkpoint’s ${column.label}` : column.kind === "curve" ? `curve of ${column.label}` : column.label}</span></label>`)}
          ${listed.length > MOST_ROWS ? html`<p class="muted">and ${listed.length - MOST_ROWS} more: search</p>` : null}
        </fieldset>`;
      })}
      ${found.length ? null : html`<p class="muted">No column has this in its name.</p>`}
    </div>
    <div class="toolbar"><button type="button" onClick=${reset}>As it was at first</button><span class="spacer"></span><button type="button" onClick=${close}>Close</button></div>
  <//>`;
}
