// The list of all keys, from what is bound at the moment.

import { html, useLayoutEffect, useRef } from "./ui.js";
import { areKeysOn, listKeys, switchKeys } from "../core/keys.js";

const NAMES = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", " ": "Space", PageUp: "PgUp", PageDown: "PgDn", Escape: "Esc" };

export function HelpDialog({ close }) {
  const dialog = useRef(null);
  useLayoutEffect(() => {
    dialog.current.showModal();
    dialog.current.scrollTop = 0; // the button below the keys has the focus, and would be scrolled to
  }, []);
  const keys = listKeys();
  const places = [...new Set(keys.map((binding) => binding.where))];
  return html`<dialog ref=${dialog} aria-labelledby="help-title" onClose=${close}>
    <h2 id="help-title">Keys</h2>
    <div class="help">${places.map((where) => html`<section><h3>${where}</h3>
      <table class="plain"><tbody>${keys.filter((one) => one.where === where).map((one) => html`<tr>
        <th scope="row">${one.keys.map((key, index) => html`${index ? " or " : ""}${key.split(/(?<=.) /).map((part) => html`<kbd>${NAMES[part] ?? part}</kbd> `)}`)}</th>
        <td>${one.label}</td></tr>`)}</tbody></table></section>`)}</div>
    <p><label class="inline"><input type="checkbox" checked=${areKeysOn()} onChange=${(event) => switchKeys(event.target.checked)} />Letters do something (arrows, Enter, Space and Esc always do)</label></p>
    <form method="dialog"><button class="primary" autofocus>Close</button></form>
  </dialog>`;
}
