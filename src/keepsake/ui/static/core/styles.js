// Style sheets of the views that are not the first one, fetched with them.

import { isStatic, startAddress } from "./api.js";

const asked = new Map();

// Resolves when the style sheet is there; a page without it is still a page. A report has them all, and the server sends them
// with a page that begins with one of these views.
export function loadStyle(path) {
  if (!asked.has(path)) asked.set(path, startAddress !== undefined || document.querySelector(`link[href="/static/${path}"]`) ? Promise.resolve() : new Promise((resolve) => append(path, resolve)));
  return asked.get(path);
}

function append(path, resolve) {
  const link = document.createElement("link");
  Object.assign(link, { rel: "stylesheet", href: isStatic ? path : `/static/${path}`, onload: resolve, onerror: resolve });
  document.head.append(link);
}
