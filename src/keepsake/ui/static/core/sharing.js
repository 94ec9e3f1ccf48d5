// What is shown, to take along: as a call in Python, as a command, as CSV and as JSON.

import { parseSort } from "./sort.js";
import { toNumber } from "./values.js";

// The filter language writes the direction of a key behind it. It does not know the least and the greatest values.
export function sortText(sort) {
  return sort ? parseSort(sort).filter(({ name }) => !isOnlyHere(name)).map(({ name, isDescending }) => `${name}${isDescending ? "-desc" : ""}`).join(",") : "";
}

export const isOnlyHere = (name) => /^(min|max)\./.test(name);

export function pythonCall(filter, sort) {
  const keys = sortText(sort);
  const parts = [filter.trim() && `filter=${quotePython(filter.trim())}`, keys && `sort=${quotePython(keys)}`];
  return `keepsake.experiments.list(${parts.filter(Boolean).join(", ")})`;
}

export function shellCommand(filter, sort) {
  const keys = sortText(sort);
  const parts = [filter.trim() && `-f ${quoteShell(filter.trim())}`, keys && `-s ${quoteShell(keys)}`];
  return ["keepsake ls", ...parts.filter(Boolean)].join(" ");
}

function quotePython(text) {
  return `"${text.replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n").replace(/\r/g, "\\r")}"`;
}

function quoteShell(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;
}

// Rows of the columns that are shown, with the whole id and values as they are. `column.name` heads each.
export function toCsv(table, places, columns) {
  const rows = [["id", ...columns.map(({ name }) => name)], ...places.map((place) => [table.ids[place], ...columns.map(({ column }) => column.values[place])])];
  return `${rows.map((row) => row.map(csvField).join(",")).join("\r\n")}\r\n`;
}

// RFC 4180. A text that a spreadsheet would run as a formula gets an apostrophe before it, which it does not show.
function csvField(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  const isFormula = typeof value === "string" && /^[=+\-@\t\r]/.test(text) && toNumber(value) === null;
  const safe = isFormula ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

export function toJson(table, places, columns) {
  const rows = places.map((place) => ({ id: table.ids[place], ...Object.fromEntries(columns.map(({ name, column }) => [name, column.values[place]]).filter(([, value]) => value !== null)) }));
  return `${JSON.stringify(rows, null, 2)}\n`;
}

// Hands a text to the browser as a file.
export function saveText(name, text, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
