// Sizes one after the other on a line, in proportion to each other.

import { html } from "./ui.js";
import { formatBytes } from "../core/values.js";

// `parts` are {name, size, kind}; `total` is what the whole width stands for.
export function StackedBar({ parts, total, label, isLegend = false }) {
  const text = `${label}: ${parts.map(({ name, size }) => `${formatBytes(size)} ${name}`).join(", ")}`;
  return html`<div class=${`stacked${isLegend ? " large" : ""}`} role="img" aria-label=${text} title=${text}>
      ${parts.map(({ size, kind }) => (size > 0 && total > 0 ? html`<span key=${kind} class=${`usage-${kind}`} style=${{ width: `${(100 * size) / total}%` }}></span>` : null))}</div>
    ${isLegend ? html`<ul class="legend">${parts.map(({ name, size, kind }) => html`<li key=${kind}><span class=${`swatch usage-${kind}`}></span>${name} <strong>${formatBytes(size)}</strong></li>`)}</ul>` : null}`;
}
