// The first tab of an experiment: its params, its best checkpoint, and the shape of each metric.

import { html, useLoaded, useMemo, useState } from "./ui.js";
import { getJson } from "../core/api.js";
import { linkTo, sharedAddress } from "../core/address.js";
import { colorOf } from "../core/colors.js";
import { flatten } from "../core/flatten.js";
import { formatValue, shortId, showUnseen } from "../core/values.js";
import { LongText } from "./longtext.js";
import { Failure } from "./message.js";
import { MiniCurve } from "./minicurve.js";
import { Age, Copy } from "./small.js";

const MOST_CURVES = 24; // of more metrics, the rest is on the tab of charts

export function Overview({ experiment, id, stamp }) {
  const best = experiment.checkpoints.find((one) => one.id === experiment.best_checkpoint);
  const latest = experiment.checkpoints.find((one) => one.id === experiment.latest_checkpoint) ?? experiment.checkpoints.at(-1);
  return html`<div class="overview">
    <div class="overview-side"><${Params} params=${experiment.params} />
      ${best ? html`<${CheckpointPanel} title="Best checkpoint" checkpoint=${best} id=${id} />` : null}
      ${latest && latest !== best ? html`<${CheckpointPanel} title="Latest checkpoint" checkpoint=${latest} id=${id} />` : null}
      ${latest ? null : html`<section class="panel"><h2>Checkpoints</h2><p class="muted">None yet. <code>experiment.checkpoint(path="weights", metrics={…})</code> saves one.</p></section>`}</div>
    <${Curves} experiment=${experiment} id=${id} stamp=${stamp} most=${MOST_CURVES} /></div>`;
}

function Params({ params }) {
  const [words, setWords] = useState("");
  const rows = useMemo(() => flatten(params), [params]);
  const shown = rows.filter(([name, value]) => `${name}=${formatValue(value)}`.toLowerCase().includes(words.toLowerCase()));
  return html`<section class="panel"><div class="panel-head"><h2>Params</h2><span class="muted">${rows.length}</span><span class="spacer"></span>
      ${rows.length > 8 ? html`<input type="search" placeholder="search" aria-label="Search params" value=${words} onInput=${(event) => setWords(event.target.value)} />` : null}
      ${rows.length ? html`<${Copy} text=${JSON.stringify(params, null, 2)} label="Copy JSON" />` : null}</div>
    ${rows.length ? html`<table class="plain pairs"><tbody>${shown.map(([name, value]) => html`<tr key=${name}><th scope="row">${showUnseen(name)}</th><td><${LongText} text=${value === null ? "None" : formatValue(value)} /></td></tr>`)}</tbody></table>` : html`<p class="muted">None were recorded. <code>keepsake.init(params={…})</code> does.</p>`}
    ${rows.length && !shown.length ? html`<p class="muted">No param has “${words}” in its name or value.</p>` : null}</section>`;
}

function CheckpointPanel({ title, checkpoint, id }) {
  const primary = checkpoint.primary_metric;
  const metrics = flatten(checkpoint.metrics ?? {});
  return html`<section class="panel"><div class="panel-head"><h2>${title}</h2>
      <a ...${linkTo(sharedAddress("experiment", [id, "files"], { at: checkpoint.id.slice(0, 8) }))}><code>${shortId(checkpoint.id)}</code></a>
      <span class="muted">${checkpoint.step === null ? "" : `step ${checkpoint.step}, `}<${Age} time=${checkpoint.created} /></span><span class="spacer"></span>
      <${Copy} text=${`keepsake checkout ${checkpoint.id.slice(0, 12)}`} label="Copy checkout command" /></div>
    ${metrics.length ? html`<table class="plain pairs"><tbody>${metrics.map(([name, value]) => html`<tr key=${name}><th scope="row">${name}${primary?.name === name ? html` <span class="badge" title=${`The primary metric: ${primary.goal}`}>★ ${primary.goal}</span>` : null}</th><td class="number">${formatValue(value)}</td></tr>`)}</tbody></table>` : html`<p class="muted">It has no metrics.</p>`}</section>`;
}

export function Curves({ experiment, id, stamp, most = Infinity, height = undefined }) {
  const { value, error } = useLoaded((signal) => getJson(`experiments/${id}/curves`, {}, { signal }), [id, stamp]);
  if (error) return html`<${Failure} error=${error} />`;
  if (!value) return html`<section class="panel"><p class="muted" role="status">Loading curves…</p></section>`;
  const names = Object.keys(value.metrics);
  const goals = new Map((experiment.metrics ?? []).map(({ name, goal }) => [name, goal]));
  names.sort((a, b) => Number(goals.get(b) !== null && goals.has(b)) - Number(goals.get(a) !== null && goals.has(a)) || (a < b ? -1 : 1));
  if (!names.length) return html`<section class="panel"><h2>Metrics</h2><p class="muted">Nothing was measured yet. <code>experiment.log(step=…, metrics={…})</code> draws curves here.</p></section>`;
  const color = colorOf(experiment.id.slice(0, 12));
  return html`<section class="panel"><div class="panel-head"><h2>Metrics</h2><span class="muted">${names.length}</span></div>
    <div class="minis">${names.slice(0, most).map((name) => html`<${MiniCurve} key=${name} name=${name} goal=${goals.get(name) ?? null} height=${height} series=${[{ name: "", color, ...value.metrics[name] }]} />`)}</div>
    ${names.length > most ? html`<p><a ...${linkTo(sharedAddress("experiment", [id, "charts"]))}>All ${names.length} metrics</a></p>` : null}</section>`;
}
