// The experiments of the repository as columns, as the server sends them, and what changes about them.

import { compareValues, isMissing, sortPlaces, toNumber } from "./values.js";

const PREFIX = 8; // digits of an id in an address
const MOST_DISTINCT = 256; // nobody looks at more, and a set of ten thousand takes its time

// What the table does not come with and a filter does not know: the least and the greatest values, which are asked for apart.
export const isApart = ({ group }) => group === "min.metrics" || group === "max.metrics";

export class Column {
  #values;

  // `values` may be a function that returns them, which is called when somebody looks: at most columns nobody ever does.
  constructor({ name, group, key }, values, facts = {}) {
    Object.assign(this, { name, group, key, facts }); // facts are worked out when they are asked for
    this.#values = values;
    this.order = null;
  }

  static fromSent(sent) {
    const { values, codes, is_number: isNumber } = sent;
    if (!codes) return new Column(sent, values, { isNumber });
    // Sent as the distinct values and which of them each is: so they are known already.
    const facts = { isNumber, differs: values.length > 1 || codes.includes(-1) };
    if (values.length < MOST_DISTINCT) facts.distinct = findDistinct(values);
    return new Column(sent, () => decodeValues(sent), facts);
  }

  get values() {
    if (typeof this.#values === "function") this.#values = this.#values();
    return this.#values;
  }

  // Whether all its values are numbers (as sent: NaN and infinities are texts).
  get isNumber() {
    return (this.facts.isNumber ??= areNumbers(this.values));
  }

  // Whether not all experiments have the same.
  get differs() {
    return (this.facts.differs ??= doDiffer(this.values));
  }

  // Which values there are, as a set; what is no text, number or truth value as JSON. Of many, the first 256.
  get distinct() {
    return (this.facts.distinct ??= findDistinct(this.values));
  }

  // The rank of each value when they are ordered; equal ones share it, and what is missing has -1. Ordering ranks takes a
  // tenth of the time that ordering values does, and columns are ordered again and again.
  ranks() {
    this.order ??= this.isNumber ? rankNumbers(this.values) : rankValues(this.values);
    return this.order;
  }
}

// A table is never changed: `withChanges` returns another one, which shares what did not change.
export class Table {
  constructor(cursor, ids, columns) {
    Object.assign(this, { cursor, ids, columns });
    this.size = ids.length;
    this.byName = new Map(columns.map((column) => [column.name, column]));
    this.placesById = null;
    this.prefixes = null;
  }

  static empty() {
    return new Table("", [], []);
  }

  static fromAnswer({ cursor, ids, columns }) {
    return new Table(cursor, ids, columns.map(Column.fromSent));
  }

  // Returns the table with more columns, of the same experiments.
  withColumns(columns) {
    return new Table(this.cursor, this.ids, [...this.columns, ...columns.map(Column.fromSent)]);
  }

  // The place of each id; most tables are drawn without being asked for it.
  get places() {
    return (this.placesById ??= new Map(this.ids.map((id, place) => [id, place])));
  }

  column(name) {
    return this.byName.get(name);
  }

  // The column of a group by its key: names are as the filter language writes them, which differs from group to group.
  columnOf(group, key) {
    this.byKey ??= new Map(this.columns.map((column) => [`${column.group} ${column.key}`, column]));
    return this.byKey.get(`${group} ${key}`);
  }

  valueOf(place, group, key) {
    return this.columnOf(group, key)?.values[place] ?? null;
  }

  value(place, name) {
    return this.byName.get(name)?.values[place] ?? null;
  }

  // Returns the table with what was asked for apart from it: columns of some of the experiments.
  withApart({ ids, columns }) {
    const places = ids.map((id) => this.places.get(id) ?? -1);
    const fill = (column, values, sent) => {
      places.forEach((place, row) => place >= 0 && (values[place] = sent[row]));
      return new Column(column, values);
    };
    const sent = new Map(columns.map((column) => [column.name, column]));
    const known = this.columns.map((column) => (sent.has(column.name) ? fill(column, [...column.values], sent.get(column.name).values) : column));
    const added = columns.filter(({ name }) => !this.byName.has(name)).map((column) => fill(column, new Array(this.size).fill(null), column.values));
    return new Table(this.cursor, this.ids, [...known, ...added]);
  }

