// One row of a grid. It is drawn again only when something in it has changed, since scrolling goes over many; one that
// `isLater` stays as it is until it no longer is.
//
// Preact keeps the row, and the row its cells: each is a copy of one of its column, and only what has changed in it is
// written, since comparing all of them as a tree takes twice as long (docs/decisions/0011).

import { Component, h } from "./ui.js";
import { fillCell, leaveCell, makeCell } from "./gridcell.js";

const SHOWN = ["row", "index", "version", "columns", "first", "stop", "isSelected", "focused", "isCurrent"];

export class GridRow extends Component {
  cells = new Map(); // key of a column -> its cell

  shouldComponentUpdate(next) {
    return !next.isLater && SHOWN.some((name) => next[name] !== this.drawn?.[name]);
  }

  componentWillUnmount() {
    this.clear();
  }

  render(props) {
    if (props.isLater) return null;
    this.drawn = props;
    const { row, index, top, columns, isSelected, focused, isCurrent, drawGroup } = props;
    const isGroup = typeof row !== "number";
    const common = { key: isGroup ? "group" : "cells", role: "row", class: `row${isSelected ? " is-selected" : ""}${isCurrent ? " is-current" : ""}${isGroup ? " is-group" : ""}`, "aria-rowindex": index + 2, "data-index": index, style: { top: `${top}px` } };
    if (isGroup) {
      this.clear();
      return h("div", common, groupCell(row, columns, focused, drawGroup));
    }
    // A new function each time is called each time, and before the effects of the grid, which look for the cell with the focus.
    return h("div", { ...common, ref: (element) => element && this.write(element), "aria-selected": isSelected ? "true" : "false" });
  }

  write(element) {
    const { columns, focused } = this.drawn;
    const places = placesDrawn(this.drawn);
    for (const [key, cell] of this.cells) if (cell.column !== columns[cell.place] || cell.left !== places.get(cell.place)) this.drop(key);
    let next = element.firstChild;
    for (const [place, left] of places) {
      const column = columns[place];
      let cell = this.cells.get(column.key);
      if (!cell) this.cells.set(column.key, (cell = makeCell(column, place, left)));
      if (cell.element === next) next = next.nextSibling;
      else element.insertBefore(cell.element, next);
      this.fill(cell);
      const tabIndex = focused === column.key ? 0 : -1;
      if (cell.tabIndex !== tabIndex) cell.tabIndex = cell.element.tabIndex = tabIndex;
    }
  }

  fill(cell) {
    fillCell(cell, this.drawn.drawCell(this.drawn.row, cell.column), () => this.fill(cell));
  }

  drop(key) {
    const cell = this.cells.get(key);
    this.cells.delete(key);
    leaveCell(cell);
    cell.element.remove();
  }

  clear() {
    for (const cell of this.cells.values()) leaveCell(cell);
    this.cells.clear();
  }
}

// The places of the pinned columns, of those in view, and of the one with the focus, which would be lost if its cell were
// scrolled away; each with where it stands, or null where that follows from the one before.
function placesDrawn({ columns, offsets, pinned, first, stop, focused }) {
  const places = new Map();
  for (let place = 0; place < pinned; place++) places.set(place, offsets[place]);
  for (let place = first; place < stop; place++) places.set(place, null);
  const lost = focused ? columns.findIndex((column, place) => column.key === focused && !places.has(place)) : -1;
  if (lost >= 0) places.set(lost, offsets[lost]);
  return places;
}

function groupCell(group, columns, focused, drawGroup) {
  return h("div", { role: "gridcell", class: "cell is-group", "aria-colindex": 1, "aria-colspan": columns.length, "data-column": columns[0].key, tabIndex: focused ? 0 : -1 }, drawGroup(group));
}
