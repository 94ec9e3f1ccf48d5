// What a filter keeps, where that can be told without asking: comparisons of params and metrics with numbers, joined by `and`.
//
// The language is the server's. It is asked all the same, and what it says holds; this is what is seen until then. Pure.

const COMPARISON = /^\s*(\S+?)\s*(<=|>=|<|>)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*$/i;
const OF_NUMBERS = new Set(["params", "best.metrics", "latest.metrics"]); // elsewhere, a number may be a time or a version
const HOLDS = { "<": (value, bound) => value < bound, "<=": (value, bound) => value <= bound, ">": (value, bound) => value > bound, ">=": (value, bound) => value >= bound };

// Returns the places of a table that a filter keeps, null where only the server can tell.
export function keptAtOnce(table, text) {
  let places = table.ids.map((_, place) => place);
  for (const part of text.split(/\sand\s/i)) {
    const [, name, sign, bound] = part.match(COMPARISON) ?? [];
    const column = table.column(name);
    if (!column?.isNumber || !OF_NUMBERS.has(column.group)) return null;
    const { values } = column;
    places = places.filter((place) => values[place] !== null && HOLDS[sign](values[place], Number(bound)));
  }
  return places;
}
