// A table of any length and width, of which only what is in view is drawn. It is a grid to a screen reader: rows and columns
// are counted, and it is one tab stop, inside which the arrows move the focus from cell to cell.
//
// `place` is an object of the caller, in which scroll and focus outlive the grid: {top, left, row, column}, the latter two as
// keys, so that they stay with their row when others come and go. `view` tells what the reader asked for: when it changes,
// the table begins at the top; when only the rows do, what is in view stays where it is.

import { h, html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./ui.js";
import { idle } from "../core/idle.js";
import { bindKeys } from "../core/keys.js";
import { columnOffsets, columnWindow, rowsInView, rowWindow, scrollFor } from "../core/window.js";
import { GridHead } from "./gridhead.js";
import { GridRow } from "./gridrow.js";

export const HEAD = "head"; // the row of the header, as a key
const HEAD_PX = 42;
const ABOVE_PX = 88; // of the window at least are not the table's; how many says the table once it is drawn

export function Grid(props) {
  const { label, columns, rows, keyOf, version, view, place, row_px, selected, actions, drawCell, drawGroup, drawCorner, noteFocus } = props;
  const scroller = useRef(null);
  const latest = useRef(null);
  const wantsFocus = useRef(false);
  const hadFocus = useRef(false);
  const drawnRows = useRef([]);
  const isDrawing = useRef(false);
  isDrawing.current = true; // an element that is taken away while it has the focus says so, as if somebody had left
  const [, redraw] = useState(0);
  const { offsets, total } = useMemo(() => columnOffsets(columns), [columns]);
  const pinned = columns.filter((column) => column.isPinned).length;
  const size = scroller.current ? { height: scroller.current.clientHeight, width: scroller.current.clientWidth } : { height: innerHeight - ABOVE_PX, width: innerWidth };
  const [first, stop] = rowWindow(place.top, size.height - HEAD_PX, row_px, rows.length);
  const [inView, outOfView] = rowsInView(place.top, size.height - HEAD_PX, row_px, rows.length);
  const isPainted = usePainted([rows, columns, version, drawCell]);
  const [firstColumn, stopColumn] = columnWindow(columns, offsets, pinned, place.left, size.width);
  const indexOfFocus = useMemo(() => (place.row === null || place.row === HEAD ? -1 : rows.findIndex((row) => keyOf(row) === place.row)), [rows, place.row]);
  const isInHead = place.row === HEAD;
  // Where nothing has had the focus yet, or what had it is gone, the tab key comes to the first row in view.
  const tabStop = isInHead ? -1 : indexOfFocus >= 0 ? indexOfFocus : Math.min(Math.ceil(place.top / row_px), rows.length - 1);
  const focusColumn = columns.some((column) => column.key === place.column) ? place.column : columns[Math.min(1, columns.length - 1)].key;
  const isEmptyStop = !isInHead && tabStop < 0;
  latest.current = { ...props, offsets, pinned, tabStop, focusColumn, isInHead, size };

  // What is drawn depends on the scroll, which is the browser's; the page follows.
  const drawn = [first, stop, firstColumn, stopColumn].join();
  const lastDrawn = useRef(drawn);
  lastDrawn.current = drawn;
  function onScroll() {
    const { scrollTop, scrollLeft, clientHeight, clientWidth } = scroller.current;
    Object.assign(place, { top: scrollTop, left: scrollLeft });
    scroller.current.classList.toggle("is-aside", scrollLeft > 0);
    const { columns: shown, offsets: lefts, pinned: count, rows: all } = latest.current;
    const now = [...rowWindow(scrollTop, clientHeight - HEAD_PX, row_px, all.length), ...columnWindow(shown, lefts, count, scrollLeft, clientWidth)].join();
    if (now !== lastDrawn.current) redraw((times) => times + 1);
  }

  useLayoutEffect(() => {
    if (place.top || place.left) scroller.current.scrollTo(place.left, place.top); // asking for it is a layout more
    const observer = new ResizeObserver(() => redraw((times) => times + 1));
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, []);
  useAnchor({ scroller, rows, view, place, row_px, keyOf, latest });
  // The focus follows its cell, which another element may stand for after drawing, or none while it was out of view.
  useLayoutEffect(() => {
    isDrawing.current = false;
    const now = document.activeElement;
    const isMisplaced = hadFocus.current && (now === document.body || (now.dataset.column !== undefined && now.tabIndex < 0));
    if (!wantsFocus.current && !isMisplaced) return;
    wantsFocus.current = false;
    scroller.current.querySelector('[tabindex="0"]')?.focus({ preventScroll: true });
  });

  function focusCell(row, column) {
    Object.assign(place, { row, column });
    wantsFocus.current = true;
    bringIntoView(scroller.current, latest.current, row, column);
    // The event that tells of it comes later, and what is drawn now should be what is seen then.
    Object.assign(place, { top: scroller.current.scrollTop, left: scroller.current.scrollLeft });
    noteFocus(row);
    redraw((times) => times + 1);
  }
  useLayoutEffect(() => bindKeys("Table", gridKeys(scroller, latest, focusCell)), []);

  function onFocusIn(event) {
    hadFocus.current = true;
    const cell = event.target.closest("[data-column]");
    if (!cell) return;
    const row = cell.closest("[role=row]");
    const key = row.dataset.index === undefined ? HEAD : keyOf(rows[row.dataset.index]);
    if (key === place.row && cell.dataset.column === place.column) return;
    Object.assign(place, { row: key, column: cell.dataset.column });
    noteFocus(key);
    redraw((times) => times + 1);
  }
  function onClick(event) {
    const cell = event.target.closest("[role=gridcell]");
    if (!cell || event.target.closest("a, button")) return;
    const row = rows[cell.closest("[role=row]").dataset.index];
    const isRange = event.shiftKey;
    if (typeof row !== "number") actions.open(row);
    else if (isRange || event.ctrlKey || event.metaKey || cell.dataset.column === "select") actions.pick(row, { isRange });
  }
  function onDoubleClick(event) {
    const row = event.target.closest("[role=gridcell]:not([data-column=select])")?.closest("[role=row]");
    if (row && typeof rows[row.dataset.index] === "number") actions.open(rows[row.dataset.index]);
  }

  // Rows that come into view take over the elements of those that leave it: changing texts takes half the time of making cells.
  const pool = Math.ceil((2 * size.height) / row_px) + 16;
  const indexes = [];
  for (let index = first; index < stop; index++) indexes.push(index);
  if (tabStop >= 0 && tabStop < first) indexes.unshift(tabStop);
  if (tabStop >= stop) indexes.push(tabStop);
  // Without any, those that were there stay out of sight: the next key may bring others, which are made of them.
  if (rows.length) drawnRows.current = indexes.map((index) => {
    const row = rows[index];
    const key = keyOf(row);
    return h(GridRow, { key: index >= first && index < stop ? index % pool : "apart", row, index, top: index * row_px, version, columns, offsets, pinned, first: firstColumn, stop: stopColumn, isSelected: selected.has(key), focused: index === tabStop ? focusColumn : null, isCurrent: index === indexOfFocus, isLater: !isPainted && (index < inView || index >= outOfView) && index !== tabStop, drawCell, drawGroup });
  });
  return html`<div ref=${scroller} class="grid" role="grid" aria-label=${label} aria-rowcount=${rows.length + 1} aria-colcount=${columns.length} aria-multiselectable="true"
      onScroll=${onScroll} onFocusIn=${onFocusIn} onFocusOut=${() => (hadFocus.current = hadFocus.current && isDrawing.current)} onClick=${onClick} onDblClick=${onDoubleClick} onMouseDown=${(event) => event.shiftKey && event.preventDefault()}>
    <${GridHead} columns=${columns} offsets=${offsets} pinned=${pinned} first=${firstColumn} stop=${stopColumn} focused=${isInHead || isEmptyStop ? focusColumn : null} actions=${actions} drawCorner=${drawCorner} total=${total} />
    <div class=${`grid-body${rows.length ? "" : " is-empty"}`} role="rowgroup" style=${{ height: `${rows.length * row_px}px`, width: `${total}px`, "--left-out": `${(offsets[firstColumn] ?? 0) - (offsets[pinned] ?? 0)}px` }}>
      ${drawnRows.current}
    </div>
  </div>`;
}

// Whether what is shown has been painted since one of these changed: what is in view comes first, the rows around it after that.
function usePainted(shown) {
  const painted = useRef([]);
  const [, redraw] = useState(0);
  const isPainted = shown.every((one, index) => one === painted.current[index]);
  useEffect(() => {
    if (isPainted) return undefined;
    let isOver = false;
    idle().then(() => {
      if (isOver) return;
      painted.current = shown;
      redraw((times) => times + 1);
    });
    return () => (isOver = true);
  }, shown);
  return isPainted;
}

// Keeps what is in view in its place when rows come, go or change their order by themselves.
function useAnchor({ scroller, rows, view, place, row_px, keyOf, latest }) {
  const before = useRef({ rows, view });
  useLayoutEffect(() => {
    const last = before.current;
    before.current = { rows, view };
    if (last.rows === rows && last.view === view) return;
    if (last.view !== view) {
      if (place.top) scroller.current.scrollTop = 0; // asking for it is a layout more
      return;
    }
    const top = place.top;
    const at = Math.floor(top / row_px);
    const anchor = last.rows[at];
    if (top < row_px || anchor === undefined || keyOf(anchor) === (rows[at] === undefined ? null : keyOf(rows[at]))) return;
    const now = rows.findIndex((row) => keyOf(row) === keyOf(anchor));
    if (now >= 0) scroller.current.scrollTop = top + (now - at) * row_px;
  }, [rows, view]);
}

function bringIntoView(scroller, { rows, keyOf, columns, offsets, pinned, row_px }, rowKey, columnKey) {
  const index = rowKey === HEAD ? -1 : rows.findIndex((row) => keyOf(row) === rowKey);
  const { clientHeight, clientWidth, scrollTop, scrollLeft } = scroller;
  if (index >= 0) scroller.scrollTop = scrollFor(scrollTop, index * row_px, (index + 1) * row_px, 0, clientHeight - HEAD_PX);
  const place = columns.findIndex((column) => column.key === columnKey);
  if (place < pinned) return;
  const covered = pinned < columns.length ? offsets[pinned] : 0;
  scroller.scrollLeft = scrollFor(scrollLeft, offsets[place], offsets[place] + columns[place].width, covered, clientWidth);
}

// The keys of a grid. They work when the focus is in it, or nowhere in particular; `latest` has the properties of now.
function gridKeys(scroller, latest, focusCell) {
  const isHere = () => document.activeElement === document.body || scroller.current.contains(document.activeElement);
  const isCell = (event) => isHere() && !event.target.closest("a, button");
  const row = () => latest.current.rows[latest.current.tabStop];
  const page = () => Math.max(1, Math.floor((latest.current.size.height - HEAD_PX) / latest.current.row_px) - 1);

  function to(index) {
    const { rows, keyOf, focusColumn, tabStop } = latest.current;
    if (!rows.length) return;
    const wanted = Math.max(0, Math.min(index, rows.length - 1));
    focusCell(keyOf(rows[wanted]), focusColumn);
    return wanted !== tabStop;
  }
  function by(count) {
    const { isInHead, tabStop, place, rows, keyOf } = latest.current;
    if (count < 0 && tabStop === 0 && !isInHead) return focusCell(HEAD, latest.current.focusColumn);
    // The first press shows where one is; the next one moves.
    const isNew = !isInHead && (place.row === null || keyOf(rows[tabStop] ?? 0) !== place.row);
    return to(isInHead ? (count > 0 ? 0 : -1) : isNew ? tabStop : tabStop + count);
  }
  function sideways(count) {
    const { columns, focusColumn, isInHead, tabStop, rows, keyOf, actions } = latest.current;
    const here = rows[tabStop];
    if (!isInHead && here !== undefined && typeof here !== "number") return actions.expand(here, count > 0);
    const at = columns.findIndex((column) => column.key === focusColumn) + count;
    const column = columns[Math.max(0, Math.min(at, columns.length - 1))];
    if (isInHead || here !== undefined) focusCell(isInHead ? HEAD : keyOf(here), column.key);
  }
  function select(isRange) {
    if (latest.current.isInHead) return openMenu();
    const here = row();
    if (here !== undefined) latest.current.actions.pick(here, { isRange });
  }
  function extend(count) {
    const { actions, isInHead } = latest.current;
    if (isInHead) return by(count);
    if (row() !== undefined) actions.pick(row(), { isRange: false, isOn: true });
    by(count);
    const { rows, keyOf, place } = latest.current;
    const next = rows.find((one) => keyOf(one) === place.row);
    if (next !== undefined) actions.pick(next, { isRange: true });
  }
  function open(event) {
    const { isInHead, actions, columns, focusColumn } = latest.current;
    if (!isInHead) return row() === undefined ? undefined : actions.open(row());
    const column = columns.find(({ key }) => key === focusColumn);
    return column.kind === "select" ? actions.pickAll() : column.name && actions.sort(column, event.shiftKey);
  }
  function openMenu() {
    const { columns, focusColumn, actions } = latest.current;
    const column = columns.find(({ key }) => key === focusColumn);
    if (column.kind === "select") return actions.pickAll();
    const cells = [...scroller.current.querySelectorAll("[role=columnheader]")];
    return actions.menu(column, cells.find((cell) => cell.dataset.column === column.key));
  }
  return [
    { keys: ["j", "ArrowDown"], label: "Next row", when: isHere, run: (event) => void (event.shiftKey && event.key === "ArrowDown" ? extend(1) : by(1)) },
    { keys: ["k", "ArrowUp"], label: "Row before; above the first one is the header", when: isHere, run: (event) => void (event.shiftKey && event.key === "ArrowUp" ? extend(-1) : by(-1)) },
    { keys: ["ArrowLeft", "ArrowRight"], label: "Column before, next column; close or open a group", when: isHere, run: (event) => void sideways(event.key === "ArrowLeft" ? -1 : 1) },
    { keys: ["PageDown", "PageUp"], label: "A page down, up", when: isHere, run: (event) => void to(latest.current.tabStop + (event.key === "PageDown" ? page() : -page())) },
    { keys: ["Home", "End"], label: "First row, last row", when: isHere, run: (event) => void to(event.key === "Home" ? 0 : Infinity) },
    { keys: ["x", " "], label: "Select the row, or no longer", when: isCell, run: (event) => void select(event.shiftKey) },
    { keys: ["X"], label: "Select all from the last one to here (also Shift with the arrows)", when: isCell, run: () => void select(true) },
    { keys: ["Enter"], label: "Open the experiment; in the header, sort (with Shift: also by this)", when: isCell, run: (event) => void open(event) },
    { keys: ["m"], label: "Menu of the column", when: isCell, run: () => void openMenu() },
  ];
}
