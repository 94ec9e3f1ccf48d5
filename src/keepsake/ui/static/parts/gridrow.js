// One row of a grid. It is drawn again only when something in it has changed, since scrolling goes over many; one that
// `isLater` stays as it is until it no longer is.

import { Component, h } from "./ui.js";

const SHOWN = ["row", "index", "version", "columns", "first", "stop", "isSelected", "focused", "isCurrent"];

export class GridRow extends Component {
  shouldComponentUpdate(next) {
    return !next.isLater && SHOWN.some((name) => next[name] !== this.drawn?.[name]);
  }

  render(props) {
    if (props.isLater) return null;
    this.drawn = props;
    const { row, index, top, columns, offsets, pinned, first, stop, isSelected, focused, isCurrent, drawCell, drawGroup } = props;
    const common = { role: "row", class: `row${isSelected ? " is-selected" : ""}${isCurrent ? " is-current" : ""}`, "aria-rowindex": index + 2, "data-index": index, style: { top: `${top}px` } };
    if (typeof row !== "number") return h("div", { ...common, class: `${common.class} is-group` }, groupCell(row, columns, focused, drawGroup));
    const cells = [];
    const draw = (place) => cells.push(cell(row, place, columns[place], offsets[place], focused === columns[place].key, drawCell));
    for (let place = 0; place < pinned; place++) draw(place);
    for (let place = first; place < stop; place++) draw(place);
    // The cell with the focus stays when it is scrolled out of view, or the focus would be lost.
    const lost = focused ? columns.findIndex((column, place) => column.key === focused && place >= pinned && (place < first || place >= stop)) : -1;
    if (lost >= 0) draw(lost);
    return h("div", { ...common, "aria-selected": isSelected ? "true" : "false" }, cells);
  }
}

function cell(row, place, column, left, isFocused, drawCell) {
  return h("div", {
    key: column.key, role: "gridcell", class: `cell k-${column.kind}${column.isPinned ? " is-pinned" : ""}${column.fits ? " fits" : ""}`, "aria-colindex": place + 1, "data-column": column.key,
    tabIndex: isFocused ? 0 : -1, style: { left: `${left}px`, width: `${column.width}px` },
  }, drawCell(row, column));
}

function groupCell(group, columns, focused, drawGroup) {
  return h("div", { role: "gridcell", class: "cell is-group", "aria-colindex": 1, "aria-colspan": columns.length, "data-column": columns[0].key, tabIndex: focused ? 0 : -1 }, drawGroup(group));
}
