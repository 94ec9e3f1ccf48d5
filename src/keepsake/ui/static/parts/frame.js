// The frame around every view: where one is, the filter, how many match, whether it is up to date, theme and help.

import { html, useEffect, useLayoutEffect, useState, useStore } from "./ui.js";
import { isStatic, startAddress } from "../core/api.js";
import { current, go, linkTo, sharedAddress } from "../core/address.js";
import { bindKeys } from "../core/keys.js";
import { refresh } from "../core/live.js";
import { model } from "../core/model.js";
import { nextTheme, readTheme } from "../core/theme.js";
import { formatAge, formatCount } from "../core/values.js";
import { FilterBox } from "./filterbox.js";
import { Help } from "./help.js";

const TABS = [
  ["experiments", "Experiments", "e"],
  ["charts", "Charts", "c"],
  ["scatter", "Scatter", "s"],
  ["parallel", "Parallel", "p"],
  ["storage", "Storage", "d"],
].filter(([name]) => name !== "storage" || startAddress === undefined); // which says nothing of single experiments

export function Frame({ children }) {
  const view = useStore(current, (address) => address.view);
  const meta = useStore(model, (state) => state.meta);
  const selected = useStore(model, (state) => state.selected);
  const [theme, setTheme] = useState(readTheme());
  function turnTheme() {
    nextTheme();
    setTheme(readTheme());
  }
  useLayoutEffect(() => bindKeys("Everywhere", [
    ...TABS.map(([name, label, key]) => ({ keys: [`g ${key}`], label: `Go to ${label}`, run: () => go(sharedAddress(name)) })),
    { keys: ["t"], label: "Theme: system, light or dark", run: turnTheme },
    { keys: ["r"], label: "Refresh now", run: () => void refresh() },
  ]), []);
  useEffect(() => {
    document.title = `${meta ? `${meta.project} · ` : ""}Keepsake`;
  }, [meta]);
  return html`<a class="skip" href="#main" onClick=${focusMain}>Skip to content</a>
    <header class="topbar">
      <a class="brand" ...${linkTo(sharedAddress("experiments"))}><img src=${document.querySelector("link[rel=icon]").href} alt="" /><span class="cut">${meta?.project ?? "Keepsake"}</span></a>
      <nav aria-label="Views">${TABS.map(([name, label]) => html`<a ...${linkTo(sharedAddress(name))} aria-current=${view === name ? "page" : null}>${label}</a>`)}
        ${selected.length > 1 ? html`<a ...${linkTo(compareAddress(selected))} aria-current=${view === "compare" ? "page" : null}>Compare (${selected.length})</a>` : null}
      </nav>
      <${FilterBox} />
      <${Count} />
      <${Liveness} />
      <button type="button" class="icon plain" onClick=${turnTheme} title=${`Theme: ${theme} (t)`} aria-label=${`Theme: ${theme}`}>${{ system: "◐", light: "☀", dark: "☾" }[theme]}</button>
      <${Help} />
    </header>
    <${Unknown} />
    <main id="main" tabindex="-1">${children}</main>`;
}

export function compareAddress(ids) {
  return sharedAddress("compare", [ids.map((id) => id.slice(0, 8)).join("...")]);
}

function focusMain(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

function Count() {
  const [shown, all] = [useStore(model, (state) => state.matches?.length ?? "…"), useStore(model, (state) => state.table.size)];
  return html`<span class="count" role="status">${shown === all ? formatCount(all) : `${formatCount(shown)} of ${formatCount(all)}`}</span>`;
}

// Names in the filter under which no experiment has anything: likely a slip.
function Unknown() {
  const unknown = useStore(model, (state) => state.unknown);
  if (!unknown.length) return null;
  return html`<div class="banner" role="status">${unknown.map(({ name, near }) => html`<div>No experiment has <code>${name}</code>.${near.length ? html` Did you mean ${near.map((one, index) => html`${index ? " or " : ""}<code>${one}</code>`)}?` : null}</div>`)}</div>`;
}

function Liveness() {
  const { connection, error, updated, meta, isLive } = useStore(model);
  const [, redraw] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => redraw((count) => count + 1), 30_000);
    return () => clearInterval(timer);
  }, []);
  if (isStatic) return html`<span class="liveness" title=${`exported ${meta?.exported ?? ""}`}>exported</span>`;
  const age = updated ? formatAge(updated) : "never";
  const isPaused = !isLive && (connection === "live" || connection === "idle");
  const [kind, word, title] = isPaused ? ["", "paused", `Live is off; last asked ${age}`] : {
    loading: ["", "loading", "The first answer is on its way"],
    live: ["live", "live", `Something runs; asked every second, last ${age}`],
    idle: ["", "idle", `Nothing runs; last asked ${age}`],
    failed: ["failed", "no answer", `${error?.message ?? ""}; last heard ${age}`],
  }[connection];
  return html`<span class="liveness" title=${title}><span class=${`dot ${kind}`} aria-hidden="true"></span>${word}</span>`;
}
