// A small curve of one metric, of one experiment or of a few over each other: its shape, its extremes, where it ends.

import { html } from "./ui.js";
import { formatNumber, toNumber } from "../core/values.js";

const [WIDTH, HEIGHT, PAD] = [300, 90, 4];

// `series` are {name, color, step, value} with values as they are sent; a point without a step is counted.
export function MiniCurve({ name, series, goal = null, height = HEIGHT }) {
  const drawn = series.map((one) => ({ ...one, points: pointsOf(one) }));
  const all = drawn.flatMap((one) => one.points).filter(([, y]) => Number.isFinite(y));
  const lasts = drawn.map((one) => one.points.at(-1) ?? null); // NaN and the infinities too: it has not stopped before
  if (!all.length) return html`<figure class="mini"><figcaption><strong>${name}</strong></figcaption><p class="muted">No finite values</p></figure>`;
  const [low, high] = extent(all.map(([, y]) => y));
  const [from, to] = extent(drawn.flatMap((one) => one.points).map(([x]) => x));
  const scaleX = (x) => (to > from ? ((x - from) / (to - from)) * WIDTH : WIDTH / 2);
  const scaleY = (y) => height - PAD - (high > low ? (y - low) / (high - low) : 0.5) * (height - 2 * PAD);
  const text = `${name}: from ${formatNumber(low)} to ${formatNumber(high)}, last ${lasts.map((last, index) => `${series.length > 1 ? `${drawn[index].name} ` : ""}${last ? formatNumber(last[1]) : "none"}`).join(", ")}`;
  return html`<figure class="mini">
    <figcaption><strong class="cut" title=${name}>${name}</strong>${series.length === 1 ? html`<span class="number">${lasts[0] ? formatNumber(lasts[0][1]) : ""}</span>` : null}</figcaption>
    <div class="mini-box"><span class="mini-range" aria-hidden="true"><span>${short(high)}</span><span>${short(low)}</span></span>
      <svg viewBox=${`0 0 ${WIDTH} ${height}`} preserveAspectRatio="none" role="img" aria-label=${text} style=${{ height: `${height}px` }}>
        <path class="mini-grid" d=${`M0 ${scaleY(high)}H${WIDTH}M0 ${scaleY(low)}H${WIDTH}`} />
        ${drawn.map((one) => html`<path class="mini-line" stroke=${one.color} d=${pathOf(one.points, scaleX, scaleY)} />`)}
      </svg></div>
    <div class="mini-steps muted" aria-hidden="true"><span>${formatNumber(from)}</span><span>${goal ? `${goal}` : "step"}</span><span>${formatNumber(to)}</span></div>
  </figure>`;
}

export function pointsOf({ step, value }) {
  return value.map((y, index) => [step?.[index] ?? index, toNumber(y) ?? NaN]);
}

const short = (number) => formatNumber(Number(number.toPrecision(4)));

function extent(numbers) {
  let [low, high] = [Infinity, -Infinity];
  for (const number of numbers) [low, high] = [Math.min(low, number), Math.max(high, number)];
  return [low, high];
}

// What is no number is a gap; a point between two gaps is a dot.
function pathOf(points, scaleX, scaleY) {
  let path = "";
  let isDown = false;
  points.forEach(([x, y], index) => {
    const isThere = Number.isFinite(y);
    if (isThere) path += `${isDown ? "L" : "M"}${scaleX(x).toFixed(1)} ${scaleY(y).toFixed(1)}`;
    if (isThere && !isDown && !Number.isFinite(points[index + 1]?.[1])) path += "h0.1";
    isDown = isThere;
  });
  return path;
}
