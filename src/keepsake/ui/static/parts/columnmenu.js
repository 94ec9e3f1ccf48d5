// The menu of a column: sort, move, pin, hide, filter by its values, and how they are distributed.

import { html, useState } from "./ui.js";
import { current, setQuery } from "../core/address.js";
import { addToFilter, formatLiteral } from "../core/completion.js";
import { isApart } from "../core/table.js";
import { countValues, histogram } from "../core/groups.js";
import { formatNumber, formatValue } from "../core/values.js";
import { Popup } from "./popup.js";

const MOST_VALUES = 8;
const isFilterable = ({ column }) => !isApart(column);

export function ColumnMenu({ column, anchor, places, actions, close }) {
  const does = (run) => () => {
    close();
    run();
  };
  const { name, label, scope, kind, isPinned, isFixed } = column;
  return html`<${Popup} anchor=${anchor} label=${`Column ${scope} ${label}`} close=${close}>
    <h2 class="menu-title cut" title=${name ?? label}>${scope && kind !== "curve" ? html`<span class="muted">${scope} </span>` : null}${label}</h2>
    ${name ? html`<${Distribution} column=${column} places=${places} close=${close} />` : null}
    <div class="menu-items">
      ${name
        ? html`<button type="button" data-first onClick=${does(() => actions.sortBy(column, false, false))}>Sort up ▲</button>
          <button type="button" onClick=${does(() => actions.sortBy(column, true, false))}>Sort down ▼</button>
          <button type="button" onClick=${does(() => actions.sortBy(column, false, true))}>Then by this</button>`
        : null}
      ${actions.canGroup(column) ? html`<button type="button" onClick=${does(() => actions.group(column))}>Group by this</button>` : null}
      ${isFixed
        ? null
        : html`<button type="button" onClick=${does(() => actions.step(column, -1))}>Move left</button>
          <button type="button" onClick=${does(() => actions.step(column, 1))}>Move right</button>
          <button type="button" onClick=${does(() => actions.resize(column, column.width + 40))}>Wider</button>
          <button type="button" onClick=${does(() => actions.resize(column, column.width - 40))}>Narrower</button>
          <button type="button" onClick=${does(() => actions.pin(column, !isPinned))}>${isPinned ? "Unpin" : "Pin to the left"}</button>
          <button type="button" onClick=${does(() => actions.hide(column))}>Hide</button>`}
    </div>
  <//>`;
}

// Numbers as bars and a range, other values as a list; a click adds to the filter.
function Distribution({ column, places, close }) {
  const { values } = column.column;
  const missing = places.filter((place) => values[place] === null).length;
  const filter = (condition) => () => {
    close();
    setQuery({ q: addToFilter(current.get().query.q ?? "", condition) });
  };
  const bars = column.kind === "number" ? histogram(values, places) : null;
  const listed = column.kind === "number" && column.column.distinct.size > MOST_VALUES ? [] : countValues(values, places);
  const isList = isFilterable(column) && listed.length > 0 && column.kind !== "time" && column.kind !== "duration" && !Array.isArray(listed[0].value);
  return html`<div class="distribution">
    ${bars ? html`<${Bars} bars=${bars} name=${column.name} filter=${isFilterable(column) ? filter : () => null} />` : null}
    ${isList
      ? html`<ul aria-label="Values">${listed.slice(0, MOST_VALUES).map(({ value, count }) => html`<li><button type="button" title=${`Filter: ${column.name} = ${formatLiteral(value)}`} onClick=${filter(`${column.name} = ${formatLiteral(value)}`)}>
          <span class="cut">${formatValue(value)}</span><span class="muted number">${count.toLocaleString("en")}</span></button></li>`)}</ul>
        ${listed.length > MOST_VALUES ? html`<p class="muted">and ${(listed.length - MOST_VALUES).toLocaleString("en")} other values</p>` : null}`
      : null}
    ${isFilterable(column) ? html`<${QuickFilter} column=${column} filter=${filter} />` : null}
    ${missing ? html`<p class="muted">${missing.toLocaleString("en")} of ${places.length.toLocaleString("en")} have none.
      ${isFilterable(column) ? html`<button type="button" class="plain" onClick=${filter(`${column.name} is not null`)}>Leave them out</button>` : null}</p>` : null}
  </div>`;
}

function Bars({ bars: { edges, counts }, name, filter }) {
  const most = Math.max(...counts);
  const width = 240 / counts.length;
  const range = (index) => `${name} >= ${formatNumber(edges[index])} and ${name} <= ${formatNumber(edges[index + 1])}`;
  return html`<svg class="bars" width="240" height="56" viewBox="0 0 240 56" role="img" aria-label=${`Histogram of ${counts.length} steps from ${formatNumber(edges[0])} to ${formatNumber(edges.at(-1))}; most, ${most}, in one step`}>
      ${counts.map((count, index) => html`<g onClick=${filter(range(index))}><title>${`${formatNumber(edges[index])} to ${formatNumber(edges[index + 1])}: ${count}`}</title>
        <rect class="area" x=${index * width} y="0" width=${width} height="56" /><rect class="bar" x=${index * width + 0.5} y=${56 - (count / most) * 54} width=${width - 1} height=${(count / most) * 54} /></g>`)}
    </svg>
    <div class="ends muted"><span>${formatNumber(edges[0])}</span><span>${formatNumber(edges.at(-1))}</span></div>`;
}

// A comparison that goes into the filter box, where it can be changed.
function QuickFilter({ column, filter }) {
  const isNumber = column.kind === "number" || column.kind === "duration";
  const operators = isNumber || column.kind === "time" ? ["<", "<=", "=", ">=", ">", "!="] : ["=", "!=", "~"];
  const [operator, setOperator] = useState(operators[0]);
  const [value, setValue] = useState("");
  const literal = isNumber || column.kind === "time" || operator === "~" ? value.trim() : formatLiteral(value.trim());
  function submit(event) {
    event.preventDefault();
    if (value.trim()) filter(`${column.name} ${operator} ${operator === "~" ? formatLiteral(literal) : literal}`)();
  }
  return html`<form class="quick" onSubmit=${submit}>
    <select aria-label="Comparison" value=${operator} onChange=${(event) => setOperator(event.target.value)}>${operators.map((one) => html`<option>${one}</option>`)}</select>
    <input type="text" aria-label="Value" placeholder=${column.kind === "time" ? "7d ago" : "value"} value=${value} onInput=${(event) => setValue(event.target.value)} />
    <button type="submit">Filter</button>
  </form>`;
}
