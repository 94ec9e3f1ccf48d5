// The mean of several curves, with the smallest and the largest between which they lie.
//
// Curves have their points at different x. Each is read off on one even grid, as a line between its points; where it has
// not begun, has ended or has a gap it does not count.

// Returns {xs, mean, low, high}, each of `count` values (NaN where no curve is).
export function bandOf(curves, from, to, count) {
  const xs = Float64Array.from({ length: count }, (_, index) => (count > 1 ? from + ((to - from) * index) / (count - 1) : from));
  const [mean, low, high, counted] = [new Float64Array(count), new Float64Array(count).fill(Infinity), new Float64Array(count).fill(-Infinity), new Float64Array(count)];
  const half = count > 1 ? (to - from) / (count - 1) / 2 : 0;
  for (const curve of curves) addCurve(curve, xs, half, mean, low, high, counted);
  for (let index = 0; index < count; index++) {
    if (counted[index]) mean[index] /= counted[index];
    else mean[index] = low[index] = high[index] = NaN;
  }
  return { xs, mean, low, high };
}

// Around each x of the grid, the points of a curve that lie nearer to it than to the next one are its extremes there; where
// there are none, the line between two points is read off.
function addCurve({ xs, ys }, grid, half, mean, low, high, counted) {
  let place = 0;
  for (let index = 0; index < grid.length; index++) {
    const at = grid[index];
    let [smallest, largest] = [Infinity, -Infinity];
    while (place < xs.length && xs[place] < at - half) place++;
    let next = place;
    for (; next < xs.length && xs[next] <= at + half; next++) {
      if (ys[next] < smallest) smallest = ys[next];
      if (ys[next] > largest) largest = ys[next];
    }
    if (smallest > largest) {
      const value = next === place ? between(xs, ys, place, at) : NaN;
      if (Number.isNaN(value)) continue;
      smallest = largest = value;
    }
    mean[index] += (smallest + largest) / 2;
    counted[index]++;
    if (smallest < low[index]) low[index] = smallest;
    if (largest > high[index]) high[index] = largest;
  }
}

function between(xs, ys, place, at) {
  if (place === 0 || place >= xs.length) return NaN;
  const part = (at - xs[place - 1]) / (xs[place] - xs[place - 1]);
  return ys[place - 1] + (ys[place] - ys[place - 1]) * part;
}
