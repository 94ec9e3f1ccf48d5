// Ranges of an axis, [from, to]: zoomed, panned, and as they stand in an address. On a log axis the same happens to logarithms.

const into = (isLog) => (isLog ? Math.log10 : (value) => value);
const outOf = (isLog) => (isLog ? (value) => 10 ** value : (value) => value);

// Returns the range made `factor` times as wide around `center`; null when numbers cannot tell its ends apart any more.
export function zoomRange([from, to], center, factor, isLog = false) {
  const [low, high, middle] = [from, to, center].map(into(isLog));
  const zoomed = [middle - (middle - low) * factor, middle + (high - middle) * factor];
  const isTooSmall = zoomed[1] - zoomed[0] <= Math.max(Math.abs(zoomed[0]), Math.abs(zoomed[1])) * 1e-12;
  return isTooSmall || !zoomed.every(Number.isFinite) ? null : zoomed.map(outOf(isLog));
}

// Returns the range moved by a part of its width, but not so far that nothing of `all` is left in it.
export function panRange([from, to], part, all, isLog = false) {
  const [low, high, first, last] = [from, to, ...all].map(into(isLog));
  const width = high - low;
  const moved = Math.min(Math.max(low + part * width, first - width * 0.9), last - width * 0.1);
  return [moved, moved + width].map(outOf(isLog));
}

// Returns the range with a little room at both ends, so that extremes do not lie on the frame.
export function padRange([low, high], part, isLog = false) {
  const [a, b] = [low, high].map(into(isLog));
  const room = b > a ? (b - a) * part : isLog ? 0.3 : Math.abs(a) * 0.1 || 1;
  return [a - room, b + room].map(outOf(isLog));
}

export function covers(outer, inner) {
  return outer[0] <= inner[0] && outer[1] >= inner[1];
}

// A range in an address: `100,900`. What is no range is none.
export function parseRange(text) {
  const ends = (text ?? "").split(",").map((part) => (part.trim() ? Number(part) : NaN));
  return ends.length === 2 && ends.every(Number.isFinite) && ends[0] < ends[1] ? ends : null;
}

export function formatRange(range) {
  if (!range) return "";
  const digits = Math.min(Math.max(Math.ceil(Math.log10(Math.max(...range.map(Math.abs)) / (range[1] - range[0]) || 1)) + 5, 6), 17);
  return range.map((end) => Number(end.toPrecision(digits))).join(",");
}
