// Sort keys as the address has them (`sort=-best.accuracy,lr`), and places in their order.
//
// The filter language writes `best.accuracy-desc, lr`; an address puts the minus in front, where no name can have one.

const BY_AGE = "-created"; // the newest first, when nothing else was asked for

// Returns [{name, isDescending}]; commas inside backticks belong to the name.
export function parseSort(text) {
  const keys = (text || BY_AGE).match(/(?:`[^`]*`|[^,`])+/g) ?? [];
  return keys.map((key) => ({ name: key.replace(/^-/, ""), isDescending: key.startsWith("-") }));
}

// The text of an address; empty when it is the order that there is without one.
export function formatSort(keys) {
  const text = keys.map(({ name, isDescending }) => `${isDescending ? "-" : ""}${name}`).join(",");
  return text === BY_AGE ? "" : text;
}

// The keys after a click on a header. A column is first sorted with its better end on top, then the other way round, then no
// longer. `isAdded` keeps the keys of other columns before it.
export function turnSort(keys, name, { isAdded = false, isDescendingFirst = false } = {}) {
  const place = keys.findIndex((key) => key.name === name);
  const before = keys[place];
  const next = !before || (!isAdded && keys.length > 1) ? [{ name, isDescending: isDescendingFirst }] : before.isDescending === isDescendingFirst ? [{ name, isDescending: !isDescendingFirst }] : [];
  if (!isAdded) return next;
  return place < 0 ? [...keys, ...next] : keys.flatMap((key, index) => (index === place ? next : [key]));
}

// Returns the places of a table in the order of the keys; what has no value comes last both ways, equals keep their order.
export function sortTable(table, places, keys) {
  const known = keys.filter(({ name }) => table.column(name));
  // By the last key first: sorting by the others keeps its order among equals.
  return known.reduceRight((sorted, { name, isDescending }) => sortByRank(sorted, table.column(name).ranks(), isDescending), [...places]);
}

// Sorts by counting (Knuth, The Art of Computer Programming 3, 5.2), since ranks are small whole numbers.
function sortByRank(places, ranks, isDescending) {
  const size = ranks.length + 1;
  const keys = new Int32Array(places.length);
  const starts = new Int32Array(size + 1);
  for (let at = 0; at < keys.length; at++) {
    const rank = ranks[places[at]];
    keys[at] = rank < 0 ? size - 1 : isDescending ? size - 2 - rank : rank;
    starts[keys[at] + 1]++;
  }
  for (let key = 0; key < size; key++) starts[key + 1] += starts[key];
  const sorted = new Array(places.length);
  for (let at = 0; at < keys.length; at++) sorted[starts[keys[at]]++] = places[at];
  return sorted;
}
