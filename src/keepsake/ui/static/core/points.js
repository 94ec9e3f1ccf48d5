// Points of a scatter plot, in parts of the picture (0 to 1, y upwards): where they are, which is near, which lie in a lasso. Pure.

const CELL_JITTER = 0.7; // of the width of a choice, over which its points are spread

// Returns {places, xs, ys} of the experiments that have a place on both axes. Points of a choice lie side by side: each is moved
// by an amount that follows from its id alone, so that it stays where it is.
export function makePoints(places, ids, valuesX, valuesY, scaleX, scaleY) {
  const kept = [];
  const [xs, ys] = [[], []];
  for (const place of places) {
    const [x, y] = [scaleX.toPart(valuesX[place]), scaleY.toPart(valuesY[place])];
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    kept.push(place);
    xs.push(x + jitterOf(scaleX, ids[place], 7));
    ys.push(y + jitterOf(scaleY, ids[place], 13));
  }
  return { places: kept, xs: Float64Array.from(xs), ys: Float64Array.from(ys) };
}

function jitterOf(scale, id, seed) {
  if (scale.kind !== "choice") return 0;
  let hash = seed;
  for (let at = 0; at < id.length; at++) hash = (Math.imul(hash, 31) + id.charCodeAt(at)) | 0;
  return ((((hash >>> 8) % 1000) / 1000 - 0.5) * CELL_JITTER) / scale.choices.length;
}

// Returns the index of the point nearest to a place, within `reach`; -1 when none is. Distances are in pixels of `size`.
export function nearestPoint({ xs, ys }, x, y, [width, height], reach) {
  let [found, closest] = [-1, reach * reach];
  for (let index = 0; index < xs.length; index++) {
    const [dx, dy] = [(xs[index] - x) * width, (ys[index] - y) * height];
    const distance = dx * dx + dy * dy;
    if (distance <= closest) [found, closest] = [index, distance];
  }
  return found;
}

// Returns the indices of the points inside a polygon [[x, y], …]: those from which a ray crosses its edge an odd number of times.
export function pointsWithin({ xs, ys }, polygon) {
  const found = [];
  for (let index = 0; index < xs.length; index++) if (isWithin(xs[index], ys[index], polygon)) found.push(index);
  return found;
}

function isWithin(x, y, polygon) {
  let isInside = false;
  for (let at = 0, before = polygon.length - 1; at < polygon.length; before = at++) {
    const [[ax, ay], [bx, by]] = [polygon[at], polygon[before]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) isInside = !isInside;
  }
  return isInside;
}

// Returns the next point in a direction, for the keyboard: the one that follows by x (`left`, `right`) or by y (`down`, `up`).
export function stepPoint({ xs, ys }, index, direction) {
  if (!xs.length) return -1;
  const along = direction === "left" || direction === "right" ? xs : ys;
  const order = [...along.keys()].sort((a, b) => along[a] - along[b] || a - b);
  const by = direction === "right" || direction === "up" ? 1 : -1;
  if (index < 0) return by > 0 ? order[0] : order[order.length - 1];
  return order[Math.min(Math.max(order.indexOf(index) + by, 0), order.length - 1)];
}

// Returns the median y of up to about `count` crowds in the order of x, as [{x, y}]: a trend that no outlier bends. Equal
// xs are never parted, so few distinct ones, as of a batch size, are a crowd each.
export function mediansOf({ xs, ys }, count = 12) {
  const order = [...xs.keys()].sort((a, b) => xs[a] - xs[b]);
  const distinct = new Set(xs).size;
  const size = distinct <= count && order.length >= 3 * distinct ? 1 : Math.max(order.length / count, 3);
  const crowds = [];
  for (const index of order) {
    const last = crowds.at(-1);
    if (last && (last.length < size || xs[last.at(-1)] === xs[index])) last.push(index);
    else crowds.push([index]);
  }
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  return crowds.map((members) => ({ x: median(members.map((index) => xs[index])), y: median(members.map((index) => ys[index])) }));
}
