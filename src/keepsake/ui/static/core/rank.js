// Rank correlation: how far two values rise together, whatever the shape of the relation. It says nothing about causes.

const ranked = new WeakMap(); // by the values: a metric is ranked once, whatever it is compared with

// Returns the ranks of numbers, from 1; equals share the mean of theirs.
export function rankValues(values) {
  if (!ranked.has(values)) ranked.set(values, makeRanks(values));
  return ranked.get(values);
}

function makeRanks(values) {
  const order = new Uint32Array(values.length).map((_, place) => place).sort((a, b) => values[a] - values[b]);
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let stop = start + 1;
    while (stop < order.length && values[order[stop]] === values[order[start]]) stop++;
    for (let place = start; place < stop; place++) ranks[order[place]] = (start + stop + 1) / 2;
    start = stop;
  }
  return ranks;
}

// Returns {rho, count}: Spearman's rank correlation over the pairs in which both are numbers (infinities have ranks too); rho is
// NaN for fewer than three pairs, or when one side is the same throughout.
export function spearman(xs, ys) {
  const kept = [...xs.keys()].filter((place) => !Number.isNaN(xs[place]) && !Number.isNaN(ys[place]));
  if (kept.length < 3) return { rho: NaN, count: kept.length };
  const pick = (values) => (kept.length === values.length ? values : kept.map((place) => values[place]));
  return { rho: pearson(rankValues(pick(xs)), rankValues(pick(ys))), count: kept.length };
}

function pearson(xs, ys) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(xs), mean(ys)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let place = 0; place < xs.length; place++) {
    const [dx, dy] = [xs[place] - mx, ys[place] - my];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : NaN;
}

// Returns how much of a number's ranks a choice between several texts explains, from 0 to 1: the square root of epsilon squared
// of Kruskal and Wallis (Kelley 1935), which does not grow by having many choices.
export function choiceStrength(choices, ys) {
  const kept = [...choices.keys()].filter((place) => choices[place] !== null && !Number.isNaN(ys[place]));
  const ranks = rankValues(kept.length === ys.length ? ys : kept.map((place) => ys[place]));
  const groups = new Map();
  kept.forEach((place, index) => {
    const group = groups.get(choices[place]) ?? { sum: 0, count: 0 };
    groups.set(choices[place], { sum: group.sum + ranks[index], count: group.count + 1 });
  });
  const [n, k] = [kept.length, groups.size];
  if (k < 2 || n <= k) return { rho: NaN, count: n };
  const mean = (n + 1) / 2;
  const total = ranks.reduce((sum, rank) => sum + (rank - mean) ** 2, 0);
  const between = [...groups.values()].reduce((sum, group) => sum + group.count * (group.sum / group.count - mean) ** 2, 0);
  if (!(total > 0)) return { rho: NaN, count: n };
  const explained = 1 - ((1 - between / total) * (n - 1)) / (n - k);
  return { rho: Math.sqrt(Math.max(explained, 0)), count: n };
}

// Returns the places that no other one beats in both values, in the order of x. `signs` are 1 where small is good, -1 where large is.
export function paretoFront(xs, ys, [signX, signY]) {
  const order = [...xs.keys()].filter((place) => Number.isFinite(xs[place]) && Number.isFinite(ys[place]));
  order.sort((a, b) => signX * (xs[a] - xs[b]) || signY * (ys[a] - ys[b]));
  const front = [];
  let best = Infinity;
  for (const place of order) {
    if (signY * ys[place] < best) {
      best = signY * ys[place];
      front.push(place);
    }
  }
  return front;
}
