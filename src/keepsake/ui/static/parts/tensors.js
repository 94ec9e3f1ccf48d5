// The tensors of a weights file: names, types, shapes, sizes, and a histogram of the values of the one that is asked about.

import { html, useLoaded, useMemo, useState } from "./ui.js";
import { getJson, isStatic } from "../core/api.js";
import { formatBytes, formatNumber, toNumber } from "../core/values.js";
import { LongTable } from "./longtable.js";
import { Failure } from "./message.js";

const ITEM_COUNT = (shape) => shape.reduce((product, size) => product * size, 1);

export function Tensors({ id, path, tensors }) {
  const [chosen, choose] = useState(null);
  const [words, setWords] = useState("");
  const [sort, setSort] = useState("");
  const shown = useMemo(() => tensors.filter(({ name }) => name.toLowerCase().includes(words.toLowerCase())), [tensors, words]);
  const items = tensors.reduce((sum, { shape }) => sum + ITEM_COUNT(shape), 0);
  const columns = [
    { name: "name", label: "Name", value: ({ name }) => name, render: ({ name }) => html`<span class="mono wrap">${name || "(array)"}</span>` },
    { name: "dtype", label: "Type", width: "90px", value: ({ dtype }) => dtype, render: ({ dtype }) => dtype },
    { name: "shape", label: "Shape", width: "150px", render: ({ shape }) => html`<span class="mono">[${shape.join(", ")}]</span>` },
    { name: "size", label: "Size", width: "90px", isNumber: true, value: ({ size_bytes }) => size_bytes, render: ({ size_bytes }) => formatBytes(size_bytes) },
  ];
  if (!isStatic) columns.push({ name: "values", label: "Values", width: "110px", render: ({ name }) => html`<button type="button" aria-pressed=${chosen === name} onClick=${() => choose(chosen === name ? null : name)} aria-label=${`Histogram of ${name || "the array"}`}>Histogram</button>` });
  return html`<div class="toolbar"><span>${tensors.length.toLocaleString("en")} tensor${tensors.length === 1 ? "" : "s"}, ${items.toLocaleString("en")} items</span>
      ${tensors.length > 8 ? html`<input type="search" placeholder="part of a name" aria-label="Search tensors" value=${words} onInput=${(event) => setWords(event.target.value)} />` : null}</div>
    ${chosen !== null ? html`<${Histogram} id=${id} path=${path} name=${chosen} />` : null}
    <${LongTable} label="Tensors" columns=${columns} rows=${shown} rowKey=${({ name }) => name} sort=${sort} onSort=${setSort} height="60vh" />`;
}

function Histogram({ id, path, name }) {
  const { value, error, isLoading } = useLoaded((signal) => getJson(`histogram/${id}`, { path, tensor: name }, { signal }), [id, path, name]);
  if (error) return html`<${Failure} error=${error} />`;
  if (!value) return html`<p role="status" class="muted">Reading ${name}…</p>`;
  const facts = [["min", value.min], ["max", value.max], ["mean", value.mean], ["std", value.std], ["zeros", value.zeros], ["NaN or infinite", value.nonfinite]];
  return html`<section class="panel histogram" aria-busy=${isLoading}><h3 class="mono wrap">${name || "(array)"}</h3>
    <${Bars} edges=${value.edges} counts=${value.counts} name=${name} />
    <dl class="facts">${facts.map(([label, number]) => html`<div><dt>${label}</dt><dd class="number">${number === null ? "–" : formatNumber(toNumber(number) ?? NaN)}</dd></div>`)}</dl></section>`;
}

function Bars({ edges, counts, name }) {
  const most = Math.max(...counts, 1);
  if (!counts.length) return html`<p class="muted">There are no finite values.</p>`;
  const wide = 600 / counts.length;
  const label = `Histogram of ${name}: ${counts.length} bins from ${formatNumber(edges[0])} to ${formatNumber(edges.at(-1))}, at most ${most.toLocaleString("en")} in one`;
  return html`<svg viewBox="0 0 600 120" preserveAspectRatio="none" role="img" aria-label=${label}>
      ${counts.map((count, bin) => html`<rect x=${bin * wide} y=${118 - (count / most) * 116} width=${Math.max(wide - 1, 0.5)} height=${(count / most) * 116 + 1}><title>${`${formatNumber(edges[bin])} to ${formatNumber(edges[bin + 1])}: ${count.toLocaleString("en")}`}</title></rect>`)}
    </svg><div class="mini-steps muted" aria-hidden="true"><span>${formatNumber(edges[0])}</span><span>most in one bin: ${most.toLocaleString("en")}</span><span>${formatNumber(edges.at(-1))}</span></div>`;
}
