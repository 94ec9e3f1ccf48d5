// Source text with line numbers and colours. The highlighter is fetched with the first text that needs it.
//
// Its tree of scopes becomes pieces of text (core/tokens.js); the HTML that it could make is never used.

import { html, useEffect, useRef, useState } from "./ui.js";
import { linesOfTree, plainLines, scopeClass } from "../core/tokens.js";
import { showUnseen } from "../core/values.js";
import { Blocks, ROW_PX } from "./blocks.js";

const MOST_LETTERS = 400_000; // longer texts stay plain: colouring them would hold up the page

const GRAMMARS = {
  python: async () => (await import("../vendor/highlight-python.js")).default,
  yaml: async () => (await import("../vendor/highlight-yaml.js")).default,
  json: async () => (await import("../vendor/highlight-json.js")).default,
  ini: async () => (await import("../vendor/highlight-ini.js")).default,
  markdown: async () => (await import("../vendor/highlight-markdown.js")).default,
  bash: async () => (await import("../vendor/highlight-bash.js")).default,
  diff: async () => (await import("../vendor/highlight-diff.js")).default,
};

// Returns the lines of a text as pieces with their scopes; plain ones when there is no grammar for it.
export async function highlightLines(text, language) {
  if (!GRAMMARS[language] || text.length > MOST_LETTERS) return plainLines(text);
  const highlighter = (await import("../vendor/highlight.js")).default;
  if (!highlighter.getLanguage(language)) highlighter.registerLanguage(language, await GRAMMARS[language]());
  const { _emitter: emitter } = highlighter.highlight(text, { language, ignoreIllegals: true });
  return linesOfTree(emitter.rootNode);
}

// Returns the lines at once without colours, and with them as soon as they are known.
export function useHighlighted(text, language) {
  const [found, setFound] = useState({ text: null, lines: null });
  useEffect(() => {
    let isWanted = true;
    highlightLines(text, language).then((lines) => isWanted && setFound({ text, lines }), () => {}); // plain text is no failure
    return () => (isWanted = false);
  }, [text, language]);
  return found.text === text ? found.lines : plainLines(text);
}

// What is not seen could make code look like other code, so it is shown as a sign.
export function Pieces({ tokens }) {
  return tokens.map(({ text: given, scope, isMarked }) => {
    const text = showUnseen(given);
    const name = `${scopeClass(scope)}${isMarked ? " marked" : ""}`;
    return name ? html`<span class=${name}>${text}</span>` : text;
  });
}

// `line` is marked and scrolled to; `lineAddress(number)` is the address of a line, where lines have one.
export function Code({ text, language = null, line = null, lineAddress = null, label = "Source" }) {
  const box = useRef(null);
  const trimmed = text.replace(/\r\n/g, "\n").replace(/\n$/, "");
  const lines = useHighlighted(trimmed, language);
  useEffect(() => {
    if (line) scrollToRow(box.current, line - 1);
  }, [line, text]);
  const digits = String(lines.length).length;
  return html`<div class="code" ref=${box} tabindex="0" role="region" aria-label=${label}><div class="code-lines" style=${{ "--digits": `${digits}ch` }}>
    <${Blocks} count=${lines.length} render=${(index) => html`<div class=${`code-line${line === index + 1 ? " chosen" : ""}`} key=${index}>
      ${lineAddress ? html`<a class="line-number" tabindex="-1" data-stay href=${lineAddress(index + 1)} aria-label=${`Line ${index + 1}`}>${index + 1}</a>` : html`<span class="line-number" aria-hidden="true">${index + 1}</span>`}
      <code><${Pieces} tokens=${lines[index]} /></code></div>`} />
  </div></div>`;
}

// Brings a row of lines into view, a little below the top.
export function scrollToRow(box, row) {
  const top = box.getBoundingClientRect().top + row * ROW_PX;
  if (box.scrollHeight > box.clientHeight + 1) box.scrollTop = (row - 3) * ROW_PX;
  else window.scrollBy(0, top - window.innerHeight / 3);
}
