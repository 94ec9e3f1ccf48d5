// The parts of a comparison that are tables of names and values: who is compared, params, metrics and so on.

import { html, useState, useStore } from "./ui.js";
import { current, href, linkTo, sharedAddress } from "../core/address.js";
import { cellText, changedFiles, countChanges, differs, judge, sideName } from "../core/comparison.js";
import { colorOf } from "../core/colors.js";
import { formatTime, shortId, showUnseen } from "../core/values.js";
import { LongText } from "./longtext.js";
import { Status } from "./small.js";

const MOST_ROWS = 200; // of a section, until all are asked for

// A section that can be linked to: its name is the place after the hash.
export function Section({ name, heading, count = null, tools = null, children }) {
  const address = useStore(current);
  return html`<section class="panel compare-section" id=${name} aria-labelledby=${`${name}-title`}>
    <div class="panel-head"><h2 id=${`${name}-title`}><a class="heading-link" data-stay href=${href({ ...address, hash: name })}>${heading}</a></h2>${count === null ? null : html`<span class="muted">${count}</span>`}<span class="spacer"></span>${tools}</div>${children}</section>`;
}

export function SideHeads({ asked, sides, address }) {
  return html`<div class="sides">${sides.map((side, index) => html`<article class="side" key=${index} style=${{ borderTopColor: colorOf(side.experiment_id.slice(0, 12)) }}>
    <div class="side-title"><a ...${linkTo(sharedAddress("experiment", [side.experiment_id.slice(0, 8)]))}><strong>${showUnseen(side.name || shortId(side.experiment_id))}</strong></a>
      ${side.status ? html`<${Status} status=${side.status} />` : null}</div>
    <div class="muted"><code>${shortId(side.experiment_id)}</code>${side.checkpoint_id ? html`, checkpoint <code>${shortId(side.checkpoint_id)}</code>${side.chosen ? ` (${side.chosen})` : ""}` : ", no checkpoint"}${side.step === null ? "" : `, step ${side.step}`}, ${formatTime(side.created)}</div>
    <div class="toolbar">${index ? html`<a class="small-link" href=${address([asked[index], ...asked.filter((_, other) => other !== index)])}>Make it the first</a>` : html`<span class="muted">the others are compared with this</span>`}
      ${sides.length > 2 ? html`<a class="small-link" href=${address(asked.filter((_, other) => other !== index))} aria-label=${`Remove ${sideName(side)}`}>Remove</a>` : null}</div></article>`)}</div>`;
}

export function Summary({ diff, files, headings }) {
  const facts = headings.map(([name, heading]) => [name, heading, (diff[name] ?? []).filter(differs).length, (diff[name] ?? []).length]);
  const changed = files.value ? changedFiles(files.value.files, diff.sides.length) : null;
  const problems = files.value?.files.filter((one) => one.problem) ?? [];
  const isSame = changed && !changed.length && !problems.length && facts.every(([, , count]) => !count);
  return html`<${Section} name="summary" heading="Summary">${isSame ? html`<p><strong>Nothing differs</strong> in what was compared.</p>` : null}
    <ul class="summary">${facts.map(([name, heading, count, all]) => html`<li key=${name} class=${count ? "" : "muted"}><span>${heading}</span> <strong>${count ? `${count} of ${all} differ${all === 1 ? "s" : ""}` : all ? "the same" : "none"}</strong></li>`)}
      ${changed ? html`<li class=${changed.length ? "" : "muted"}><span>Files</span> <strong>${changed.length ? countOfSides(files.value.files) : "the same"}</strong></li>` : null}</ul>
    ${problems.map(({ side, problem }) => html`<p class="note">${sideName(diff.sides[side])}: ${problem}</p>`)}<//>`;
}

function countOfSides(files) {
  return files.length === 1 ? countChanges(files[0].changes) : `${changedFiles(files, files.length + 1).length} differ somewhere`;
}

export function RowsSection({ name, heading, diff, sides, onlyDiffering }) {
  const [isAll, showAll] = useState(false);
  const rows = diff[name] ?? [];
  const differing = rows.filter(differs);
  const wanted = onlyDiffering ? differing : rows;
  const shown = isAll ? wanted : wanted.slice(0, MOST_ROWS);
  const count = `${differing.length} of ${rows.length} differ${rows.length === 1 ? "s" : ""}`;
  if (!shown.length) return html`<${Section} name=${name} heading=${heading} count=${rows.length ? `all ${rows.length} are the same` : "none were recorded"} />`;
  return html`<${Section} name=${name} heading=${heading} count=${count}>
    <div class="scroll-x" tabindex="0" role="region" aria-label=${heading}><table class="plain compare-table"><thead><tr><th scope="col"><span class="hidden-text">Name</span></th>${sides.map((side) => html`<th scope="col" class="cut" title=${sideName(side)}>${sideName(side)}</th>`)}${name === "metrics" && sides.length === 2 ? html`<th scope="col">Difference</th>` : null}</tr></thead>
      <tbody>${shown.map((row) => html`<${Row} key=${row.name} row=${row} section=${name} />`)}</tbody></table></div>
    ${wanted.length > shown.length ? html`<button type="button" onClick=${() => showAll(true)}>Show all ${wanted.length.toLocaleString("en")}</button>` : null}<//>`;
}

function Row({ row, section }) {
  const isNumeric = section === "metrics";
  const judged = (side) => (isNumeric ? judge(row, side) : null);
  const two = row.values.length === 2;
  return html`<tr class=${differs(row) ? "" : "same-row"}><th scope="row">${row.name}${row.goal ? html` <span class="badge" title=${`The primary metric: ${row.goal}`}>★ ${row.goal}</span>` : null}</th>
    ${row.values.map((_, side) => html`<td class=${`${isNumeric ? "number" : ""}${row.is_set[side] ? "" : " muted"}`}><${LongText} text=${cellText(row, side)} />${!two && judged(side) ? html`<div><${Judgement} judged=${judged(side)} /></div>` : null}</td>`)}
    ${two && isNumeric ? html`<td>${judged(1) ? html`<${Judgement} judged=${judged(1)} />` : null}</td>` : null}</tr>`;
}

function Judgement({ judged: { text, word, direction } }) {
  return html`<span class=${`judged ${word}`}><span aria-hidden="true">${direction === "up" ? "↑" : "↓"}</span> ${text}${word ? html` <strong>${word}</strong>` : null}</span>`;
}
