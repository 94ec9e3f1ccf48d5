// Small parts that several views share: status, copy buttons, times, ids.

import { html, useState } from "./ui.js";
import { formatAge, formatTime } from "../core/values.js";

// A status is told by its shape and its word, never by its colour alone.
const SHAPES = {
  running: html`<path d="M3 1 11 6 3 11Z" />`,
  finished: html`<path d="M1 6.5 4.5 10 11 2.5" fill="none" stroke="currentColor" stroke-width="2" />`,
  failed: html`<path d="M2 2 10 10M10 2 2 10" stroke="currentColor" stroke-width="2" />`,
  interrupted: html`<path d="M3 2v8M9 2v8" stroke="currentColor" stroke-width="2.5" />`,
  lost: html`<path d="M6 1v6M6 9v2" stroke="currentColor" stroke-width="2" />`,
  stopped: html`<rect x="2" y="2" width="8" height="8" />`,
};

export function Status({ status }) {
  return html`<span class=${`status ${status}`}><svg width="12" height="12" viewBox="0 0 12 12" fill="currentColor" aria-hidden="true">${SHAPES[status] ?? SHAPES.stopped}</svg>${status}</span>`;
}

// Pictures for buttons that have a label of their own.
const ICONS = {
  table: html`<path d="M1.5 2.5h11v9h-11zM1.5 5.5h11M1.5 8.5h11M5.5 5.5v6" />`,
  pin: html`<path d="M5 1.5h4M5.5 1.5v4L3.5 8h7L8.5 5.5v-4M7 8v4.5" />`,
  download: html`<path d="M7 1.5v7M4 6l3 3 3-3M2 12h10" />`,
  grow: html`<path d="M8.5 1.5h4v4M12.5 1.5 8 6M5.5 12.5h-4v-4M1.5 12.5 6 8" />`,
  close: html`<path d="M2.5 2.5l9 9M11.5 2.5l-9 9" />`,
  left: html`<path d="M9 2.5 4.5 7 9 11.5" />`,
  right: html`<path d="M5 2.5 9.5 7 5 11.5" />`,
  flip: html`<path d="M4.5 12V2M2 4.5 4.5 2 7 4.5M9.5 2v10M7 9.5 9.5 12 12 9.5" />`,
};

export function Icon({ name }) {
  return html`<svg width="14" height="14" viewBox="0 0 14 14" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${ICONS[name]}</svg>`;
}

export function Age({ time }) {
  return html`<time datetime=${time} title=${formatTime(time, { seconds: true })}>${formatAge(time)}</time>`;
}

// Copies a text to the clipboard and says so. `text` may be a function, for what takes long to write.
export function Copy({ text, label = "Copy", title = null }) {
  const [said, say] = useState("");
  async function copy() {
    const content = typeof text === "function" ? text() : text;
    try {
      await navigator.clipboard.writeText(content);
      say("Copied");
    } catch {
      say(copyBySelection(content) ? "Copied" : "Not allowed");
    }
    setTimeout(() => say(""), 1500);
  }
  return html`<button type="button" onClick=${copy} title=${title ?? text}>${said || label}<span class="hidden-text" role="status">${said}</span></button>`;
}

// The clipboard API needs a secure context, which a page opened from a folder is not.
function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

// A command with a button that copies it; the page itself changes nothing.
export function Command({ text }) {
  return html`<span class="toolbar"><code class="snippet">${text}</code><${Copy} text=${text} /></span>`;
}
