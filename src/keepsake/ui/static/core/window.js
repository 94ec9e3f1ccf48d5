// Which part of a long and wide table is drawn: rows and columns in view, and some around them. Pure arithmetic.

// Rows [first, stop) for a view of `height` scrolled by `top`. The margin is half a view, in steps of a few rows, so that a
// small movement draws nothing new and a fast one has something to show.
export function rowWindow(top, height, row_px, count, step = 4) {
  return rowsAround(top, height, row_px, count, Math.ceil(height / row_px / 2), step);
}

// Rows [first, stop) that are in view, wholly or in part.
export function rowsInView(top, height, row_px, count) {
  return rowsAround(top, height, row_px, count, 0, 1);
}

function rowsAround(top, height, row_px, count, margin, step) {
  const first = Math.floor((top / row_px - margin) / step) * step;
  const stop = Math.ceil(((top + height) / row_px + margin) / step) * step;
  return [Math.min(Math.max(first, 0), count), Math.min(Math.max(stop, 0), count)];
}

// Where each column begins, and the whole width; pinned ones stand first and always count as in view.
export function columnOffsets(columns) {
  const offsets = [];
  let left = 0;
  for (const { width } of columns) {
    offsets.push(left);
    left += width;
  }
  return { offsets, total: left };
}

// Columns [first, stop) after the pinned ones that are in view, and one or two more at each side.
export function columnWindow(columns, offsets, pinned, left, width, margin_px = 160) {
  let first = pinned;
  while (first < columns.length && offsets[first] + columns[first].width < left - margin_px) first++;
  let stop = first;
  while (stop < columns.length && offsets[stop] < left + width + margin_px) stop++;
  return [first, stop];
}

// Where to scroll so that [start, stop) is in view between `from` and `to` (what covers the edges taken off).
export function scrollFor(scroll, start, stop, from, to) {
  if (start < scroll + from) return Math.max(0, start - from);
  return stop > scroll + to ? stop - to : scroll;
}
