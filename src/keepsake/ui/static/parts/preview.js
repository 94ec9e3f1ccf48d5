// What a file looks like: text, JSON, a table, an image, tensors, a notebook, or the first bytes. Nothing of it is ever
// taken for markup.

import { html, useLoaded, useState } from "./ui.js";
import { fileAddress, getJson } from "../core/api.js";
import { languageOf, nameOf } from "../core/files.js";
import { formatBytes } from "../core/values.js";
import { Code } from "./code.js";
import { JsonTree } from "./jsontree.js";
import { Failure, Loading } from "./message.js";
import { Copy } from "./small.js";
import { Tensors } from "./tensors.js";

// `id` is of an experiment or checkpoint; `line` is marked; `lineAddress(number)` is the address of a line.
export function Preview({ id, path, line = null, lineAddress = null }) {
  const { value, error, isLoading } = useLoaded((signal) => getJson(`preview/${id}`, { path }, { signal }), [id, path]);
  const address = fileAddress(id, path);
  const isHere = value?.path === path;
  return html`<section class="preview" aria-label=${`Preview of ${path}`} aria-busy=${isLoading}>
    <header class="preview-head"><h2 class="mono wrap">${path}</h2>${isHere ? html`<span class="muted">${formatBytes(value.size_bytes)}</span>` : null}<span class="spacer"></span>
      <${Copy} text=${path} label="Copy path" />${address ? html`<a class="button" href=${address} download=${nameOf(path)}>Download</a>` : null}</header>
    ${error ? html`<${Failure} error=${error} />` : isHere ? html`<${Content} id=${id} answer=${value} line=${line} lineAddress=${lineAddress} />` : html`<${Loading} what=${nameOf(path)} />`}
  </section>`;
}

function Content({ id, answer, line, lineAddress }) {
  const { path, kind } = answer;
  const text = (content, language) => html`<${Code} text=${content} language=${languageOf(path, language)} line=${line} lineAddress=${lineAddress} label=${path} />`;
  const cut = answer.is_cut ? html`<p class="note">This is only the beginning; download the file to see all of it.</p>` : null;
  if (kind === "text") return html`${cut}${text(answer.text, answer.language)}`;
  if (kind === "json") return html`${cut}${"value" in answer && line === null ? html`<${JsonView} answer=${answer} text=${text} />` : text(answer.text ?? JSON.stringify(answer.value, null, 2), "json")}`;
  if (kind === "table") return html`${cut}<${Cells} answer=${answer} />`;
  if (kind === "image") return html`<${Picture} id=${id} answer=${answer} />`;
  if (kind === "tensors") return html`<${Tensors} id=${id} path=${path} tensors=${answer.tensors} />`;
  if (kind === "notebook") return html`${answer.cells.map((cell, index) => html`<${Cell} key=${index} cell=${cell} number=${index + 1} />`)}`;
  if (kind === "missing") return html`<p class="note">This file could not be saved: ${answer.note}</p>`;
  return html`<p class="muted">No text: the first bytes.</p>${answer.head ? html`<pre class="code hex" tabindex="0">${hexLines(answer.head)}</pre>` : null}`;
}

function JsonView({ answer, text }) {
  const [isText, setText] = useState(false);
  return html`<div class="toolbar"><button type="button" aria-pressed=${!isText} onClick=${() => setText(false)}>Tree</button><button type="button" aria-pressed=${isText} onClick=${() => setText(true)}>Text</button></div>
    ${isText ? text(answer.text ?? JSON.stringify(answer.value, null, 2), "json") : html`<${JsonTree} value=${answer.value} />`}`;
}

function Cells({ answer: { columns, rows, path } }) {
  return html`<div class="long-table" tabindex="0" role="region" aria-label=${path} style=${{ maxHeight: "70vh" }}><table class="cells"><thead><tr><th scope="col" class="number">#</th>${columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
    <tbody>${rows.map((row, index) => html`<tr key=${index}><th scope="row" class="number">${index + 1}</th>${row.map((cell) => html`<td class=${isFinite(cell) && cell !== "" ? "number" : ""}>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}

export function Picture({ id, answer }) {
  const address = answer.data ?? fileAddress(id, answer.path, { image: true }); // an export holds small images themselves
  const size = answer.width ? `${answer.width} × ${answer.height}` : "";
  if (!address) return html`<p class="note">An image of this size is not part of an export.</p>`;
  return html`<p class="muted">${[answer.media_type, size].filter(Boolean).join(", ")}</p><div class="checker"><img src=${address} alt=${`${nameOf(answer.path)}, ${size}`} width=${answer.width} height=${answer.height} /></div>`;
}

function Cell({ cell, number }) {
  const language = cell.kind === "code" ? "python" : cell.kind === "markdown" ? "markdown" : null;
  return html`<div class="notebook-cell"><div class="muted">${number}: ${cell.kind}</div><${Code} text=${cell.source} language=${language} label=${`Cell ${number}`} /></div>`;
}

// Sixteen bytes a line: where they are, their digits, and the letters they would be.
function hexLines(head) {
  const bytes = head.match(/../g) ?? [];
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.slice(at, at + 16);
    const letters = row.map((byte) => { const code = parseInt(byte, 16); return code >= 32 && code < 127 ? String.fromCharCode(code) : "·"; }).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${row.slice(0, 8).join(" ").padEnd(23)}  ${row.slice(8).join(" ").padEnd(23)}  ${letters}`);
  }
  return lines.join("\n");
}
