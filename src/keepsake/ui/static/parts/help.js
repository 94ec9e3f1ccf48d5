// The list of all keys, from what is bound at the moment.

import { html, useEffect, useRef, useState } from "./ui.js";
import { areKeysOn, bindKeys, listKeys, switchKeys } from "../core/keys.js";

export function Help() {
  const dialog = useRef(null);
  const [keys, setKeys] = useState([]);
  useEffect(() => bindKeys("Everywhere", [{ keys: ["?"], label: "This help", run: open }]), []);
  function open() {
    setKeys(listKeys());
    dialog.current.showModal();
  }
  const places = [...new Set(keys.map((binding) => binding.where))];
  return html`<button type="button" class="icon plain" onClick=${open} title="Keys (?)" aria-label="Keyboard help">?</button>
    <dialog ref=${dialog} aria-labelledby="help-title">
      <h2 id="help-title">Keys</h2>
      ${places.map((where) => html`<h3>${where}</h3>
        <table class="plain"><tbody>${keys.filter((one) => one.where === where).map((one) => html`<tr>
          <th scope="row">${one.keys.map((key, index) => html`${index ? " or " : ""}${key.split(" ").map((part) => html`<kbd>${NAMES[part] ?? part}</kbd> `)}`)}</th>
          <td>${one.label}</td></tr>`)}</tbody></table>`)}
      <p><label class="inline"><input type="checkbox" checked=${areKeysOn()} onChange=${(event) => switchKeys(event.target.checked)} />Single keys do something</label></p>
      <form method="dialog"><button class="primary">Close</button></form>
    </dialog>`;
}

const NAMES = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", " ": "Space", PageUp: "PgUp", PageDown: "PgDn" };
