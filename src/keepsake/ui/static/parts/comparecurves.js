// The curves of what is compared, over each other, a small chart a metric.

import { html, useLoaded } from "./ui.js";
import { getJson } from "../core/api.js";
import { href, sharedAddress } from "../core/address.js";
import { colorOf } from "../core/colors.js";
import { sideName } from "../core/comparison.js";
import { Section } from "./comparerows.js";
import { Failure } from "./message.js";
import { MiniCurve } from "./minicurve.js";

const MOST = 30;

export function CurvesOverlay({ sides }) {
  const drawn = sides.filter((side, index) => sides.findIndex((other) => other.experiment_id === side.experiment_id) === index);
  const ids = drawn.map((side) => side.experiment_id);
  const { value, error } = useLoaded((signal) => Promise.all(ids.map((id) => getJson(`experiments/${id}/curves`, {}, { signal }))), [ids.join()]);
  if (error) return html`<${Section} name="curves" heading="Curves"><${Failure} error=${error} /><//>`;
  if (!value) return html`<${Section} name="curves" heading="Curves"><p class="muted" role="status">Loading curves…</p><//>`;
  const names = [...new Set(value.flatMap(({ metrics }) => Object.keys(metrics)))].sort();
  const series = (name) => drawn.flatMap((side, index) => (value[index].metrics[name] ? [{ name: sideName(side), color: colorOf(side.experiment_id.slice(0, 12)), ...value[index].metrics[name] }] : []));
  const charts = href({ ...sharedAddress("charts"), query: { sel: ids.map((id) => id.slice(0, 8)).join(",") } });
  return html`<${Section} name="curves" heading="Curves" count=${names.length} tools=${html`<a class="small-link" href=${charts}>Open in Charts</a>`}>
    <ul class="legend">${drawn.map((side) => html`<li key=${side.experiment_id}><span class="swatch" style=${{ background: colorOf(side.experiment_id.slice(0, 12)) }}></span>${sideName(side)}</li>`)}</ul>
    ${names.length ? html`<div class="minis">${names.slice(0, MOST).map((name) => html`<${MiniCurve} key=${name} name=${name} series=${series(name)} height=${140} />`)}</div>` : html`<p class="muted">None of them has measured anything.</p>`}
    ${names.length > MOST ? html`<p class="note">${MOST} of ${names.length} metrics are shown.</p>` : null}<//>`;
}
