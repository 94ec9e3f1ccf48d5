// How charts are looked at, as it stands in the address: `x`, `log`, `smooth`, `range`, `m` and the rest.

const MOST_SHOWN = 500;
export const USUAL_SHOWN = 50;

// A list in an address: names with commas between; commas within names are escaped once more.
export function parseList(text) {
  return (text ?? "").split(",").filter(Boolean).map((part) => part.replace(/%2C/g, ",").replace(/%25/g, "%"));
}

export function formatList(names) {
  return names.map((name) => name.replace(/%/g, "%25").replace(/,/g, "%2C")).join(",");
}

// Returns the list with the name taken out, or put in at its end.
export function toggled(names, name) {
  return names.includes(name) ? names.filter((one) => one !== name) : [...names, name];
}

// Reads a query. `x` is step, time, wall or `metric:NAME`; `xKind` says how its numbers are written.
export function readSettings(query) {
  const x = /^(step|time|wall|metric:.+)$/.test(query.x ?? "") ? query.x : "step";
  const logs = parseList(query.log);
  const number = (text, low, high, usual) => (text && Number.isFinite(Number(text)) ? Math.min(Math.max(Number(text), low), high) : usual);
  return {
    x, xKind: x === "time" || x === "wall" ? x : "number",
    isLogX: logs.includes("x") && x !== "wall", isLogY: logs.includes("y"), turned: parseList(query.turned),
    weight: number(query.smooth, 0, 0.999, 0), isTrimmed: query.outliers === "0", isMean: query.mean === "1",
    count: Math.round(number(query.n, 1, MOST_SHOWN, USUAL_SHOWN)), across: Math.round(number(query.across, 1, 4, 0)),
    pins: parseList(query.pin), closed: parseList(query.closed), hidden: parseList(query.hide), chosen: parseList(query.m),
    find: query.find ?? "", full: query.full ?? "", tables: parseList(query.table),
  };
}

export function nameOfX(x) {
  return { step: "step", time: "time", wall: "wall clock" }[x] ?? x.slice("metric:".length);
}

// Which metrics there are charts of: those chosen (all when none is), of those whose name has all the words; the pinned first,
// then by the part before the first `/`. Returns [{title, metrics}]; metrics without such a part come first, under no title.
export function groupMetrics(metrics, { pins, chosen, find }) {
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = metrics.filter((name) => (!chosen.length || chosen.includes(name)) && words.every((word) => name.toLowerCase().includes(word)));
  const pinned = pins.filter((name) => shown.includes(name));
  const groups = new Map([["", []]]);
  for (const name of shown.filter((one) => !pinned.includes(one))) {
    const title = name.includes("/") ? name.slice(0, name.indexOf("/")) : "";
    groups.set(title, [...(groups.get(title) ?? []), name]);
  }
  const sections = [...groups].filter(([, names]) => names.length).map(([title, names]) => ({ key: title || "-", title: title || "metrics", metrics: names }));
  return pinned.length ? [{ key: "*", title: "pinned", metrics: pinned }, ...sections] : sections;
}
