// The way to the list of all keys.

import { html, useLayoutEffect, useState } from "./ui.js";
import { bindKeys } from "../core/keys.js";
import { Lazy } from "./lazy.js";

const loadDialog = async () => (await import("./helpdialog.js")).HelpDialog;

export function Help() {
  const [isOpen, setOpen] = useState(false);
  useLayoutEffect(() => bindKeys("Everywhere", [{ keys: ["?"], label: "This help", run: () => setOpen(true) }]), []);
  return html`<button type="button" class="icon plain" onClick=${() => setOpen(true)} title="Keys (?)" aria-label="Keyboard help">?</button>
    ${isOpen ? html`<${Lazy} load=${loadDialog} close=${() => setOpen(false)} />` : null}`;
}
