// Text from an experiment, which may be very long: the beginning of it, and a button for the rest.

import { html, useState } from "./ui.js";
import { showUnseen } from "../core/values.js";

export function LongText({ text, most = 400 }) {
  const [isAll, showAll] = useState(false);
  if (text.length <= most || isAll) return showUnseen(text);
  return html`${showUnseen(text.slice(0, most))}… <button type="button" class="more" onClick=${() => showAll(true)}>all ${text.length.toLocaleString("en")} letters</button>`;
}
