// A colour for each experiment, the same in every view: first the ten that colour-blind readers tell apart, then more hues.

// Paul Tol's "bright" and "muted" schemes (https://sronpersonalpages.nl/~pault), in an order in which neighbours differ;
// chosen to have a contrast of at least 3:1 on both backgrounds.
const BASE = ["#4477aa", "#cc6677", "#228833", "#aa7722", "#aa3377", "#2a8f9c", "#8c6bb1", "#997700", "#d1495b", "#5c7a29"];

const taken = new Map();

// Colours are given out in the order in which experiments are first shown, so that the first ten never share one.
export function colorOf(id) {
  if (!taken.has(id)) taken.set(id, colorAt(taken.size));
  return taken.get(id);
}

export function colorAt(index) {
  if (index < BASE.length) return BASE[index];
  const hue = (index * 137.508) % 360; // the golden angle: hues that follow each other are far apart
  return `hsl(${hue.toFixed(0)} 55% 48%)`;
}

// A sequential scale from `0` to `1`, readable in grey: viridis at nine places (https://bids.github.io/colormap).
const VIRIDIS = [[68, 1, 84], [71, 45, 123], [59, 82, 139], [44, 114, 142], [33, 145, 140], [40, 174, 128], [94, 201, 98], [173, 220, 48], [253, 231, 37]];

export function scaleColor(part) {
  if (!Number.isFinite(part)) return "#8888";
  const at = Math.min(Math.max(part, 0), 1) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(at), VIRIDIS.length - 2);
  const mixed = VIRIDIS[low].map((from, channel) => Math.round(from + (VIRIDIS[low + 1][channel] - from) * (at - low)));
  return `rgb(${mixed.join(" ")})`;
}
