// Pieces of coloured lines: what a highlighter found and what a comparison marked, as values. Pure.
//
// A line is a list of {text, scope, isMarked}; the texts of a line, joined, are the line. Nothing here is markup.

// Returns the lines of a highlighter's tree, whose nodes are texts or {scope, children}.
export function linesOfTree(root) {
  const lines = [[]];
  walk(root, "", (text, scope) => {
    text.split("\n").forEach((part, index) => {
      if (index) lines.push([]);
      if (part) lines.at(-1).push({ text: part, scope, isMarked: false });
    });
  });
  return lines;
}

function walk(node, scope, take) {
  if (typeof node === "string") return take(node, scope);
  const own = node.scope && !node.scope.startsWith("language:") ? node.scope : scope;
  for (const child of node.children) walk(child, own, take);
  return undefined;
}

export function plainLines(text) {
  return text.split("\n").map((line) => (line ? [{ text: line, scope: "", isMarked: false }] : []));
}

// Returns a line with the letters in `ranges` ([[start, stop], ...], in order, not overlapping) marked.
export function markLine(tokens, ranges) {
  if (!ranges.length) return tokens;
  const marked = [];
  let position = 0;
  let next = 0;
  for (const token of tokens) {
    let done = 0;
    while (done < token.text.length) {
      while (next < ranges.length && ranges[next][1] <= position + done) next++;
      const [start, stop] = ranges[next] ?? [Infinity, Infinity];
      const isMarked = position + done >= start;
      const end = Math.min((isMarked ? stop : start) - position, token.text.length);
      marked.push({ ...token, text: token.text.slice(done, end), isMarked });
      done = end;
    }
    position += token.text.length;
  }
  return marked;
}

// The class of a scope: `title.function` is drawn like `title`.
export function scopeClass(scope) {
  return scope ? `tok-${scope.split(".")[0].replace(/[^a-z-]/g, "-")}` : "";
}
