// What could come next in a filter: names of columns, operators, values. It proposes; only the server reads filters.
//
// The text before the caret is cut into words as the language has them. After `and`, `or`, `not`, `(` and at the beginning
// stands a name; after a name an operator; after an operator a value.

import { countValues } from "./groups.js";
import { isApart } from "./table.js";
import { formatValue } from "./values.js";

const MOST = 8;
const OPERATORS = ["=", "!=", "<", "<=", ">", ">=", "~"];
const WORD = /`[^`]*`?|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|!=|<=|>=|==|[=<>~(),]|[^\s=<>!~(),`"']+(?:`[^`]*`?)?/g;
const TEXT_OPERATORS = ["=", "!=", "~"];

// Returns {start, stop, items: [{text, detail}]}: `text` goes in the place of [start, stop).
export function complete(text, caret, table) {
  const before = text.slice(0, caret);
  const words = [...before.matchAll(WORD)].map((match) => ({ text: match[0], start: match.index }));
  const last = words.at(-1);
  const isOpen = last && last.start + last.text.length === caret && !/^([=<>!~(),]|!=|<=|>=|==)$/.test(last.text);
  const typed = isOpen ? last.text : "";
  const given = (isOpen ? words.slice(0, -1) : words).map((word) => word.text);
  return { start: isOpen ? last.start : caret, stop: caret, items: propose(given, typed, table).slice(0, MOST) };
}

function propose(given, typed, table) {
  const last = given.at(-1)?.toLowerCase();
  if (last === undefined || ["and", "or", "not"].includes(last)) return proposeNames(typed, table);
  if (last === "(") return given.at(-2)?.toLowerCase() === "in" ? proposeValues(nameBefore(given, 3), typed, table) : proposeNames(typed, table);
  if (last === ",") return proposeValues(listName(given), typed, table);
  if (OPERATORS.includes(last) || last === "==") return proposeValues(given.at(-2), typed, table);
  const column = findColumn(given.at(-1), table);
  if (column) return proposeOperators(column, typed);
  return OPERATORS.includes(given.at(-2)) ? matchWords(["and", "or"], typed) : [];
}

const nameBefore = (given, count) => given.at(-count - (given.at(-count)?.toLowerCase() === "not" ? 1 : 0));
const listName = (given) => nameBefore(given, given.length - given.lastIndexOf("(") + 2);

// A column by its whole name, or by its last part, as the language finds it.
export function findColumn(name, table) {
  if (name === undefined) return null;
  return table.column(name) ?? table.columns.find(({ key, group }) => key === name && group.startsWith("best")) ?? table.columns.find(({ key }) => key === name) ?? null;
}

// Those that begin with what was typed come first, then those in which a part does, then any with it inside.
function proposeNames(typed, table) {
  const wanted = typed.toLowerCase().replace(/`/g, "");
  const ranked = [];
  for (const column of table.columns) {
    if (column.group === "primary" || isApart(column)) continue;
    const [name, key] = [column.name.toLowerCase().replace(/`/g, ""), column.key.toLowerCase()];
    const rank = key.startsWith(wanted) || name.startsWith(wanted) ? 0 : key.split(/[./_\s-]/).some((part) => part.startsWith(wanted)) ? 1 : name.includes(wanted) ? 2 : 3;
    if (rank < 3 && column.name !== typed) ranked.push([rank, column]);
  }
  const isTaken = findColumn(typed, table) !== null && table.column(typed) !== undefined;
  return isTaken ? [] : ranked.sort((a, b) => a[0] - b[0]).map(([, column]) => ({ text: column.name, detail: describe(column) }));
}

function describe(column) {
  const { distinct, isNumber } = column;
  if (isNumber || distinct.size > 3) return isNumber ? "number" : "";
  return [...distinct].map((value) => formatValue(value).slice(0, 14)).join(", ");
}

function proposeOperators(column, typed) {
  if (typed && !/^(i|in|is|n|no|not)$/i.test(typed)) return [];
  const { isNumber, distinct } = column;
  const isText = !isNumber && ![...distinct].some((value) => typeof value === "number");
  const words = isText && column.key !== "created" ? [...TEXT_OPERATORS, "in (", "is null"] : ["<", "<=", "=", ">=", ">", "!=", "is null"];
  return matchWords(words, typed);
}

function matchWords(words, typed) {
  return words.filter((word) => word.startsWith(typed.toLowerCase()) && word !== typed).map((text) => ({ text, detail: "" }));
}

function proposeValues(name, typed, table) {
  const column = findColumn(name, table);
  if (!column) return [];
  if (column.key === "created") return matchWords(["1h ago", "1d ago", "7d ago", "30d ago"], typed);
  const { distinct } = column;
  if (distinct.size > 200) return [];
  const wanted = typed.replace(/^["']/, "").toLowerCase();
  const counts = countValues(flatten(column.values), [...flatten(column.values).keys()]);
  const found = counts.filter(({ value }) => formatValue(value).toLowerCase().startsWith(wanted) && formatLiteral(value) !== typed);
  return found.map(({ value, count }) => ({ text: formatLiteral(value), detail: String(count) }));
}

function flatten(values) {
  return values.some(Array.isArray) ? values.flat() : values;
}

// A value as the language reads it back.
export function formatLiteral(value) {
  if (typeof value !== "string") return typeof value === "object" ? JSON.stringify(value) : String(value);
  return /^[A-Za-z_][\w.:/@+-]*$/.test(value) && !/^(and|or|not|in|is|null|true|false|nan|inf|infinity)$/i.test(value) ? value : `"${value.replace(/[\\"]/g, "\\$&")}"`;
}

// Puts a proposal in its place; names and operators are followed by a space.
export function insertProposal(text, { start, stop }, proposal) {
  const after = text.slice(stop);
  const gap = after.startsWith(" ") || proposal.endsWith("(") ? "" : " ";
  const whole = text.slice(0, start) + proposal + gap + after;
  return { text: whole, caret: start + proposal.length + 1 - (proposal.endsWith("(") ? 1 : 0) };
}

// A filter that must hold as well; what is there already is put in parentheses where an `or` would take it apart.
export function addToFilter(text, condition) {
  const before = text.trim();
  if (!before) return condition;
  return `${/\bor\b/i.test(before) ? `(${before})` : before} and ${condition}`;
}