  // Returns the place of the experiment with this id, of which one may be the beginning of the other; -1 if there is none.
  find(id) {
    const place = this.places.get(id);
    if (place !== undefined) return place;
    if (id.length === PREFIX) return this.#findPrefix(id);
    return this.ids.findIndex((known) => known.startsWith(id) || id.startsWith(known));
  }

  #findPrefix(id) {
    this.prefixes ??= new Map(this.ids.map((known, place) => [known.slice(0, PREFIX), place]).reverse());
    return this.prefixes.get(id) ?? -1;
  }

  // Returns the table after an answer of `changes`; places stay, but for what was removed.
  withChanges({ cursor, ids, columns, removed }) {
    const gone = new Set(removed);
    const kept = gone.size ? [...this.ids.keys()].filter((place) => !gone.has(this.ids[place])) : null;
    const newIds = kept ? kept.map((place) => this.ids[place]) : [...this.ids];
    const known = new Map(newIds.map((id, place) => [id, place]));
    for (const id of ids) {
      if (!known.has(id)) {
        known.set(id, newIds.length);
        newIds.push(id);
      }
    }
    const changed = ids.map((id) => known.get(id));
    const sent = new Map(columns.map((column) => [column.name, column]));
    const after = this.columns.map((column) => {
      const copy = new Column(column, kept ? kept.map((place) => column.values[place]) : [...column.values]);
      while (copy.values.length < newIds.length) copy.values.push(null);
      if (!isApart(column)) for (const place of changed) copy.values[place] = null;
      if (sent.has(column.name)) filled(copy, sent.get(column.name), changed);
      const isSame = !kept && newIds.length === this.size && changed.every((place) => Object.is(copy.values[place], column.values[place]));
      return isSame ? column : copy; // with all that was worked out about it
    });
    for (const column of columns) {
      if (!this.byName.has(column.name)) after.push(filled(new Column(column, new Array(newIds.length).fill(null)), column, changed));
    }
    return new Table(cursor, newIds, after);
  }
}

function decodeValues({ values, codes }) {
  return codes.map((code) => (code < 0 ? null : values[code]));
}

function filled(column, sent, places) {
  const values = sent.codes ? decodeValues(sent) : sent.values;
  places.forEach((place, row) => (column.values[place] = values[row]));
  return column;
}

function areNumbers(values) {
  let present = 0;
  for (const value of values) {
    if (value === null) continue;
    if (typeof value !== "number" && toNumber(value) === null) return false;
    present++;
  }
  return present > 0;
}

// A value as one that is the same when they are equal: lists and the like are otherwise each their own.
export const asKey = (value) => (value !== null && typeof value === "object" ? JSON.stringify(value) : value);

function doDiffer(values) {
  const first = asKey(values[0]);
  return values.some((value) => asKey(value) !== first);
}

function findDistinct(values) {
  const distinct = new Set();
  for (let at = 0; at < values.length && distinct.size < MOST_DISTINCT; at++) {
    if (values[at] !== null) distinct.add(asKey(values[at]));
  }
  return distinct;
}

// As below, for numbers: comparing them as what they are takes a quarter of the time.
function rankNumbers(values) {
  const numbers = Float64Array.from(values, (value) => (value === null ? NaN : toNumber(value)));
  const places = Int32Array.from(numbers.keys()).filter((place) => !Number.isNaN(numbers[place]));
  places.sort((a, b) => numbers[a] - numbers[b] || a - b);
  const ranks = new Int32Array(values.length).fill(-1);
  let rank = 0;
  places.forEach((place, at) => {
    if (at > 0 && numbers[places[at - 1]] !== numbers[place]) rank++;
    ranks[place] = rank;
  });
  return ranks;
}

function rankValues(values) {
  const ranks = new Int32Array(values.length).fill(-1);
  let rank = 0;
  // Texts that are in order already, as times of creation are, need not be sorted.
  if (values.every((value, place) => typeof value === "string" && !isMissing(value) && (place === 0 || values[place - 1] <= value))) {
    for (let place = 0; place < values.length; place++) ranks[place] = place > 0 && values[place - 1] !== values[place] ? ++rank : rank;
    return ranks;
  }
  const sorted = sortPlaces([...values.keys()], values, false);
  for (let at = 0; at < sorted.length && !isMissing(values[sorted[at]]); at++) {
    if (at > 0 && compareValues(values[sorted[at - 1]], values[sorted[at]]) !== 0) rank++;
    ranks[sorted[at]] = rank;
  }
  return ranks;
}
