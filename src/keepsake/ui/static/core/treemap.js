// Areas in proportion to sizes, none too long and thin: the squarified treemap of Bruls, Huizing and van Wijk,
// "Squarified Treemaps" (2000), https://vanwijk.win.tue.nl/stm.pdf. Pure.

// Returns {x, y, width, height} for each size, in the same order; sizes are positive, the largest first.
export function layOut(sizes, width, height) {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const areas = sizes.map((size) => (size / total) * width * height);
  const places = [];
  let free = { x: 0, y: 0, width, height };
  let row = [];
  for (let next = 0; next < areas.length; ) {
    const side = Math.min(free.width, free.height);
    if (!row.length || worst([...row, areas[next]], side) <= worst(row, side)) row.push(areas[next++]);
    else {
      free = place(row, free, places);
      row = [];
    }
  }
  if (row.length) place(row, free, places);
  return places;
}

// How long and thin the worst rectangle of a row along a side of this length is.
function worst(row, side) {
  const sum = row.reduce((total, area) => total + area, 0);
  return Math.max((side * side * Math.max(...row)) / (sum * sum), (sum * sum) / (side * side * Math.min(...row)));
}

function place(row, { x, y, width, height }, places) {
  const sum = row.reduce((total, area) => total + area, 0);
  const isColumn = width >= height; // along the shorter side
  const thick = sum / (isColumn ? height : width);
  let along = 0;
  for (const area of row) {
    const length = area / thick;
    places.push(isColumn ? { x, y: y + along, width: thick, height: length } : { x: x + along, y, width: length, height: thick });
    along += length;
  }
  return isColumn ? { x: x + thick, y, width: width - thick, height } : { x, y: y + thick, width, height: height - thick };
}
