// Choosing what stands on an axis, and the legend of a colour.

import { html } from "./ui.js";
import { formatTick, formatWall } from "../core/axes.js";
import { isMoment, labelOf } from "../core/choices.js";

// `choices` are those of core/choices.js; `none` is the label of choosing nothing, when that is possible.
export function ColumnChoice({ label, choices, value, onChange, none = null, isHidden = false }) {
  return html`<label class="inline">${isHidden ? html`<span class="hidden-text">${label}</span>` : label} <select value=${value ?? ""} onChange=${(event) => onChange(event.target.value)}>
    ${none === null ? null : html`<option value="">${none}</option>`}
    ${choices.map((group) => html`<optgroup label=${group.label}>${group.columns.map((column) => html`<option value=${column.name}>${labelOf(column)}</option>`)}</optgroup>`)}
  </select></label>`;
}

export function ColorLegend({ column, scale, shades }) {
  if (!column || !scale) return null;
  if (shades.legend) return html`<ul class="chart-legend" aria-label=${`Colours of ${labelOf(column)}`}>${shades.legend.map(({ label, color }) => html`<li><span class="swatch" style=${{ background: color }}></span>${label}</li>`)}</ul>`;
  const [from, to] = isMoment(column) ? formatWall([scale.from, scale.to]).map((text) => text.replace(/^.*\n/, "")) : [formatTick(Number(scale.from.toPrecision(4))), formatTick(Number(scale.to.toPrecision(4)))];
  const ramp = Array.from({ length: shades.count - 1 }, (_, index) => shades.colorOf(index));
  return html`<div class="ramp"><span>${labelOf(column)}</span><span class="number">${from}</span><span class="ramp-bar" style=${{ background: `linear-gradient(to right, ${ramp.join(",")})` }}></span><span class="number">${to}</span></div>`;
}
