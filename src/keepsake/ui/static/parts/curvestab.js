// The curves of one experiment, larger than on its overview.

import { html } from "./ui.js";
import { href, sharedAddress } from "../core/address.js";
import { Curves } from "./overview.js";

export function ChartsTab({ experiment, id, stamp }) {
  return html`<p><a class="button" href=${href({ ...sharedAddress("charts"), query: { sel: experiment.id.slice(0, 8) } })}>Open in Charts: zoom, smooth, compare</a></p>
    <${Curves} experiment=${experiment} id=${id} stamp=${stamp} height=${180} />`;
}
