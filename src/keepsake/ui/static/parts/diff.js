// The changed lines of one file: one below the other or side by side, with the words that changed marked, and what is left
// out on demand.
//
// All lines have one height and are not wrapped, so that both sides stay level and the next change is found by counting.

import { html, useEffect, useMemo, useState } from "./ui.js";
import { getJson } from "../core/api.js";
import { changePlaces, fillGaps, hunkRows, splitRows, wordMarks } from "../core/difflines.js";
import { languageOf } from "../core/files.js";
import { markLine, plainLines } from "../core/tokens.js";
import { Blocks, ROW_PX } from "./blocks.js";
import { highlightLines, Pieces } from "./code.js";

const SIGNS = { added: "+", removed: "−", same: " ", note: " ", gap: " " };

// `change` is one of the answer of `diff`, with `text`; `newId` is where the new file can be read.
export function TextDiff({ change, newId, layout }) {
  const { path, text } = change;
  const isNotebook = (change.new ?? change.old)?.kind === "cells"; // of a notebook, which no file holds
  const [lines, setLines] = useState(null); // of the new file, once somebody asked for what is left out
  const [filled, setFilled] = useState(new Set());
  const [note, setNote] = useState("");
  const rows = useMemo(() => withoutLastGap(lines ? fillGaps(hunkRows(text.hunks), lines, filled) : hunkRows(text.hunks), change, lines), [text, lines, filled]);
  const marks = useMemo(() => wordMarks(rows), [rows]);
  const colored = useColors(rows, isNotebook ? "python" : languageOf(path));
  const pairs = useMemo(() => (layout === "split" ? splitRows(rows) : null), [rows, layout]);
  const places = useMemo(() => {
    const found = changePlaces(rows);
    return pairs ? found.map((place) => pairs.findIndex((pair) => pair.left === place || pair.right === place)) : found;
  }, [rows, pairs]);

  async function fill(row) {
    if (isNotebook) return setNote("The page of each experiment has its cells whole, under Code.");
    try {
      if (!lines) {
        const answer = await getJson(`preview/${newId}`, { path });
        if (typeof answer.text !== "string" || answer.is_cut) return setNote("This file is too long to show what is left out.");
        const all = answer.text.split(/\r?\n/);
        setLines(all.at(-1) === "" ? all.slice(0, -1) : all);
      }
      setFilled(new Set([...filled, row.newFrom]));
    } catch (error) {
      setNote(error.message);
    }
    return undefined;
  }
  const line = (index, side) => html`<${Line} key=${index} row=${index === null ? null : rows[index]} side=${side} fill=${fill}
    tokens=${index === null ? [] : markLine(colored[index] ?? plainLines(rows[index].text ?? "")[0], marks.get(index) ?? [])} />`;
  const half = (side) => html`<div class="code" tabindex="0" role="region" aria-label=${`${path}, ${side === "left" ? "before" : "after"}`}><div class="code-lines">
    <${Blocks} count=${pairs.length} render=${(index) => line(pairs[index][side], side)} /></div></div>`;
  return html`${note ? html`<p class="note">${note}</p>` : null}
    <div class=${`diff ${layout}`} data-places=${places.join(",")}>${pairs
      ? html`${half("left")}${half("right")}`
      : html`<div class="code" tabindex="0" role="region" aria-label=${`${path}, changed lines`}><div class="code-lines"><${Blocks} count=${rows.length} render=${(index) => line(index, "both")} /></div></div>`}</div>`;
}

function Line({ row, side, tokens, fill }) {
  if (row === null) return html`<div class="code-line empty"></div>`;
  if (row.kind === "gap") {
    const label = row.count === null ? "the rest" : `${row.count.toLocaleString("en")} line${row.count === 1 ? "" : "s"}`;
    return html`<div class="code-line gap">${side === "right" ? null : html`<button type="button" class="plain" onClick=${() => fill(row)}>↕ Show ${label}</button>`}</div>`;
  }
  const numbers = side === "both" ? [row.old, row.new] : [side === "left" ? row.old : row.new];
  const text = html`<code><${Pieces} tokens=${tokens} /></code>`;
  return html`<div class=${`code-line ${row.kind}`}>${numbers.map((number) => html`<span class="line-number" aria-hidden="true">${number ?? ""}</span>`)}
    <span class="sign">${SIGNS[row.kind]}</span>${row.kind === "added" ? html`<ins>${text}</ins>` : row.kind === "removed" ? html`<del>${text}</del>` : text}</div>`;
}

// Colours need both texts whole; of what is left out nobody knows, which may turn a string that began there inside out.
function useColors(rows, language) {
  const [found, setFound] = useState({ rows: null, tokens: [] });
  useEffect(() => {
    let isWanted = true;
    const sides = ["removed", "added"].map((kind) => [...rows.keys()].filter((index) => rows[index].kind === kind || rows[index].kind === "same"));
    Promise.all(sides.map((indices) => highlightLines(indices.map((index) => rows[index].text).join("\n"), language))).then((texts) => {
      if (!isWanted) return;
      const tokens = [];
      sides.forEach((indices, side) => indices.forEach((index, place) => (tokens[index] = texts[side][place])));
      setFound({ rows, tokens });
    }, () => {}); // without colours it is readable as well
    return () => (isWanted = false);
  }, [rows, language]);
  return found.rows === rows ? found.tokens : [];
}

// After the last hunk there is nothing to show when the file was added or removed, or when it is known to end there.
function withoutLastGap(rows, change, lines) {
  const last = rows.at(-1);
  if (last?.kind !== "gap" || last.count !== null) return rows;
  // Three unchanged lines stand below the last change, unless the file ends before.
  const isAtEnd = rows.slice(-4, -1).some((row) => row.kind !== "same");
  const isAll = change.change !== "changed" || isAtEnd || (lines && last.newFrom > lines.length);
  return isAll ? rows.slice(0, -1) : rows;
}

// Scrolls to the next change of all files on the page, or to the one before; says whether there was one.
export function goToChange(direction) {
  const middle = window.innerHeight / 3;
  const tops = [...document.querySelectorAll(".diff[data-places]")].flatMap((box) => {
    const top = box.getBoundingClientRect().top;
    return box.dataset.places.split(",").filter(Boolean).map((place) => top + Number(place) * ROW_PX - middle);
  });
  const wanted = direction > 0 ? tops.find((top) => top > 2) : tops.findLast((top) => top < -2);
  if (wanted === undefined) return false;
  window.scrollBy(0, wanted);
  return true;
}
