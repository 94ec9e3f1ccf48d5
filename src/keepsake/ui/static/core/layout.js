// The layout of the table as it holds now, and what changes it: the address first, what was kept for this repository second.

import { setQuery } from "./address.js";
import { changeColumn, chooseLayout, formatLayout, hideColumn, insertBeside, moveColumn } from "./columns.js";
import { keep, readKept } from "./kept.js";

// Returns {layout, change(layout), reset()}; `columns` are all that there are.
export function readLayout(text, columns, repository) {
  const layout = chooseLayout(text, readKept("columns", repository), columns);
  return {
    layout,
    change(next) {
      const cols = formatLayout(next);
      keep("columns", repository, { cols, known: [...new Set(columns.map(({ id }) => id))] });
      setQuery({ cols });
    },
    reset() {
      keep("columns", repository, null);
      setQuery({ cols: "" });
    },
  };
}

// What header and menus do to a layout. Each returns the next one.
export const layoutActions = {
  hide: (layout, { id }) => hideColumn(layout, id),
  pin: (layout, { id }, isPinned) => changeColumn(layout, id, { isPinned }),
  resize: (layout, { id }, width) => changeColumn(layout, id, { width: width === null ? null : Math.max(48, width) }),
  move: (layout, { id }, before) => moveColumn(layout, id, layout.findIndex((item) => item.id === before.id)),
  // One step past what is seen, which hidden ones between do not count for.
  step(layout, column, direction, arranged) {
    const seen = arranged.map(({ id }) => id);
    const neighbour = seen[seen.indexOf(column.id) + direction];
    return neighbour === undefined ? layout : layoutActions.move(layout, column, { id: neighbour });
  },
  show(layout, ids, isShown, columns) {
    if (!isShown) return layout.filter(({ id }) => !ids.includes(id));
    const missing = ids.filter((id) => !layout.some((item) => item.id === id));
    return missing.reduce((next, id) => insertBeside(next, { id, width: null, isPinned: false }, columns), layout);
  },
};
