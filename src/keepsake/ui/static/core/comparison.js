// What a comparison says, worked out from the answer of `diff` for tables of names and values. Pure.

import { formatBytes, formatValue, shortId, showUnseen, toNumber } from "./values.js";

export const NOT_SET = "(not set)";

// Splits `a...b...c` into what is compared: {id, choice} of `id@choice`; empty ones are dropped.
export function parseSides(text) {
  return (text ?? "").split(/\.{2,3}/).filter(Boolean).map((one) => {
    const [id, choice = ""] = one.split("@", 2);
    return { id, choice };
  });
}

export const formatSide = ({ id, choice }) => (choice ? `${id}@${choice}` : id);
export const formatSides = (sides) => sides.map(formatSide).join("...");

// Whether some side has something else than the first; NaN is sent as a text and equals itself.
export function differs(row) {
  const first = row.is_set[0] ? JSON.stringify(row.values[0]) : "";
  return row.values.some((value, side) => (row.is_set[side] ? JSON.stringify(value) : "") !== first);
}

export function cellText(row, side) {
  const value = row.values[side];
  if (!row.is_set[side]) return NOT_SET;
  if (typeof value === "number" && row.name.endsWith("_bytes")) return formatBytes(value);
  return value === null ? "None" : formatValue(value);
}

// Returns how a metric of one side stands to that of the first: {text, word, direction} or null when nothing can be said.
export function judge(row, side) {
  const difference = toNumber(row.differences?.[side] ?? null);
  const first = toNumber(row.values[0]);
  if (side === 0 || difference === null || !Number.isFinite(difference) || difference === 0) return null;
  const share = first ? ` (${signed((100 * difference) / Math.abs(first), 3)} %)` : "";
  const word = row.goal ? ((difference < 0) === (row.goal === "minimize") ? "better" : "worse") : "";
  return { text: `${signed(difference, 6)}${share}`, word, direction: difference < 0 ? "down" : "up" };
}

function signed(number, digits) {
  const text = formatValue(Number(number.toPrecision(digits)));
  return number > 0 ? `+${text}` : text.replace("-", "−");
}

// What a side is called in a heading of a table.
export function sideName(side) {
  return side.name ? `${showUnseen(side.name)} (${shortId(side.experiment_id)})` : shortId(side.experiment_id);
}

// How often each change is among some: `1 added, 2 changed`.
export function countChanges(changes, unchanged = 0) {
  const counts = ["added", "removed", "changed"].map((kind) => [changes.filter((one) => one.change === kind).length, kind]);
  return [...counts, [unchanged, "unchanged"]].filter(([count]) => count).map(([count, kind]) => `${count.toLocaleString("en")} ${kind}`).join(", ");
}

// Returns the files that are not the same on all sides: [{path, changes: [null, change of side 1, ...]}], by path.
export function changedFiles(files, count) {
  const byPath = new Map();
  for (const { side, changes } of files) {
    for (const change of changes) {
      if (!byPath.has(change.path)) byPath.set(change.path, { path: change.path, changes: new Array(count).fill(null) });
      byPath.get(change.path).changes[side] = change;
    }
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

// Returns the comparison as Markdown: tables of what differs and a list of files, to paste into a note.
export function toMarkdown(diff, sections) {
  const names = diff.sides.map(sideName);
  const parts = [`# ${names.map(escapeCell).join(" and ")}`];
  for (const [section, heading] of sections) {
    const rows = (diff[section] ?? []).filter(differs);
    if (!rows.length) continue;
    const lines = rows.map((row) => [row.name, ...row.values.map((_, side) => {
      const judged = section === "metrics" ? judge(row, side) : null;
      return `${cellText(row, side)}${judged ? ` ${judged.text}${judged.word ? `, ${judged.word}` : ""}` : ""}`;
    })]);
    parts.push(`## ${heading}`, markdownTable(["", ...names], lines));
  }
  const files = changedFiles(diff.files ?? [], diff.sides.length);
  if (files.length) parts.push("## Files", markdownTable(["", ...names], files.map((file) => [file.path, ...file.changes.map((change) => change?.change ?? "")])));
  return `${parts.join("\n\n")}\n`;
}

function markdownTable(head, rows) {
  const line = (cells) => `| ${cells.map(escapeCell).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

function escapeCell(text) {
  return String(text).replace(/[\\`*_[\]<>|]/g, "\\$&").replace(/\s+/g, " ");
}
