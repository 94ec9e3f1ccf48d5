// The parts of a comparison that are files: which differ, the changed lines of texts, the tensors, the images.

import { html, useMemo, useState, useStore } from "./ui.js";
import { fileAddress } from "../core/api.js";
import { current, href } from "../core/address.js";
import { changedFiles, countChanges, sideName } from "../core/comparison.js";
import { isImage, nameOf } from "../core/files.js";
import { formatBytes, formatNumber, toNumber } from "../core/values.js";
import { Section } from "./comparerows.js";
import { goToChange, TextDiff } from "./diff.js";
import { LongTable } from "./longtable.js";

const MOST_FILES = 300; // in the table, until all are asked for
const OPEN_LINES = 4000; // changed lines that are opened at first, in all
const SIGNS = { added: "+", removed: "−", changed: "~" };

export function ChangedFiles({ files, sides }) {
  const [isAll, showAll] = useState(false);
  const rows = useMemo(() => changedFiles(files, sides.length), [files]);
  const shown = isAll ? rows : rows.slice(0, MOST_FILES);
  const count = files.length === 1 ? countChanges(files[0].changes, files[0].unchanged) : `${rows.length} differ`;
  return html`<${Section} name="files" heading="Files" count=${count}>
    ${files.filter((one) => one.problem).map(({ side, problem }) => html`<p class="note">${sideName(sides[side])}: ${problem}</p>`)}
    ${rows.length ? html`<div class="scroll-x" tabindex="0" role="region" aria-label="Files"><table class="plain compare-table"><thead><tr><th scope="col"><span class="hidden-text">Path</span></th>${files.map(({ side }) => html`<th scope="col">${sides.length === 2 ? "Change" : sideName(sides[side])}</th>`)}</tr></thead>
      <tbody>${shown.map(({ path, changes }) => html`<tr key=${path}><th scope="row" class="mono">${path}</th>${files.map(({ side }) => html`<td>${changes[side] ? html`<${Change} change=${changes[side]} />` : html`<span class="muted">the same</span>`}</td>`)}</tr>`)}</tbody></table></div>` : html`<p class="muted">The same on all sides, or none were saved.</p>`}
    ${rows.length > shown.length ? html`<button type="button" onClick=${() => showAll(true)}>Show all ${rows.length.toLocaleString("en")}</button>` : null}<//>`;
}

function Change({ change }) {
  return html`<span class=${`change ${change.change}`}><span aria-hidden="true">${SIGNS[change.change]}</span> ${change.change}</span> <span class="muted">${facts(change).join(", ")}</span>`;
}

// What changed about a file, in a few words.
function facts({ old, new: now, text, tensors, note, problem }) {
  const list = [];
  if (text && (text.added_lines || text.removed_lines)) list.push(`+${text.added_lines} −${text.removed_lines} lines`);
  if (tensors) list.push(`tensors: ${countChanges(tensors.changes, tensors.unchanged) || "none"}`);
  const sizes = [old, now].filter((one) => one?.kind === "file").map((one) => one.size_bytes);
  if (!text && !tensors && (sizes.length === 1 || new Set(sizes).size > 1)) list.push([...new Set(sizes.map(formatBytes))].join(" → "));
  if (old && now && old.kind !== now.kind) list.push(`${old.kind} → ${now.kind}`);
  if (old?.kind === "file" && now?.kind === "file" && old.executable !== now.executable) list.push(now.executable ? "executable now" : "not executable any more");
  const targets = [old, now].filter((one) => one?.kind === "link").map((one) => one.target);
  if (targets.length) list.push(`link to ${[...new Set(targets)].join(" → ")}`);
  return [...list, ...(note ? [note] : []), ...(problem ? [`problem: ${problem}`] : [])];
}

// Of more than two, one is chosen to be shown beside the first.
function useChosenSide(files) {
  const [side, setSide] = useState(files[0]?.side);
  return [files.find((one) => one.side === side) ?? files[0], setSide];
}

function ChooseSide({ files, chosen, sides, choose }) {
  if (files.length < 2) return null;
  return html`<label class="inline"><span class="cut side-name" title=${sideName(sides[0])}>${sideName(sides[0])}</span> and <select value=${chosen.side} onChange=${(event) => choose(Number(event.target.value))}>${files.map(({ side }) => html`<option key=${side} value=${side}>${sideName(sides[side])}</option>`)}</select></label>`;
}

export function CodeChanges({ files, sides, layout, setLayout }) {
  const [chosen, choose] = useChosenSide(files);
  const texts = chosen.changes.filter((change) => change.text);
  let lines = 0;
  const tools = html`<${ChooseSide} files=${files} chosen=${chosen} sides=${sides} choose=${choose} />${texts.length ? html`
    <button type="button" onClick=${() => goToChange(-1)} title="The change before (b)" aria-label="The change before">↑</button><button type="button" onClick=${() => goToChange(1)} title="Next change (n)" aria-label="Next change">↓</button>
    <button type="button" aria-pressed=${layout === "unified"} onClick=${() => setLayout("unified")}>Unified</button><button type="button" aria-pressed=${layout === "split"} onClick=${() => setLayout("split")}>Split</button>` : null}`;
  return html`<${Section} name="code" heading="Code" count=${texts.length ? `${texts.length} text file${texts.length === 1 ? "" : "s"}` : "no text file differs"} tools=${tools}>
    ${texts.map((change) => {
      const isOpen = lines === 0 || lines < OPEN_LINES;
      lines += change.text.hunks.reduce((sum, hunk) => sum + hunk.lines.length, 0);
      return html`<${CodeFile} key=${`${chosen.side}/${change.path}`} change=${change} newId=${sides[chosen.side].id} layout=${layout} isOpenAtFirst=${isOpen} />`;
    })}<//>`;
}

