// A chart: the curves of one metric, what they say under the pointer, and the same as a table.

import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./ui.js";
import { go, linkTo, sharedAddress } from "../core/address.js";
import { formatSeconds } from "../core/axes.js";
import { describeCurve, nearestPlace } from "../core/curves.js";
import { nameOfX } from "../core/chartsettings.js";
import { formatNumber, formatTime } from "../core/values.js";
import { ChartControl, sortedAt } from "./chartcontrol.js";

const TIP_ROWS = 12;

export function formatX(value, kind) {
  if (kind === "wall") return formatTime(new Date(value * 1000).toISOString(), { seconds: true });
  return kind === "time" ? formatSeconds(Number(value.toPrecision(6))) : formatNumber(value);
}

// `data` is the state of a CurveData, `names` a function from an id to what people call it, `settings` those of the page with
// isLogY of this chart. `onControl` is given the control, `onSpeak` a sentence for screen readers.
export function Chart({ metric, ids, data, settings, height, names, colorOf, groupOf, groupColor, marks, marksOf, goal, onRest, onControl, onSpeak, onValue }) {
  const area = useRef(null);
  const control = useRef(null);
  const latest = useRef(null);
  const [width, setWidth] = useState(0);
  const showTip = useRef(() => {});
  const label = (id) => (id.startsWith("group:") ? id.slice("group:".length) || "all" : names(id));
  latest.current = { label, onSpeak, onValue, onRest, marksOf, metric, settings };

  useLayoutEffect(() => {
    const speak = (series, place) => {
      const { label: nameIt, settings: now, metric: name } = latest.current;
      latest.current.onSpeak?.(`${nameIt(series.id)}: ${name} ${formatNumber(series.ys[place])} at ${nameOfX(now.x)} ${formatX(series.xs[place], now.xKind)}`);
    };
    control.current = new ChartControl(area.current, {
      onPicture: () => {},
      onHover: (tip) => showTip.current(tip),
      onOpen: (id) => go(sharedAddress("experiment", [id])),
      onSpeak: speak,
      onValue: (id, x, picture) => latest.current.onValue?.(id === null || x === null ? null : valueAt(picture, id, x)),
    });
    onControl?.(control.current);
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(area.current);
    return () => {
      observer.disconnect();
      control.current.destroy();
    };
  }, []);
  useLayoutEffect(() => {
    const late = { marksOf: (...asked) => latest.current.marksOf?.(...asked), onRest: (range) => latest.current.onRest?.(range) };
    control.current.update({ ids, whole: data.whole, detail: data.detail, colorOf, groupOf, groupColor, marks, settings, width, height, ...late });
  }, [ids, data.whole, data.detail, groupOf, groupColor, marks, settings, width, height]);
  useEffect(() => () => onValue?.(null), []);
  const summary = useMemo(() => summarize(metric, ids, data.whole, settings, names, goal), [metric, ids, data.whole, settings.x, names, goal]);
  const isEmpty = !data.isLoading && !data.error && !ids.some((id) => data.whole.get(id)?.xs.length);
  return html`<div class="chart-box" style=${{ height: `${height}px` }}>
    <div ref=${area} class="chart-area" role="img" tabindex="0" aria-label=${summary}></div>
    ${data.isLoading ? html`<p class="chart-note" role="status">Loading…</p>` : isEmpty ? html`<p class="chart-note">None of these experiments has a point of ${metric} by ${nameOfX(settings.x)}.</p>` : null}
    <${TipBox} show=${showTip} settings=${settings} label=${label} />
  </div>`;
}

function valueAt({ lines, bands }, id, x) {
  const series = lines.find((line) => line.id === id) ?? bands.find((band) => band.id === id);
  if (!series) return null;
  const ys = series.ys ?? series.mean;
  const place = nearestPlace({ xs: series.xs, ys }, x);
  return place < 0 ? null : { color: series.color, value: ys[place] };
}

// By itself, so that a pointer that moves draws nothing else.
function TipBox({ show, settings, label }) {
  const [tip, setTip] = useState(null);
  show.current = setTip;
  return tip ? html`<${Tip} tip=${tip} settings=${settings} label=${label} />` : null;
}

