// How a curve becomes a line of pixels, and which line is nearest to a pointer.
//
// Of the points that share a column of pixels only the first, smallest, largest and last are drawn: the picture is the
// same, and its cost depends on the width, not on the number of points.

import { lowerBound } from "./curves.js";

// Traces [first, stop) of a curve into a path. `toX` and `toY` give pixels (NaN: a gap). A point with gaps on both sides is a dot.
export function traceLine(path, { xs, ys }, [first, stop], toX, toY) {
  let column = NaN; // the pixel column that is being gathered; NaN: the pen is up
  let begun = 0; // its first, lowest, highest and last value, and how many there are
  let low = 0;
  let high = 0;
  let last = 0;
  let count = 0;
  let x = 0;
  let drawn = 0; // points since the pen went down, where it began and where it is
  let startX = 0;
  let atX = 0;
  let atY = 0;
  const put = (px, py) => {
    if (drawn === 0) {
      path.moveTo(px, py);
      startX = px;
    } else if (px !== atX || py !== atY) path.lineTo(px, py);
    else return;
    drawn++;
    atX = px;
    atY = py;
  };
  const flush = () => {
    if (count === 1) return put(x, begun);
    put(column, begun);
    // The one that is nearer to the end comes last, so that the line does not go there twice.
    const isHighFirst = last - low < high - last;
    put(column, isHighFirst ? high : low);
    put(column, isHighFirst ? low : high);
    return put(column, last);
  };
  const lift = () => {
    if (Number.isNaN(column)) return;
    flush();
    if (drawn === 1) path.rect(startX - 1, atY - 1, 2, 2);
    column = NaN;
    drawn = 0;
  };
  for (let place = first; place < stop; place++) {
    const py = toY(ys[place]);
    const px = toX(xs[place]);
    if (!Number.isFinite(py) || !Number.isFinite(px)) {
      lift();
      continue;
    }
    const at = Math.round(px);
    if (at === column) {
      if (py < low) low = py;
      if (py > high) high = py;
      last = py;
      count++;
    } else {
      if (!Number.isNaN(column)) flush();
      column = at;
      begun = low = high = last = py;
      count = 1;
      x = px;
    }
  }
  lift();
}

// Traces the area between two lines over the same xs, for bands.
export function traceBand(path, xs, low, high, toX, toY) {
  let start = 0;
  while (start < xs.length) {
    while (start < xs.length && Number.isNaN(low[start])) start++;
    let stop = start;
    while (stop < xs.length && !Number.isNaN(low[stop])) stop++;
    if (stop === start) return;
    path.moveTo(toX(xs[start]), toY(high[start]));
    for (let place = start + 1; place < stop; place++) path.lineTo(toX(xs[place]), toY(high[place]));
    for (let place = stop - 1; place >= start; place--) path.lineTo(toX(xs[place]), toY(low[place]));
    path.closePath();
    start = stop;
  }
}

// How far a curve is from a pointer, in pixels: vertically from the line at its x, but no further than from its nearest end.
export function distanceTo({ xs, ys }, x, px, py, toX, toY) {
  const above = lowerBound(xs, x);
  let nearest = Infinity;
  for (const place of [above - 1, above]) {
    if (place < 0 || place >= xs.length) continue;
    const [qx, qy] = [toX(xs[place]), toY(ys[place])];
    if (Number.isFinite(qy)) nearest = Math.min(nearest, Math.hypot(qx - px, qy - py));
  }
  if (above > 0 && above < xs.length) {
    const [ax, ay, bx, by] = [toX(xs[above - 1]), toY(ys[above - 1]), toX(xs[above]), toY(ys[above])];
    const line = bx > ax ? ay + ((by - ay) * (px - ax)) / (bx - ax) : by;
    if (Number.isFinite(line)) nearest = Math.min(nearest, Math.abs(line - py));
  }
  return nearest;
}
