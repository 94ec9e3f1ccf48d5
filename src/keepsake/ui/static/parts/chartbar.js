// What is set for all charts at once: x, log axes, smoothing, outliers, mean, columns, zoom, live.

import { html, useState, useStore } from "./ui.js";
import { setQuery } from "../core/address.js";
import { isStatic } from "../core/api.js";
import { chartView, setRange } from "../core/chartview.js";
import { formatList, toggled } from "../core/chartsettings.js";
import { switchLive } from "../core/live.js";
import { model } from "../core/model.js";
import { doesWheelZoom, switchWheel } from "./chartcontrol.js";
import { formatX } from "./chart.js";

const POWER = 3; // of the slider: most of its way is for strong smoothing, where it matters
const toWeight = (part) => Number((1 - (1 - part) ** POWER).toPrecision(4));
const toPart = (weight) => 1 - (1 - weight) ** (1 / POWER);

export function ChartBar({ settings, metrics, group }) {
  const { x, isLogX, isLogY, weight, isTrimmed, isMean, across, find, xKind } = settings;
  const range = useStore(chartView, (view) => view.range);
  const isLive = useStore(model, (state) => state.isLive);
  const [wheel, setWheel] = useState(doesWheelZoom());
  const logs = [isLogX ? "x" : "", isLogY ? "y" : ""].filter(Boolean);
  const check = (label, isChecked, change, title = null) => html`<label class="inline" title=${title}><input type="checkbox" checked=${isChecked} onChange=${change} />${label}</label>`;
  return html`<div class="toolbar chart-bar" role="group" aria-label="All charts">
    <input type="search" value=${find} placeholder="find metrics" aria-label="Find metrics" onInput=${(event) => setQuery({ find: event.target.value })} />
    <label class="inline">x <select value=${x} onChange=${(event) => changeX(event.target.value)}>
      <option value="step">step</option><option value="time">time</option><option value="wall">wall clock</option>
      <optgroup label="another metric">${metrics.map((name) => html`<option value=${`metric:${name}`}>${name}</option>`)}</optgroup></select></label>
    ${xKind === "wall" ? null : check("log x", isLogX, () => setQuery({ log: formatList(toggled(logs, "x")), range: "" }))}
    ${check("log y", isLogY, () => setQuery({ log: formatList(toggled(logs, "y")), turned: "" }))}
    <label class="inline">smooth <input type="range" min="0" max="1" step="0.01" value=${toPart(weight)} aria-valuetext=${weight ? String(weight) : "off"} onInput=${(event) => setQuery({ smooth: toWeight(Math.min(Number(event.target.value), 0.9)) || "" })} /><output class="number chart-weight">${weight ? weight.toFixed(3) : "off"}</output></label>
    ${check("outliers", !isTrimmed, () => setQuery({ outliers: isTrimmed ? "" : "0" }), "Off: y shows the middle 98 % of the values")}
    ${check(group ? `mean by ${group}` : "mean", isMean, () => setQuery({ mean: isMean ? "" : "1" }), "The mean of all, or of each group of the table, with its smallest and largest")}
    <label class="inline">columns <select value=${across} onChange=${(event) => setQuery({ across: event.target.value === "0" ? "" : event.target.value })}>${["auto", 1, 2, 3, 4].map((name, index) => html`<option value=${index}>${name}</option>`)}</select></label>
    ${check("wheel zooms", wheel, (event) => {
      switchWheel(event.target.checked);
      setWheel(event.target.checked);
    }, "Off: the wheel always scrolls the page")}
    ${isStatic ? null : check("live", isLive, (event) => switchLive(event.target.checked))}
    ${range ? html`<button type="button" onClick=${() => setRange(null)} title="Show everything (0)">${formatX(range[0], xKind)} … ${formatX(range[1], xKind)} ✕</button>` : null}
  </div>`;
}

// A range of steps means nothing in seconds.
function changeX(x) {
  setRange(null);
  setQuery({ x: x === "step" ? "" : x, range: "" });
}
