// Addresses: the path says which thing, the query how it is looked at. Everything that is seen comes back on reload.
//
// The server has real paths (`/charts?m=loss`). An export has one page, and the same after a hash (`#/charts?m=loss`).

import { isStatic, startAddress } from "./api.js";
import { Store } from "./store.js";

// The views with their first path segment; the landing page has none.
const VIEWS = { "": "experiments", charts: "charts", scatter: "scatter", parallel: "parallel", e: "experiment", compare: "compare", storage: "storage", about: "about" };
const SHARED = ["q", "sort", "cols", "group", "differ", "sel"]; // go along from view to view, in this order

// Returns {view, parts, query, hash}: `parts` are the decoded path segments after the first, `query` a plain object.
export function parseAddress(text) {
  const url = new URL(text, "http://page");
  const [first = "", ...parts] = url.pathname.split("/").filter(Boolean).map(decode);
  const view = VIEWS[first] ?? "missing";
  return { view, parts, query: Object.fromEntries(url.searchParams), hash: url.hash.slice(1) };
}

// Returns the text of an address; empty query values are left out, and the shared ones stand first.
export function formatAddress({ view, parts = [], query = {}, hash = "" }) {
  const first = Object.keys(VIEWS).find((name) => VIEWS[name] === view) ?? "";
  const path = [first, ...parts.map(encodePart)].filter(Boolean).join("/");
  return `/${path}${searchOf(query)}${hash ? `#${hash}` : ""}`;
}

const searches = new WeakMap(); // by the query: many links have the same one

function searchOf(query) {
  if (!searches.has(query)) {
    const names = [...SHARED.filter((name) => name in query), ...Object.keys(query).filter((name) => !SHARED.includes(name))];
    const given = names.filter((name) => query[name] !== "" && query[name] !== null && query[name] !== undefined);
    searches.set(query, given.length ? `?${given.map((name) => `${encodeQuery(name)}=${encodeQuery(String(query[name]))}`).join("&")}` : "");
  }
  return searches.get(query);
}

// What a link's href is.
export function href(address) {
  const text = formatAddress(address);
  return isStatic ? `#${text}` : text;
}

// The address of another view, with what all views share.
export function sharedAddress(view, parts = [], query = null) {
  const here = current.get().query;
  if (shared.here !== here) shared = { here, query: Object.fromEntries(SHARED.filter((name) => here[name]).map((name) => [name, here[name]])) };
  return { view, parts, query: query ? { ...shared.query, ...query } : shared.query };
}

let shared = {}; // of the query that was last asked for

// The attributes of a link to such an address. What all views share may change after it was drawn: the link follows.
export function linkTo(address) {
  return { href: href(address), "data-shared": "" };
}

function renewLinks() {
  for (const link of document.querySelectorAll("a[data-shared]")) {
    const { view, parts, query, hash } = parseAddress(link.getAttribute("href").replace(/^#/, ""));
    const own = Object.fromEntries(Object.entries(query).filter(([name]) => !SHARED.includes(name)));
    link.href = href({ ...sharedAddress(view, parts, Object.keys(own).length ? own : null), hash });
  }
}

function read() {
  return parseAddress(isStatic ? location.hash.slice(1) || startAddress || "/" : location.pathname + location.search + location.hash);
}

// The address that is shown. Read it with `get()`; change it with `go`, `replace` or `setQuery`.
export const current = new Store(read());

let { query: before } = current.get();
current.subscribe(({ query }) => {
  if (SHARED.some((name) => query[name] !== before[name])) queueMicrotask(renewLinks); // whoever asks the server for it comes first
  before = query;
});

// `keepScroll` is for what looks at another part of the same page.
export function go(address, { keepScroll = false } = {}) {
  push(href(address));
  current.set(read());
  if (!keepScroll) window.scrollTo(0, 0);
}

// Who hears of an address asks the server, and the browser takes longer to note one down than a server to answer: so it is
// told last. `isQuick` is for what changes at every key, or is waited for: the browser is told when nothing has changed for a
// moment, or somebody leaves.
export function replace(address, { isQuick = false } = {}) {
  current.set(parseAddress(formatAddress(address)));
  forget();
  if (isQuick) noting = setTimeout(note, NOTED_MS);
  else note();
}

const NOTED_MS = 150;
let noting = 0; // the timer while the browser has to be told

function note() {
  forget();
  history.replaceState(null, "", href(current.get()));
}

function noteAtLast() {
  if (noting) note();
}

function forget() {
  clearTimeout(noting);
  noting = 0;
}

function push(text) {
  noteAtLast();
  history.pushState(null, "", text);
}

window.addEventListener("pagehide", noteAtLast);
document.addEventListener("visibilitychange", noteAtLast);

// Changes some values of the query in place: looking differently at the same thing is no new page.
export function setQuery(changes, options) {
  const { view, parts, query, hash } = current.get();
  replace({ view, parts, query: { ...query, ...changes }, hash }, options);
}

function follow() {
  forget();
  current.set(read());
}

window.addEventListener("popstate", follow);
window.addEventListener("hashchange", follow);

// Plain left clicks on links of the page change the address without loading it again; with `data-stay` it stays where it
// was scrolled to.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || link.target || link.hasAttribute("download") || event.defaultPrevented) return;
  if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.origin !== location.origin) return;
  if (isStatic || link.pathname.startsWith("/api/") || link.pathname.startsWith("/static/")) return;
  if (link.getAttribute("href").startsWith("#")) return;
  event.preventDefault();
  push(link.href);
  current.set(read());
  if (!("stay" in link.dataset)) window.scrollTo(0, 0);
});

function decode(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

// As encodeURIComponent, but `a@best` stays readable.
function encodePart(text) {
  return encodeURIComponent(text).replace(/%40/g, "@");
}

// As encodeURIComponent, but what filters are made of stays readable.
function encodeQuery(text) {
  return encodeURIComponent(text).replace(/%20/g, "+").replace(/%2C/g, ",").replace(/%2F/g, "/").replace(/%3A/g, ":").replace(/%3C/g, "<").replace(/%3E/g, ">").replace(/%3D/g, "=");
}
