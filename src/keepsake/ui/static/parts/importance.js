// How strongly each param goes along with a metric, as bars, with what that does not say.

import { html, useMemo } from "./ui.js";
import { href, setQuery, sharedAddress } from "../core/address.js";
import { labelOf } from "../core/choices.js";
import { rankParams } from "../core/importance.js";
import { formatCount } from "../core/values.js";

const SHOWN = 20;

export function Importance({ table, places, metric, choices }) {
  const ranked = useMemo(() => rankParams(table, places, metric), [table, places, metric]);
  return html`<aside class="importance panel" aria-labelledby="importance-title">
    <h2 id="importance-title">Params and <select aria-label="Metric" value=${metric.name} onChange=${(event) => setQuery({ m: event.target.value })}>
      ${choices.filter(({ label }) => label.endsWith("checkpoint")).map((group) => html`<optgroup label=${group.label}>${group.columns.map((column) => html`<option value=${column.name}>${labelOf(column)}</option>`)}</optgroup>`)}</select></h2>
    ${ranked.length ? html`<ol>${ranked.slice(0, SHOWN).map(({ column, rho, count, isChoice }) => html`<li key=${column.name}>
      <a href=${href(sharedAddress("scatter", [], { x: column.name, y: metric.name }))} class="cut" title=${`${labelOf(column)} in a scatter plot`}>${labelOf(column)}</a>
      <span class="number" title=${isChoice ? "strength, without a direction" : "Spearman's rank correlation"}>${formatStrength(rho, isChoice)}</span><span class="muted number">n ${formatCount(count)}</span>
      <span class="bar" aria-hidden="true"><span class=${rho < 0 ? "falling" : ""} style=${{ width: `${Math.abs(rho || 0) * 100}%` }}></span></span></li>`)}</ol>` : html`<p class="muted">No param differs, or the metric is no number.</p>`}
    <p class="hint">Rank correlation: + when the metric rises with the param, − when it falls, and for texts how much of its order they explain. Params that were varied together share what they show: this is not causal.</p>
  </aside>`;
}

function formatStrength(rho, isChoice) {
  if (Number.isNaN(rho)) return "–";
  return `${isChoice ? "" : rho < 0 ? "−" : "+"}${Math.abs(rho).toFixed(2)}`;
}
