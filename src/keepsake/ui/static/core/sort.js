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
  const known = keys.filter(({ name }) => table.column(name)).map(({ name, isDescending }) => [table.column(name).ranks(), isDescending]);
  if (!known.length) return [...places];
  return [...places].sort((a, b) => {
    for (const [ranks, isDescending] of known) {
      const [x, y] = [ranks[a], ranks[b]];
      if (x === y) continue;
      if (x < 0 || y < 0) return x < 0 ? 1 : -1;
      return isDescending ? y - x : x - y;
    }
    return 0;
  });
}
