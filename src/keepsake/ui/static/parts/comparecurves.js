// The curves of what is compared, over each other.

import { html, useEffect, useMemo } from "./ui.js";
import { href, sharedAddress } from "../core/address.js";
import { colorOf } from "../core/colors.js";
import { sideName } from "../core/comparison.js";
import { Section } from "./comparerows.js";
import { ChartsOf } from "./curvestab.js";

export function CurvesOverlay({ sides }) {
  const drawn = sides.filter((side, index) => sides.findIndex((other) => other.experiment_id === side.experiment_id) === index);
  const ids = useMemo(() => drawn.map((side) => side.experiment_id.slice(0, 12)), [sides]);
  useEffect(() => ids.forEach(colorOf), [ids]); // in their order, so that neighbours differ
  return html`<${Section} name="curves" heading="Curves">
    <ul class="legend">${drawn.map((side) => html`<li key=${side.experiment_id}><span class="swatch" style=${{ background: colorOf(side.experiment_id.slice(0, 12)) }}></span><span class="cut">${sideName(side)}</span></li>`)}</ul>
    <${ChartsOf} ids=${ids} link=${href({ ...sharedAddress("charts"), query: { sel: ids.map((id) => id.slice(0, 8)).join(",") } })} /><//>`;
}
