// Files of an experiment: a tree from their paths, and what their names say about them. Pure.

const SOURCE = /\.(py|pyi|ipynb|ya?ml|toml|json|cfg|ini|sh|bash|zsh|md|rst|txt|sql|r|jl|c|cc|cpp|cu|cuh|h|hpp|rs|go|js|ts|css|html|dockerfile|lock)$/i;
const SOURCE_NAMES = /^(dockerfile|makefile|pipfile|license|readme|\.gitignore|\.keepsakeignore|requirements.*)$/i;
const IMAGE = /\.(png|jpe?g|gif|webp)$/i;
const LANGUAGES = { py: "python", pyi: "python", yaml: "yaml", yml: "yaml", json: "json", toml: "ini", ini: "ini", cfg: "ini", md: "markdown", sh: "bash", bash: "bash", zsh: "bash", diff: "diff", patch: "diff" };
const NAMED = { toml: "ini", shell: "bash" }; // what the server calls a language, where the highlighter has another word
const KNOWN = new Set(Object.values(LANGUAGES));

export const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1);
export const isImage = (path) => IMAGE.test(path);

// Whether a file is something that people write, rather than data or weights.
export function isSource(path) {
  return SOURCE.test(path) || SOURCE_NAMES.test(nameOf(path));
}

// Returns the grammar for a file: what the server says, else what its ending tells; null for plain text.
export function languageOf(path, said = null) {
  const name = NAMED[said] ?? said ?? LANGUAGES[/\.([^./]+)$/.exec(path)?.[1]?.toLowerCase()];
  return KNOWN.has(name) ? name : null;
}

// Returns the nodes at the top: {name, path, kind, size_bytes, file, children}; directories first, both by name. The size
// of a directory is that of all files below it. `kind` is that of the file, and "directory" for what holds others.
export function makeTree(files) {
  const root = { children: [], byName: new Map() };
  for (const file of files) {
    let node = root;
    const names = file.path.split("/").filter(Boolean);
    names.forEach((name, depth) => {
      let child = node.byName.get(name);
      if (!child) {
        child = { name, path: names.slice(0, depth + 1).join("/"), kind: "directory", size_bytes: 0, file: null, children: [], byName: new Map() };
        node.byName.set(name, child);
        node.children.push(child);
      }
      child.size_bytes += file.size_bytes ?? 0;
      node = child;
    });
    if (node !== root) Object.assign(node, { kind: file.kind, file });
  }
  return sorted(root.children);
}

function sorted(nodes) {
  const rank = (node) => (node.kind === "directory" ? 0 : 1);
  nodes.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  for (const node of nodes) sorted(node.children);
  return nodes;
}

// Returns the nodes that are seen when the directories in `open` (a Set of paths) are: {node, depth, position, siblings}.
export function visibleNodes(nodes, open, depth = 0) {
  return nodes.flatMap((node, index) => {
    const row = { node, depth, position: index + 1, siblings: nodes.length };
    return node.kind === "directory" && open.has(node.path) ? [row, ...visibleNodes(node.children, open, depth + 1)] : [row];
  });
}

// The directories that a path lies in: `a/b/c` is in `a` and `a/b`.
export function parentsOf(path) {
  const names = path.split("/");
  return names.slice(1).map((_, depth) => names.slice(0, depth + 1).join("/"));
}

// The directories to open at first: all while there is little below them, else those on the way to the first files.
export function openAtFirst(nodes, most = 60) {
  const open = new Set();
  let seen = nodes.length;
  let level = nodes;
  while (level.length) {
    const below = level.filter((node) => node.kind === "directory");
    const count = below.reduce((sum, node) => sum + node.children.length, 0);
    if (!count || seen + count > most) break;
    seen += count;
    below.forEach((node) => open.add(node.path));
    level = below.flatMap((node) => node.children);
  }
  return open;
}
