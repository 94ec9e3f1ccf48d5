// Where the bytes are: what `keepsake du` says, as a picture and as a table, and the commands that free some.

import { html, useLoaded, useMemo, useStore } from "../parts/ui.js";
import { getJson } from "../core/api.js";
import { current, linkTo, setQuery, sharedAddress } from "../core/address.js";
import { model } from "../core/model.js";
import { formatBytes, formatCount, formatTime, shortId } from "../core/values.js";
import { LongTable } from "../parts/longtable.js";
import { Empty, Failure, Loading } from "../parts/message.js";
import { Command, Status } from "../parts/small.js";
import { StackedBar } from "../parts/stackedbar.js";
import { UsageMap } from "../parts/usagemap.js";

export function Storage() {
  const table = useStore(model, (state) => state.table);
  const revision = useStore(model, (state) => (state.connection === "live" ? 0 : state.revision)); // not once a second
  const by = useStore(current, (address) => address.query.by ?? "-stored");
  const { value, error, isLoading } = useLoaded((signal) => getJson("storage", {}, { signal }), [revision]);
  const rows = useMemo(() => (value ? usageRows(value, table) : []), [value, table]);
  if (error) return html`<div class="page"><h1>Storage</h1><${Failure} error=${error} /></div>`;
  if (!value) return html`<${Loading} what="what is stored (every manifest is read, which may take a while)" />`;
  return html`<div class="page" aria-busy=${isLoading}><h1>Storage</h1><${Totals} usage=${value} rows=${rows} />
    ${rows.length ? html`<section class="panel"><div class="panel-head"><h2>By experiment</h2><span class="muted">area: what the repository keeps for it</span></div><${UsageMap} rows=${rows} /></section>
      <${UsageTable} rows=${rows} by=${by} />` : html`<${Empty} title="Nothing is stored yet."><p>The first checkpoint with a <code>path</code> brings some bytes.</p><//>`}</div>`;
}

// Joins what `du` says with what is known of the experiments.
function usageRows({ experiments }, table) {
  return experiments.map(({ experiment_id: id, logical_bytes: logical, stored_bytes: stored, shared_bytes: shared }) => {
    const place = table.find(id);
    const known = (name) => (place < 0 ? null : table.value(place, name));
    return { id, logical, stored, shared, own: stored - shared, name: known("name"), status: known("status"), created: known("created") };
  });
}

function Totals({ usage: { logical_bytes: logical, stored_bytes: stored, reclaimable_bytes: free }, rows }) {
  const own = rows.reduce((sum, row) => sum + row.own, 0);
  const rest = Math.max(stored - own - free, 0);
  const facts = [["Logical", logical, "all files, in every checkpoint that has them"], ["Stored", stored, logical > stored && stored ? `${(logical / stored).toFixed(1)} times less than logical` : "what the repository takes"],
    ["Shared and journals", rest, "what several experiments need, and what is said of them"], ["Reclaimable", free, free ? "nothing needs it any more" : "nothing to free"]];
  const parts = [{ name: "of one experiment alone", size: own, kind: "own" }, { name: "shared by several, and journals", size: rest, kind: "shared" }, { name: "reclaimable", size: free, kind: "free" }];
  return html`<section class="panel"><dl class="facts large">${facts.map(([name, size, note]) => html`<div key=${name}><dt>${name}</dt><dd><strong>${formatBytes(size)}</strong><span class="muted">${note}</span></dd></div>`)}</dl>
    <${StackedBar} parts=${parts} total=${stored} label="What is stored" isLegend=${true} />
    <div class="toolbar freeing"><span>${free ? `${formatBytes(free)} can be freed:` : "To free space, delete experiments, then collect:"}</span>${free ? null : html`<${Command} text="keepsake rm ID" />`}<${Command} text="keepsake collect" /></div></section>`;
}

function UsageTable({ rows, by }) {
  const most = rows.reduce((size, row) => Math.max(size, row.stored), 1);
  const size = (name, label, title) => ({ name, label: html`<span title=${title}>${label}</span>`, width: "100px", isNumber: true, value: (row) => row[name], render: (row) => formatBytes(row[name]) });
  const columns = useMemo(() => [
    { name: "id", label: "Experiment", width: "110px", value: (row) => row.id, render: (row) => html`<a ...${linkTo(sharedAddress("experiment", [row.id.slice(0, 8)]))}><code>${shortId(row.id)}</code></a>` },
    { name: "name", label: "Name", width: "180px", value: (row) => row.name, render: (row) => html`<span class="cut" title=${row.name ?? ""}>${row.name ?? ""}</span>` },
    { name: "status", label: "Status", width: "120px", value: (row) => row.status, render: (row) => (row.status ? html`<${Status} status=${row.status} />` : "") },
    { name: "created", label: "Started", width: "150px", value: (row) => row.created, render: (row) => (row.created ? formatTime(row.created) : "") },
    size("logical", "Logical", "The length of all its files, in every checkpoint that has them"),
    size("stored", "Stored", "What the repository keeps for that"),
    size("shared", "Shared", "The part of it that other experiments need, too"),
    size("own", "Its own", "What is freed when this one alone is deleted"),
    { name: "bar", label: "Own and shared", render: (row) => html`<${StackedBar} parts=${[{ name: "its own", size: row.own, kind: "own" }, { name: "shared", size: row.shared, kind: "shared" }]} total=${most} label=${`Stored for ${row.name || shortId(row.id)}`} />` },
  ], [most]);
  return html`<section class="panel"><div class="panel-head"><h2>Experiments</h2><span class="muted">${formatCount(rows.length)}</span></div>
    <${LongTable} label="Storage by experiment" columns=${columns} rows=${rows} rowKey=${(row) => row.id} sort=${by} onSort=${(next) => setQuery({ by: next === "-stored" ? "" : next })} /></section>`;
}