function CodeFile({ change, newId, layout, isOpenAtFirst }) {
  const address = useStore(current);
  const name = `code/${change.path}`;
  const [isOpen, setOpen] = useState(isOpenAtFirst || decodeURIComponent(address.hash) === name);
  return html`<details class="code-file" id=${name} open=${isOpen} onToggle=${(event) => event.target === event.currentTarget && setOpen(event.currentTarget.open)}>
    <summary><span class=${`change ${change.change}`}><span aria-hidden="true">${SIGNS[change.change]}</span><span class="hidden-text">${change.change}</span></span> <span class="mono wrap">${change.path}</span> <span class="muted">${facts(change).join(", ")}</span></summary>
    <a class="small-link code-link" data-stay href=${href({ ...address, hash: encodeURIComponent(name).replace(/%2F/g, "/") })}>Link to this file</a>
    ${isOpen ? html`<${TextDiff} change=${change} newId=${newId} layout=${layout} />` : null}</details>`;
}

export function TensorChanges({ files, sides }) {
  const [chosen, choose] = useChosenSide(files);
  const changed = chosen.changes.filter((change) => change.tensors);
  if (!files.some((one) => one.changes.some((change) => change.tensors))) return html`<${Section} name="tensors" heading="Tensors" count="no weights file differs" />`;
  return html`<${Section} name="tensors" heading="Tensors" count=${countChanges(changed.flatMap((change) => change.tensors.changes), changed.reduce((sum, change) => sum + change.tensors.unchanged, 0))} tools=${html`<${ChooseSide} files=${files} chosen=${chosen} sides=${sides} choose=${choose} />`}>
    ${changed.map((change) => html`<h3 class="mono wrap" key=${change.path}>${change.path} <span class="muted">${countChanges(change.tensors.changes, change.tensors.unchanged)}</span></h3>
      ${change.tensors.changes.length ? html`<${TensorTable} changes=${change.tensors.changes} label=${`Tensors of ${change.path}`} />` : html`<p class="muted">All tensors are the same; other bytes differ.</p>`}`)}<//>`;
}

function TensorTable({ changes, label }) {
  const [sort, setSort] = useState("");
  const number = (name, title, width, pick) => ({ name, label: title, width, isNumber: true, value: (one) => toNumber(pick(one) ?? null), render: (one) => { const value = toNumber(pick(one) ?? null); return value === null ? "" : formatNumber(Number(value.toPrecision(4))); } });
  const columns = [
    { name: "change", label: "Change", width: "110px", value: (one) => one.change, render: (one) => html`<span class=${`change ${one.change}`}><span aria-hidden="true">${SIGNS[one.change]}</span> ${one.change}</span>` },
    { name: "name", label: "Tensor", value: (one) => one.name, render: (one) => html`<span class="mono cut" title=${one.name}>${one.name || "(array)"}</span>${notes(one) ? html` <span class="bad-text" title=${notes(one)}>${notes(one)}</span>` : null}` },
    { name: "shape", label: "Type and shape", width: "230px", render: (one) => html`<span class="mono cut">${[...new Set([one.old, one.new].filter(Boolean).map(({ dtype, shape }) => `${dtype}[${shape.join(", ")}]`))].join(" → ")}</span>` },
    number("items", "Changed %", "120px", ({ values }) => (values?.changed_items === null || !values?.items ? null : (100 * values.changed_items) / values.items)),
    number("most", "Largest change", "150px", ({ values }) => values?.max_abs_difference),
    number("moved", "Relative L2", "130px", ({ values }) => values?.relative_l2),
    number("cosine", "Cosine", "100px", ({ values }) => values?.cosine),
  ];
  return html`<${LongTable} label=${label} columns=${columns} rows=${changes} rowKey=${(one) => one.name} sort=${sort} onSort=${setSort} height="50vh" />`;
}

function notes({ problem, values }) {
  if (problem) return `problem: ${problem}`;
  return values && (values.nonfinite_old || values.nonfinite_new) ? `NaN or infinite: ${values.nonfinite_old} → ${values.nonfinite_new}` : "";
}

const MOST_IMAGES = 40;

export function ImageChanges({ files, sides }) {
  const rows = useMemo(() => changedFiles(files, sides.length).filter(({ path }) => isImage(path)), [files]);
  if (!rows.length) return html`<${Section} name="images" heading="Images" count="no image differs" />`;
  // A path that one side lacks is `added` on the others, and `removed` where the first alone has it.
  const isThere = ({ changes }, side) => (side ? changes[side]?.change !== "removed" : !changes.some((change) => change?.change === "added"));
  return html`<${Section} name="images" heading="Images" count=${`${rows.length} differ`}>${rows.slice(0, MOST_IMAGES).map((row) => html`<h3 class="mono wrap" key=${row.path}>${row.path}</h3>
      <div class="image-row">${sides.map((side, index) => html`<figure key=${index}><figcaption class="muted wrap">${sideName(side)}</figcaption>${isThere(row, index) ? html`<${Image} id=${side.id} path=${row.path} />` : html`<p class="muted">not there</p>`}</figure>`)}</div>`)}
    ${rows.length > MOST_IMAGES ? html`<p class="note">${MOST_IMAGES} of ${rows.length} are shown.</p>` : null}<//>`;
}

function Image({ id, path }) {
  const address = fileAddress(id, path, { image: true });
  if (!address) return html`<p class="muted">not part of an export</p>`;
  return html`<div class="checker"><img src=${address} alt=${nameOf(path)} loading="lazy" /></div>`;
}
