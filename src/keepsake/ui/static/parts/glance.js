// What one experiment is, beside the table: its results, params and notes, from what the table knows already.

import { html } from "./ui.js";
import { linkTo, sharedAddress } from "../core/address.js";
import { formatCell } from "../core/columns.js";
import { formatAge, formatDuration, formatNumber, formatValue, toNumber } from "../core/values.js";
import { Copy, Status } from "./small.js";

const FIELDS = ["experiment", "environment"];

export function Glance({ table, id, primary, close }) {
  const place = id === null ? -1 : table.find(id);
  return html`<aside class="glance" aria-label="Preview">
    <div class="toolbar"><h2>${place < 0 ? "Preview" : html`<a class="mono" ...${linkTo(sharedAddress("experiment", [id]))}>${id.slice(0, 12)}</a>`}</h2><span class="spacer"></span>
      <button type="button" class="plain icon" onClick=${close} aria-label="Close the preview" title="Close (p)">✕</button></div>
    ${place < 0 ? html`<p class="muted">Move to an experiment with the arrows or a click.</p>` : html`<${Facts} table=${table} place=${place} primary=${primary} />`}
  </aside>`;
}

function Facts({ table, place, primary }) {
  const value = (key) => table.columns.find((column) => column.key === key && FIELDS.includes(column.group))?.values[place] ?? null;
  const of = (group) => table.columns.filter((column) => column.group === group && column.values[place] !== null);
  const created = value("created");
  const about = [value("name"), [value("user"), value("host")].filter(Boolean).join("@")].filter(Boolean);
  const tags = value("tags") ?? [];
  const notes = value("notes");
  return html`<p class="toolbar"><${Status} status=${value("status")} /><span class="muted">${created ? formatAge(created) : ""}${value("duration") === null ? "" : `, ${formatDuration(value("duration"))}`}</span></p>
    ${about.length ? html`<p>${about.join(" · ")}</p>` : null}
    ${tags.length ? html`<p class="toolbar">${tags.map((tag) => html`<span class="chip cut">${formatValue(tag)}</span>`)}</p>` : null}
    ${value("error") ? html`<pre class="error-text">${formatValue(value("error"))}</pre>` : null}
    ${notes ? html`<p class="notes">${notes}</p>` : null}
    <${Metrics} best=${of("best.metrics")} latest=${of("latest.metrics")} place=${place} primary=${primary} />
    <${Values} title="Params" columns=${of("params")} place=${place} />
    ${value("command") ? html`<h3>Command</h3><p class="toolbar"><code class="cut command" title=${value("command")}>${value("command")}</code><${Copy} text=${value("command")} /></p>` : null}`;
}

function Metrics({ best, latest, place, primary }) {
  const names = [...new Set([...best, ...latest].map(({ key }) => key))];
  if (!names.length) return null;
  const cell = (columns, name) => {
    const found = columns.find(({ key }) => key === name)?.values[place] ?? null;
    return found === null ? "" : typeof found === "number" ? formatNumber(found) : toNumber(found) === null ? formatValue(found) : formatNumber(toNumber(found));
  };
  return html`<table class="plain"><thead><tr><th scope="col">Metric</th>${best.length ? html`<th scope="col" class="number">best</th>` : null}<th scope="col" class="number">latest</th></tr></thead>
    <tbody>${names.map((name) => html`<tr><th scope="row">${name === primary?.name ? html`<span class="star" title="the primary metric">★</span>` : null}${name}</th>${best.length ? html`<td class="number">${cell(best, name)}</td>` : null}<td class="number">${cell(latest, name)}</td></tr>`)}</tbody></table>`;
}

function Values({ title, columns, place }) {
  if (!columns.length) return null;
  return html`<h3>${title}</h3><table class="plain"><tbody>${columns.map(({ key, name, values }) => html`<tr key=${name}><th scope="row">${key}</th><td>${formatCell(values[place], "text")}</td></tr>`)}</tbody></table>`;
}
