// Views with a name: filter, order, columns, group and the like, kept in this browser for a repository. What is sent to others
// is the address, which says the same without the name.

import { keep, readKept } from "./kept.js";
import { compareNames } from "./values.js";

const PARTS = ["q", "sort", "cols", "group", "differ", "at"];
export const LONGEST_NAME = 60;
let last = ""; // the view that was looked at before something was changed

// Returns what is kept of a query; `cols` are the columns that are shown, which the query may not say.
export function viewOf(query, cols) {
  const differ = query.differ === "sel" ? "" : query.differ; // what is selected is no part of a view
  return Object.fromEntries(PARTS.map((name) => [name, { ...query, differ, cols }[name] ?? ""]));
}

// Returns a query that looks at things as a view does, or as nobody has said how (null).
export function withView(query, view) {
  return { ...query, open: "", ...Object.fromEntries(PARTS.map((name) => [name, view?.[name] ?? ""])) };
}

// Returns [{name, view}] in the order of names.
export function readViews(repository) {
  const kept = readKept("views", repository);
  const isView = (one) => typeof one?.name === "string" && typeof one.view === "object" && one.view !== null;
  return Array.isArray(kept) ? kept.filter(isView) : [];
}

// Returns whether the browser has kept them.
export function keepViews(repository, views) {
  try {
    keep("views", repository, [...views].sort((a, b) => compareNames(a.name, b.name)));
    return true;
  } catch {
    return false; // there is no room, or it keeps nothing
  }
}

export function isSame(a, b) {
  return PARTS.every((name) => (a[name] ?? "") === (b[name] ?? ""));
}

// Returns {name, isChanged}: the view that this is, or was before something was changed; the name is empty when it is none.
export function recogniseView(views, view) {
  const found = views.find((one) => one.name === last && isSame(one.view, view)) ?? views.find((one) => isSame(one.view, view));
  if (found) last = found.name;
  else if (!views.some(({ name }) => name === last)) last = "";
  return { name: last, isChanged: last !== "" && !found };
}

// From now on this view is looked at; none when the name is empty.
export function rememberView(name) {
  last = name;
}
