// What stands in the place of something that is empty, loading or failed: what happened, and what to do.

import { html } from "./ui.js";
import { linkTo, sharedAddress } from "../core/address.js";

export function Loading({ what }) {
  return html`<p class="message" role="status">Loading ${what}…</p>`;
}

export function Failure({ error, retry = null, children = null }) {
  return html`<section class="message error" role="alert">
    <h2>${sentence(error.message)}</h2>
    ${error.hint ? html`<p class="hint">${withCode(sentence(error.hint))}</p>` : null}
    ${error.candidates?.length ? html`<ul>${error.candidates.map((id) => html`<li><a ...${linkTo(sharedAddress("experiment", [id.slice(0, 12)]))}><code>${id.slice(0, 12)}</code></a></li>`)}</ul>` : null}
    ${retry ? html`<button onClick=${retry}>Try again</button>` : null}
    ${children}
  </section>`;
}

export function Empty({ title, children }) {
  return html`<section class="message"><h2>${title}</h2>${children}</section>`;
}

export function sentence(text) {
  const whole = String(text);
  return whole.charAt(0).toUpperCase() + whole.slice(1) + (/[.!?\n]$/.test(whole) ? "" : ".");
}

// A text in which what stands between backticks is code.
export function withCode(text) {
  return text.split("`").map((part, place) => (place % 2 ? html`<code>${part}</code>` : part));
}
