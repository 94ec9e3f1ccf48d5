// Above the table: how it is looked at, and what to do with the experiments that are selected.

import { html, useState } from "./ui.js";
import { linkTo, sharedAddress } from "../core/address.js";
import { compareAddress } from "./frame.js";
import { Lazy } from "./lazy.js";
import { Copy } from "./small.js";

const VALUES = { best: "best", latest: "latest", both: "best, latest", min: "min", max: "max" };

export function TableBar({ columns, groupable, group, at, progress, view, openViews, isDiffering, hasMetrics, isPreviewed, openChooser, change, share }) {
  return html`<div class="toolbar table-bar">
    <button type="button" onClick=${(event) => openChooser(event.currentTarget)} aria-haspopup="dialog" title="Columns (o)">Columns <span class="muted">${columns}</span></button>
    ${groupable.length || group ? html`<label class="inline">Group <select value=${group} onChange=${(event) => change({ group: event.target.value, open: "" })}><option value="">none</option>
      ${groupable.map(({ id, name, label }) => html`<option key=${id} value=${name}>${label}</option>`)}</select></label>` : null}
    ${hasMetrics ? html`<label class="inline">Metrics <select value=${at} onChange=${(event) => change({ at: event.target.value === "best" ? "" : event.target.value })}>${Object.entries(VALUES).map(([value, label]) => html`<option key=${value} value=${value}>${label}</option>`)}</select></label>` : null}
    <button type="button" aria-pressed=${isDiffering ? "true" : "false"} onClick=${() => change({ differ: isDiffering ? "" : "1" })} title="Hide the columns in which all are alike">Only what differs</button>
    <button type="button" onClick=${(event) => openViews(event.currentTarget)} aria-haspopup="dialog" title="Views (v)" data-views>View${view.name ? html`<span class="muted cut">${view.name}${view.isChanged ? ", changed" : ""}</span>` : null}</button>
    <button type="button" aria-pressed=${isPreviewed ? "true" : "false"} onClick=${() => change({ preview: isPreviewed ? "" : "1" })} title="Preview beside the table (p)">Preview</button>
    <${Share} ...${share} />
    <span class="muted" role="status">${progress}</span>
  </div>`;
}

function Share(given) {
  const [anchor, setAnchor] = useState(null);
  return html`<button type="button" aria-haspopup="dialog" onClick=${(event) => setAnchor(event.currentTarget)}>Take along</button>
    ${anchor ? html`<${Lazy} load=${loadShare} ...${given} anchor=${anchor} close=${() => setAnchor(null)} />` : null}`;
}

const loadShare = async () => (await import("./share.js")).ShareDialog;

export function SelectionBar({ selected, clear, change, isDiffering, most }) {
  if (!selected.length) return null;
  return html`<div class="toolbar selection-bar" role="region" aria-label="Selection">
    <strong role="status">${selected.length} selected${selected.length === most ? ", which is the most" : ""}</strong>
    ${selected.length > 1 ? html`<a class="button" ...${linkTo(compareAddress(selected))} title="Compare (c)">Compare</a>` : null}
    <a class="button" ...${linkTo(sharedAddress("charts"))}>Plot</a>
    ${selected.length > 1 ? html`<button type="button" aria-pressed=${isDiffering ? "true" : "false"} onClick=${() => change({ differ: isDiffering ? "" : "sel" })} title="Hide the columns in which these are alike">What differs</button>` : null}
    <${Copy} text=${selected.join("\n")} label="Copy ids" title="Copy the ids, one a line" />
    <button type="button" class="plain" onClick=${clear} title="Esc">Clear</button>
  </div>`;
}
