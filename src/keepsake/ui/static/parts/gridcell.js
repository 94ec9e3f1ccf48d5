// One cell of a grid. What stands in it is null, a text, or {is, like, draw, write, watch}: `is` tells it from another. Cells
// with the same `like` begin as copies of what Preact makes of `draw()`, in whose last node `write(node)` then puts what
// is theirs.
// `watch(redraw)` has the cell filled again when more is known, until what it returns is called.

import { render } from "./ui.js";

const cellPatterns = new WeakMap(); // column -> {place, left, element}
const patterns = new Map(); // `like` -> a fragment

// `left` is where it stands in the row, in pixels, if it does not simply follow the one before.
export function makeCell(column, place, left) {
  let pattern = cellPatterns.get(column);
  if (pattern?.place !== place || pattern.left !== left) cellPatterns.set(column, (pattern = { place, left, element: makePattern(column, place, left) }));
  return { element: pattern.element.cloneNode(false), column, place, left, tabIndex: -1, is: null, like: null, leave: null };
}

function makePattern(column, place, left) {
  const element = document.createElement("div");
  element.className = `cell k-${column.kind}${column.isPinned ? " is-pinned" : left === null ? "" : " is-apart"}${column.fits ? " fits" : ""}`;
  const attributes = { role: "gridcell", "aria-colindex": place + 1, "data-column": column.key, tabindex: -1 };
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.style.width = `${column.width}px`;
  if (left !== null) element.style.left = `${left}px`;
  return element;
}

export function fillCell(cell, content, redraw) {
  const like = content?.like ?? null;
  const is = like === null ? content : content.is;
  if (is === cell.is && like === cell.like) return;
  leaveCell(cell);
  const { element } = cell;
  if (like !== null) {
    if (like !== cell.like) element.replaceChildren(copyOf(like, content.draw));
    content.write?.(element.lastChild);
    cell.leave = content.watch?.(redraw) ?? null;
  } else if (cell.like === null && content !== null && element.firstChild) element.firstChild.data = content;
  else element.textContent = content;
  Object.assign(cell, { is, like });
}

function copyOf(like, draw) {
  if (!patterns.has(like)) {
    const pattern = document.createDocumentFragment();
    render(draw(), pattern);
    patterns.set(like, pattern);
  }
  return patterns.get(like).cloneNode(true);
}

export function leaveCell(cell) {
  cell.leave?.();
  cell.leave = null;
}