// What all series have at the pointer, the largest first; of many, those around the one that is nearest.
function Tip({ tip, settings, label }) {
  const rows = sortedAt(tip.series, tip.x);
  const at = Math.max(rows.findIndex(({ series }) => series.id === tip.id), 0);
  const start = Math.max(Math.min(at - (TIP_ROWS >> 1), rows.length - TIP_ROWS), 0);
  const shown = rows.slice(start, start + TIP_ROWS);
  const near = rows[at];
  const x = tip.id !== null && near ? near.series.xs[near.place] : tip.x;
  const isRight = tip.left > innerWidth / 2;
  const isLow = tip.top > innerHeight / 2;
  const place = { [isRight ? "right" : "left"]: `${(isRight ? innerWidth - tip.left : tip.left) + 16}px`, [isLow ? "bottom" : "top"]: `${(isLow ? innerHeight - tip.top : tip.top) + 12}px` };
  return html`<div class="chart-tip" style=${place} aria-hidden="true">
    <div class="chart-tip-x">${nameOfX(settings.x)} <b>${formatX(x, settings.xKind)}</b></div>
    ${start > 0 ? html`<div class="muted">${start} higher</div>` : null}
    ${shown.map(({ series, place: point }) => html`<div key=${series.id} class=${`chart-tip-row${series.id === tip.id ? " near" : ""}`}>
      <span class="swatch" style=${{ background: series.color }}></span><span class="cut">${label(series.id)}</span><span class="number">${formatNumber(series.ys[point])}${series.low ? html` <small class="muted">${formatNumber(series.low[point])} … ${formatNumber(series.high[point])}</small>` : null}</span></div>`)}
    ${rows.length > start + TIP_ROWS ? html`<div class="muted">${rows.length - start - TIP_ROWS} lower</div>` : null}
  </div>`;
}

// What a chart says in one sentence. `goal` tells which end is the good one, where that is known.
export function summarize(metric, ids, whole, settings, names, goal) {
  const found = ids.map((id) => ({ id, facts: whole.has(id) ? describeCurve(whole.get(id)) : null })).filter(({ facts }) => facts);
  if (!found.length) return `${metric}: no points`;
  const end = goal === "maximize" ? "max" : "min";
  const best = found.reduce((a, b) => ((end === "max" ? b.facts.max.y > a.facts.max.y : b.facts.min.y < a.facts.min.y) ? b : a));
  const word = goal ? "best" : "lowest";
  const { x, y } = best.facts[end];
  return `${metric} by ${nameOfX(settings.x)}, ${found.length} experiment${found.length === 1 ? "" : "s"}, ${word} ${formatNumber(y)} at ${formatX(x, settings.xKind)} in ${names(best.id)}`;
}

// The chart in numbers, for those who do not see it and those who want them.
export function ChartTable({ metric, ids, data, settings, names, colorOf }) {
  const rows = ids.map((id) => ({ id, facts: data.whole.has(id) ? describeCurve(data.whole.get(id)) : null })).filter(({ facts }) => facts);
  const cell = (point) => html`<td class="number">${formatNumber(point.y)}<small class="muted"> at ${formatX(point.x, settings.xKind)}</small></td>`;
  return html`<div class="scroll-x chart-table" tabindex="0" role="region" aria-label=${`${metric} as a table`}><table class="plain">
    <thead><tr><th scope="col">experiment</th><th scope="col" class="number">first</th><th scope="col" class="number">last</th><th scope="col" class="number">smallest</th><th scope="col" class="number">largest</th><th scope="col" class="number">points</th></tr></thead>
    <tbody>${rows.map(({ id, facts }) => html`<tr key=${id}><th scope="row"><span class="swatch" style=${{ background: colorOf(id) }}></span> <a ...${linkTo(sharedAddress("experiment", [id]))}>${names(id)}</a></th>
      ${cell(facts.first)}${cell(facts.last)}${cell(facts.min)}${cell(facts.max)}<td class="number">${data.whole.get(id).points.toLocaleString("en")}</td></tr>`)}</tbody></table></div>`;
}
