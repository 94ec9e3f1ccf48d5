// Smoothing of curves: an exponential moving average without the bias of its start, as TensorBoard draws it.
//
// A point weighs less the further back it is, measured in x: a curve that the server has reduced, or whose points lie at
// uneven distances, is smoothed as its whole self would be. At even distances it is the plain average.

// Returns the smoothed values. `weight` (0 to 1) is what is kept from one point to the next; `spacing` is the usual distance of
// two points. `before` may be a coarser curve: what of it comes before the first x is averaged too, but not returned, so
// that a curve that was cut out for zooming does not begin anew.
export function smooth({ xs, ys }, weight, spacing, before = null) {
  const smoothed = new Float64Array(ys.length);
  const state = { sum: 0, mass: 0, x: NaN, step: NaN, kept: weight };
  if (before && xs.length) {
    for (let place = 0; place < before.xs.length && before.xs[place] < xs[0]; place++) advance(state, before.xs[place], before.ys[place], weight, spacing);
  }
  for (let place = 0; place < ys.length; place++) {
    smoothed[place] = Number.isNaN(ys[place]) ? NaN : advance(state, xs[place], ys[place], weight, spacing);
  }
  return smoothed;
}

// `mass` is the sum of the weights so far: dividing by it is what takes the bias away (Kingma and Ba 2015, section 3).
function advance(state, x, y, weight, spacing) {
  if (Number.isNaN(y)) return NaN;
  const step = Number.isNaN(state.x) || !(spacing > 0) ? spacing : x - state.x;
  if (step !== state.step) {
    state.step = step;
    state.kept = spacing > 0 ? weight ** (step / spacing) : weight; // a power costs more than all the rest
  }
  const { kept } = state;
  state.sum = state.sum * kept + y * (1 - kept);
  state.mass = state.mass * kept + (1 - kept);
  state.x = x;
  return state.mass > 0 ? state.sum / state.mass : y;
}

// The usual distance between two points of a curve, before it was reduced.
export function usualSpacing({ xs, points }) {
  return xs.length > 1 && points > 1 ? (xs[xs.length - 1] - xs[0]) / (points - 1) : 1;
}
