// The landing page: all experiments as a table.

import { html, useStore } from "../parts/ui.js";
import { model } from "../core/model.js";

export function Experiments() {
  const { order, table } = useStore(model);
  return html`<div class="page"><h1>Experiments</h1><ul>${order.slice(0, 50).map((place) => html`<li>${table.ids[place]}</li>`)}</ul></div>`;
}
