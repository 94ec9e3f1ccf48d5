// The checkpoints of an experiment as a table; two of them, chosen, are compared.

import { html, useMemo, useState, useStore } from "./ui.js";
import { current, linkTo, setQuery, sharedAddress } from "../core/address.js";
import { flatten } from "../core/flatten.js";
import { formatTime, formatValue, shortId } from "../core/values.js";
import { CheckpointSize } from "./checkpointsize.js";
import { LongTable } from "./longtable.js";
import { Empty } from "./message.js";
import { Copy } from "./small.js";

const MOST_METRICS = 12;

export function Checkpoints({ experiment, id }) {
  const [chosen, setChosen] = useState([]);
  const sort = useStore(current, (address) => address.query.by ?? "");
  const rows = useMemo(() => experiment.checkpoints.map((one, index) => ({ ...one, index, flat: Object.fromEntries(flatten(one.metrics ?? {})) })), [experiment]);
  const names = useMemo(() => metricNames(rows), [rows]);
  const began = new Date(experiment.created).getTime();
  const columns = useMemo(() => [
    { name: "choose", label: html`<span class="hidden-text">Choose</span>`, width: "36px", render: (row) => html`<input type="checkbox" aria-label=${`Choose ${shortId(row.id)}`} checked=${chosen.includes(row.id)} onChange=${() => setChosen(turn(chosen, row.id))} />` },
    { name: "id", label: "Checkpoint", width: "120px", render: (row) => html`<a ...${linkTo(sharedAddress("experiment", [id, "files"], { at: row.id.slice(0, 8) }))}><code>${shortId(row.id)}</code></a>${row.id === experiment.best_checkpoint ? html` <span class="star" title="Best by the primary metric">★<span class="hidden-text"> best</span></span>` : null}` },
    { name: "step", label: "Step", width: "90px", isNumber: true, value: (row) => row.step, render: (row) => formatValue(row.step) },
    { name: "created", label: "Saved", width: "150px", value: (row) => row.index, render: (row) => html`<time datetime=${row.created} title=${`${Math.round((new Date(row.created) - began) / 1000)} s after it began`}>${formatTime(row.created, { seconds: true })}</time>` },
    ...names.slice(0, MOST_METRICS).map((name) => ({ name, label: html`<span class="cut" title=${name}>${name}</span>`, width: "130px", isNumber: true, value: (row) => row.flat[name] ?? null, render: (row) => formatValue(row.flat[name]) })),
    { name: "size", label: html`<span title="The files that were saved with it">Size</span>`, width: "90px", isNumber: true, render: (row) => html`<${CheckpointSize} key=${row.id} checkpoint=${row} />` },
    { name: "path", label: "Path", width: "130px", render: (row) => (row.unsaved ? html`<span class="bad-text" title=${row.unsaved}>not saved</span>` : html`<span class="cut" title=${row.path ?? ""}>${row.path ?? ""}</span>`) },
  ], [names, chosen, experiment]);
  if (!rows.length) return html`<${Empty} title="No checkpoints yet."><p class="hint"><code>experiment.checkpoint(path="weights", metrics={…})</code> saves one.</p><//>`;
  return html`<div class="toolbar" role="status">${chosen.length < 2 ? html`<span class="muted">Choose two or more to compare them.</span>` : html`<a class="button primary" ...${linkTo(sharedAddress("compare", [chosen.slice(0, 8).map((one) => one.slice(0, 8)).join("...")]))}>Compare ${chosen.length}</a>`}
      ${chosen.length === 1 ? html`<${Copy} text=${`keepsake checkout ${chosen[0].slice(0, 12)}`} label="Copy checkout command" />` : null}
      ${names.length > MOST_METRICS ? html`<span class="muted">${MOST_METRICS} of ${names.length} metrics; the others are on the overview and in the charts</span>` : null}</div>
    <${LongTable} label="Checkpoints" columns=${columns} rows=${rows} rowKey=${(row) => row.id} sort=${sort || "-created"} onSort=${(by) => setQuery({ by })}
      rowClass=${(row) => (row.id === experiment.best_checkpoint ? "best" : "")} />`;
}

const turn = (list, id) => (list.includes(id) ? list.filter((one) => one !== id) : [...list, id]);

// The primary metrics first, then the others by their names.
function metricNames(rows) {
  const primary = new Set(rows.flatMap((row) => (row.primary_metric ? [row.primary_metric.name] : [])));
  const others = new Set(rows.flatMap((row) => Object.keys(row.flat)).filter((name) => !primary.has(name)));
  return [...primary, ...[...others].sort()];
}
