// Curves as the server sends them, and what charts ask of them. Pure: nothing here draws or fetches.
//
// A curve is {id, xs, ys, points}: its points in the order of x, NaN in `ys` where there is a gap; `points` counts what there
// was before the server reduced it.

// Decodes the binary answer of `curves` (docs/ui-api.md). The arrays are views of the buffer: nothing is copied.
export function decodeCurves(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let at = Math.ceil((4 + length) / 8) * 8;
  const take = (count) => {
    const values = new Float64Array(buffer, at, count);
    at += count * 8;
    return values;
  };
  const curves = head.series.map(({ id, count, points }) => ({ id, xs: take(count), ys: take(count), points: points ?? count }));
  return { metric: head.metric, x: head.x, isCut: Boolean(head.cut), curves };
}

// Makes the same curve from an answer of `experiments/{id}/curves`, which is all that an export has. `created` is when the
// experiment began, in seconds since 1970.
export function curveFromFrozen(id, { metrics }, metric, x, created) {
  const sent = metrics[metric];
  if (!sent) return { id, xs: new Float64Array(0), ys: new Float64Array(0), points: 0 };
  const ys = sent.value.map(asNumber);
  const xs = frozenXs(sent, metrics, x, created);
  const order = [...xs.keys()].filter((index) => Number.isFinite(xs[index])).sort((a, b) => xs[a] - xs[b] || a - b);
  return { id, xs: Float64Array.from(order, (index) => xs[index]), ys: Float64Array.from(order, (index) => ys[index]), points: order.length };
}

function frozenXs(sent, metrics, x, created) {
  if (x === "time") return sent.time;
  if (x === "wall") return sent.time.map((time) => time + created);
  if (x.startsWith("metric:")) {
    const other = metrics[x.slice("metric:".length)];
    return other ? sent.time.map((time) => lastValue(other, time)) : sent.time.map(() => NaN);
  }
  return sent.step.some((step) => step === null) ? sent.step.map((_, index) => index) : sent.step;
}

function lastValue({ time, value }, at) {
  let found = NaN;
  for (let index = 0; index < time.length && time[index] <= at; index++) found = asNumber(value[index]);
  return found;
}

const asNumber = (value) => (typeof value === "number" ? value : NaN);

// Returns the first place in ascending values that is not below `x`.
export function lowerBound(values, x) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Returns [first, stop): the places between two x, and one on either side, since lines go on beyond the edge.
export function visiblePlaces(xs, from, to) {
  return [Math.max(lowerBound(xs, from) - 1, 0), Math.min(lowerBound(xs, to) + 1, xs.length)];
}

// Returns the place whose x is closest and that has a value; -1 when there is none.
export function nearestPlace({ xs, ys }, x) {
  const at = lowerBound(xs, x);
  let [below, above] = [at - 1, at];
  while (below >= 0 && Number.isNaN(ys[below])) below--;
  while (above < xs.length && Number.isNaN(ys[above])) above++;
  if (below < 0) return above < xs.length ? above : -1;
  return above < xs.length && xs[above] - x < x - xs[below] ? above : below;
}

// Returns [smallest, largest] x of all curves; null when there is no point. On a log axis only x above 0 count.
export function extentOfX(curves, isLog = false) {
  let [low, high] = [Infinity, -Infinity];
  for (const { xs } of curves) {
    if (!xs.length) continue;
    const first = isLog ? xs[Math.min(lowerBound(xs, Number.MIN_VALUE), xs.length - 1)] : xs[0];
    if (isLog && !(first > 0)) continue;
    low = Math.min(low, first);
    high = Math.max(high, xs[xs.length - 1]);
  }
  return low <= high ? [low, high] : null;
}

// Returns [smallest, largest] value between two x. `isLog` counts those above 0 only; `isTrimmed` leaves out the outer
// percent at either end, for curves with a few values far out.
export function extentOfY(curves, from, to, { isLog = false, isTrimmed = false } = {}) {
  let [low, high] = [Infinity, -Infinity];
  const kept = isTrimmed ? [] : null;
  for (const { xs, ys } of curves) {
    const stop = xs.length && to < xs[xs.length - 1] ? lowerBound(xs, to) + 1 : xs.length;
    for (let place = lowerBound(xs, from); place < stop; place++) {
      const value = ys[place];
      if (Number.isNaN(value) || xs[place] > to || (isLog && value <= 0)) continue;
      if (kept) kept.push(value);
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (kept?.length) {
    const sorted = Float64Array.from(kept).sort();
    [low, high] = [quantile(sorted, 0.01), quantile(sorted, 0.99)];
  }
  return low <= high ? [low, high] : null;
}

function quantile(sorted, part) {
  const at = part * (sorted.length - 1);
  const below = Math.floor(at);
  return sorted[below] + (sorted[Math.min(below + 1, sorted.length - 1)] - sorted[below]) * (at - below);
}

// Returns the first, last, smallest and largest value of a curve with their x, for summaries and tables; null without any.
export function describeCurve({ xs, ys }) {
  let [count, first, last, min, max] = [0, -1, -1, -1, -1];
  for (let place = 0; place < xs.length; place++) {
    const y = ys[place];
    if (Number.isNaN(y)) continue;
    count++;
    if (first < 0) first = min = max = place;
    last = place;
    if (y < ys[min]) min = place;
    if (y > ys[max]) max = place;
  }
  const point = (place) => ({ x: xs[place], y: ys[place] });
  return count ? { count, first: point(first), last: point(last), min: point(min), max: point(max) } : null;
}

// Returns curves as CSV. Texts are quoted; one that a spreadsheet would run as a formula is marked as text.
export function formatCsv(metric, x, curves, nameOf) {
  const quote = (text) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replace(/"/g, '""')}"`;
  const lines = [["id", "name", x, metric].map(quote).join(",")];
  for (const { id, xs, ys } of curves) {
    const start = `${quote(id)},${quote(nameOf(id))}`;
    for (let place = 0; place < xs.length; place++) lines.push(`${start},${xs[place]},${Number.isNaN(ys[place]) ? "" : ys[place]}`);
  }
  return `${lines.join("\r\n")}\r\n`;
}
