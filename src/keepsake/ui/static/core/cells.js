// The cells of a notebook that an experiment began in, as `environment.notebook` has them. Pure.

// Returns the source of all cells as one text, each behind its number, as the notebook shows it; null without cells.
export function cellsSource(notebook) {
  const cells = Array.isArray(notebook?.cells) ? notebook.cells : [];
  return cells.length ? cells.map(({ number, source }) => `# In [${number}]:\n${source}`).join("\n\n") : null;
}

// Returns a line about the notebook: its path, the cell that began the experiment, and how many cells are not kept.
export function notebookSummary(notebook) {
  const began = typeof notebook?.cell === "number" ? `began in cell ${notebook.cell}` : "";
  const leftOut = notebook?.left_out ? `${notebook.left_out} earlier cells left out` : "";
  return [notebook?.path, began, leftOut].filter(Boolean).join(", ");
}
