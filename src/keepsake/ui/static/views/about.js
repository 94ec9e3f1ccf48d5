// What is shown: version, repository, where the data can be had; and the page for an address that leads nowhere.

import { html, useStore } from "../parts/ui.js";
import { linkTo, sharedAddress } from "../core/address.js";
import { model } from "../core/model.js";
import { Empty } from "../parts/message.js";

export function About() {
  const { meta, table } = useStore(model);
  const rows = [["Keepsake", meta.version], ["Project", meta.project], ["Repository", meta.repository], ["Experiments", table.size.toLocaleString("en")]];
  return html`<div class="page"><h1>About</h1>
    <section class="panel"><table class="plain"><tbody>${rows.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody></table></section>
    ${meta.problems?.length ? html`<section class="panel"><h2>What cannot be read</h2><ul>${meta.problems.map((problem) => html`<li>${problem}</li>`)}</ul><p class="hint"><code>keepsake check</code> lists everything.</p></section>` : null}
    <p class="muted">This page only reads. What it shows can be had as JSON below <code>/api/v1</code>; <code>docs/ui-api.md</code> describes it.</p></div>`;
}

export function Missing() {
  return html`<${Empty} title="There is no such page."><p><a ...${linkTo(sharedAddress("experiments"))}>All experiments</a></p><//>`;
}
