// Parallel coordinates: axes side by side, a line an experiment, and stretches of axes (brushes) that keep some. Pure.
//
// In an address, a brush is `NAME:FROM..TO`; ends on an axis of choices are JSON, escaped.

import { formatFilterValue, isMoment, placedValues, scaleOf } from "./choices.js";
import { formatList, parseList } from "./chartsettings.js";

// Returns the axis of a column: `parts` are places along it (0 at the bottom), one for each of `places`, NaN where there is no value.
export function makeAxis(column, places, { isLog, isFlipped }) {
  const scale = scaleOf(column, places, isLog);
  const values = placedValues(column);
  const turn = (part) => (isFlipped ? 1 - part : part);
  const parts = Float64Array.from(places, (place) => turn(scale.toPart(values[place])));
  return { column, name: column.name, scale, isFlipped, parts, turn };
}

// Returns what a stretch of an axis means: {from, to} values, rounded so that they read well; on an axis of choices those that it
// touches, null when there is none.
export function brushOf({ scale, turn }, low, high) {
  const [start, stop] = [turn(low), turn(high)].sort((a, b) => a - b);
  if (scale.kind === "choice") {
    const inside = scale.choices.filter((_, place) => place + 1 > start * scale.choices.length + 0.25 && place < stop * scale.choices.length - 0.25);
    return inside.length ? { from: inside[0], to: inside[inside.length - 1] } : null;
  }
  const ends = [scale.fromPart(start), scale.fromPart(stop)];
  const digits = (value) => {
    const step = Math.abs(ends[1] - ends[0]) / 200 || Math.abs(value) / 1000;
    return scale.kind === "log" ? 3 : Math.min(Math.max(Math.ceil(Math.log10(Math.abs(value) / step || 1)) + 1, 1), 15);
  };
  return { from: Number(ends[0].toPrecision(digits(ends[0]))), to: Number(ends[1].toPrecision(digits(ends[1]))) };
}

// The stretch of the axis that a brush covers, [low, high] in parts; null when it has no place there.
export function stretchOf({ scale, turn }, { from, to }) {
  const half = scale.kind === "choice" ? 0.5 / scale.choices.length : 0;
  const ends = [scale.toPart(from) - half, scale.toPart(to) + half];
  if (!ends.every(Number.isFinite)) return null;
  return ends.map(turn).sort((a, b) => a - b);
}

// Returns a Uint8Array with 1 for each line that lies in all brushes. What has no value on a brushed axis does not.
export function maskOf(axes, brushes, count) {
  const mask = new Uint8Array(count).fill(1);
  for (const axis of axes) {
    const stretch = brushes[axis.name] && stretchOf(axis, brushes[axis.name]);
    if (!stretch) continue;
    const [low, high] = [stretch[0] - 1e-9, stretch[1] + 1e-9];
    const { parts } = axis;
    for (let index = 0; index < count; index++) if (!(parts[index] >= low && parts[index] <= high)) mask[index] = 0;
  }
  return mask;
}

const writeEnd = (value) => (typeof value === "number" ? String(value) : encodeURIComponent(JSON.stringify(value)).replace(/\./g, "%2E"));

function readEnd(text) {
  try {
    return JSON.parse(decodeURIComponent(text));
  } catch {
    return undefined;
  }
}

export function formatBrushes(brushes) {
  return formatList(Object.entries(brushes).map(([name, { from, to }]) => `${name}:${writeEnd(from)}..${writeEnd(to)}`));
}

export function parseBrushes(text) {
  const brushes = {};
  for (const part of parseList(text)) {
    const at = part.lastIndexOf(":");
    const [from, to] = part.slice(at + 1).split("..").map(readEnd);
    if (at > 0 && from !== undefined && to !== undefined) brushes[part.slice(0, at)] = { from, to };
  }
  return brushes;
}

// Returns the filter that keeps what the brushes keep.
export function filterOf(axes, brushes) {
  return axes.filter(({ name }) => brushes[name]).map((axis) => filterOfOne(axis, brushes[axis.name])).join(" and ");
}

function filterOfOne({ column, name, scale }, { from, to }) {
  if (scale.kind !== "choice") {
    const write = (value) => (isMoment(column) ? new Date(value * 1000).toISOString() : String(value));
    return `${name} >= ${write(from)} and ${name} <= ${write(to)}`;
  }
  const [first, last] = [from, to].map((value) => scale.choices.findIndex((choice) => JSON.stringify(choice) === JSON.stringify(value)));
  const chosen = scale.choices.slice(first, last + 1).map(formatFilterValue);
  return chosen.length === 1 ? `${name} = ${chosen[0]}` : `${name} in (${chosen.join(", ")})`;
}
