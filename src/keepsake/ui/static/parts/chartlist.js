// The experiments whose curves are shown: colour, eye, name; which of them, and how many.

import { html } from "./ui.js";
import { linkTo, setQuery, sharedAddress } from "../core/address.js";
import { point } from "../core/chartview.js";
import { formatList, toggled } from "../core/chartsettings.js";
import { select } from "../core/model.js";
import { formatCount, formatValue, shortId } from "../core/values.js";
import { NumberBox } from "./numberbox.js";
import { Status } from "./small.js";

// `listed` are the ids in their order, `hidden` the first digits of those whose eye is closed.
export function ChartList({ table, listed, total, isSelection, hidden, count, colorOf }) {
  const isHidden = (id) => hidden.some((start) => id.startsWith(start));
  const turn = (id) => {
    const start = hidden.find((one) => id.startsWith(one));
    setQuery({ hide: formatList(toggled(hidden, start ?? shortId(id))) });
  };
  return html`<aside class="chart-list" aria-label="Experiments in the charts">
    <header class="toolbar">
      ${isSelection ? html`<span>${formatCount(total)} selected</span><button type="button" onClick=${() => select([])}>Show all</button>`
        : html`<label class="inline">showing <${NumberBox} class="chart-count" min="1" max="500" value=${Math.min(count, total)} label="How many experiments are shown"
            change=${(number) => setQuery({ n: number === 50 ? "" : number })} /> of ${formatCount(total)}</label>`}
      <span class="spacer"></span>
      ${hidden.length ? html`<button type="button" onClick=${() => setQuery({ hide: "" })}>Show hidden</button>` : null}
    </header>
    <ul onMouseLeave=${() => point(null, null, null)}>${listed.map((id) => html`<${Row} key=${id} ...${{ id, table, isHidden: isHidden(id), turn, colorOf }} />`)}</ul>
  </aside>`;
}

function Row({ id, table, isHidden, turn, colorOf }) {
  const place = table.find(id);
  const name = formatValue(table.valueOf(place, "experiment", "name"));
  const status = table.valueOf(place, "experiment", "status");
  return html`<li class=${isHidden ? "off" : ""} onMouseEnter=${() => isHidden || point(null, id, null)}>
    <button type="button" class="plain icon" aria-pressed=${!isHidden} aria-label=${`Show ${shortId(id)} ${name}`} onClick=${() => turn(id)}><span class="swatch big" style=${isHidden ? {} : { background: colorOf(id) }}></span></button>
    <a ...${linkTo(sharedAddress("experiment", [id]))} class="cut" title=${name || id}><code>${shortId(id)}</code> ${name}</a>
    ${status === "running" ? html`<${Status} status=${status} />` : null}
  </li>`;
}
