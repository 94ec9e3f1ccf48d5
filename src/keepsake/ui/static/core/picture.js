// What a chart shows, worked out from its curves: lines, bands, marks and the ranges of both axes. Pure.

import { bandOf } from "./bands.js";
import { extentOfX, extentOfY } from "./curves.js";
import { covers, padRange } from "./ranges.js";
import { smooth, usualSpacing } from "./smooth.js";

const BAND_POINTS = 400; // of a band's grid: more than a chart in a column has pixels to tell apart
const smoothed = new WeakMap(); // by curve: moving a slider back and forth, or hovering, smooths nothing twice

// Returns {lines, bands, marks, from, to, low, high}, or null when there is nothing to show.
//
// `whole` and `detail` are those of CurveData. `settings` has weight (of smoothing), isTrimmed, isMean, isLogX, isLogY, range (of x or
// null) and rangeY. `groupOf` gives the group of an experiment, as text.
export function makePicture({ ids, whole, detail, colorOf, groupOf, groupColor, marks = [] }, settings) {
  const present = ids.map((id) => whole.get(id)).filter((curve) => curve?.xs.length);
  const all = extentOfX(present, settings.isLogX);
  if (!all) return null;
  const [from, to] = settings.range ?? padRange(all, all[0] === all[1] ? 0.5 : 0, settings.isLogX);
  const isFine = detail && covers([detail.from, detail.to], [from, to]);
  const lines = present.map((curve) => makeLine(curve, isFine ? detail.curves.get(curve.id) : null, settings.weight, colorOf(curve.id)));
  const bands = settings.isMean ? makeBands(lines, groupOf, groupColor, from, to) : [];
  const drawn = bands.length ? bands.flatMap(({ xs, low, high }) => [{ xs, ys: low }, { xs, ys: high }]) : lines.flatMap(({ xs, ys, raw }) => (raw ? [{ xs, ys }, raw] : [{ xs, ys }]));
  const seen = extentOfY(drawn, from, to, { isLog: settings.isLogY, isTrimmed: settings.isTrimmed }) ?? extentOfY(drawn, -Infinity, Infinity, { isLog: settings.isLogY }) ?? (settings.isLogY ? [0.1, 1] : [0, 1]);
  const [low, high] = settings.rangeY ?? padRange(seen, 0.05, settings.isLogY);
  return { lines: bands.length ? [] : lines, bands, marks: bands.length ? [] : marks, from, to, low, high, all };
}

function makeLine(whole, detail, weight, color) {
  const curve = detail ?? whole;
  if (!(weight > 0)) return { id: whole.id, color, xs: curve.xs, ys: curve.ys, raw: null };
  let kept = smoothed.get(curve);
  if (kept?.weight !== weight) {
    kept = { weight, ys: smooth(curve, weight, usualSpacing(whole), detail ? whole : null) };
    smoothed.set(curve, kept);
  }
  return { id: whole.id, color, xs: curve.xs, ys: kept.ys, raw: curve };
}

function makeBands(lines, groupOf, groupColor, from, to) {
  const groups = new Map();
  for (const line of lines) {
    const name = groupOf(line.id);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(line);
  }
  const count = lines.some((line) => line.xs.length > 1) ? BAND_POINTS : 1;
  return [...groups].map(([name, members]) => ({ id: `group:${name}`, name, count: members.length, color: groupColor(name), ...bandOf(members, from, to, count) }));
}
