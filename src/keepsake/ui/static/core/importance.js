// How strongly each param goes along with a metric: rank correlation, which sees any rising or falling relation, and no cause.

import { differingParams, numbersOf } from "./choices.js";
import { choiceStrength, spearman } from "./rank.js";
import { isMissing } from "./values.js";

let last = {}; // what was asked last, since several parts of a page ask for the same

// Returns [{column, rho, count, isChoice}], the strongest first. Of params that are texts, the strength has no sign; what cannot be
// told has none (NaN) and comes last.
export function rankParams(table, places, metric) {
  if (last.table !== table || last.places !== places || last.metric !== metric) last = { table, places, metric, found: makeRanking(table, places, metric) };
  return last.found;
}

function makeRanking(table, places, metric) {
  const ys = numbersOf(metric, places);
  if (!ys) return [];
  const found = differingParams(table, places).map((column) => {
    const xs = numbersOf(column, places);
    if (xs) return { column, ...spearman(xs, ys), isChoice: false };
    const choices = places.map((place) => (isMissing(column.values[place]) ? null : JSON.stringify(column.values[place])));
    return { column, ...choiceStrength(choices, ys), isChoice: true };
  });
  const strength = ({ rho }) => (Number.isNaN(rho) ? -1 : Math.abs(rho));
  return found.sort((a, b) => strength(b) - strength(a));
}
