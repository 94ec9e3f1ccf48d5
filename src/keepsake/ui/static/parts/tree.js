// Files as a tree. One tab stop; arrows go up and down, open and close, and Enter follows the link, as the ARIA pattern says.

import { html, useLayoutEffect, useMemo, useRef, useState } from "./ui.js";
import { makeTree, openAtFirst, parentsOf, visibleNodes } from "../core/files.js";
import { formatBytes } from "../core/values.js";

const MOST = 2000; // rows that are drawn; more are said to be there

// `address(path)` is where a file is looked at; `chosen` is the path that is.
export function FileTree({ files, chosen, address, label = "Files" }) {
  const nodes = useMemo(() => makeTree(files), [files]);
  const [open, setOpen] = useState(null);
  const [focused, setFocused] = useState(chosen ?? null);
  const list = useRef(null);
  const shownOpen = useMemo(() => new Set([...(open ?? openAtFirst(nodes)), ...(open ? [] : chosen ? parentsOf(chosen) : [])]), [open, nodes, chosen]);
  const rows = useMemo(() => visibleNodes(nodes, shownOpen), [nodes, shownOpen]);
  const current = rows.some(({ node }) => node.path === focused) ? focused : rows[0]?.node.path;
  const mayFocus = useRef(false);
  useLayoutEffect(() => {
    if (mayFocus.current) list.current.querySelector('[tabindex="0"]')?.focus();
    mayFocus.current = false;
  }, [current, rows]);

  useLayoutEffect(() => showChosen(list.current), []);

  function turn(path, isOpen = !shownOpen.has(path)) {
    const after = new Set(shownOpen);
    if (isOpen) after.add(path);
    else after.delete(path);
    setOpen(after);
  }
  function focus(path) {
    if (path === undefined) return;
    mayFocus.current = true;
    setFocused(path);
  }
  const follow = () => list.current.querySelector('[tabindex="0"]').click();
  function onKeyDown(event) {
    const at = rows.findIndex(({ node }) => node.path === current);
    const { node, depth } = rows[at];
    const isDirectory = node.kind === "directory";
    const keys = {
      ArrowDown: () => focus(rows[at + 1]?.node.path),
      ArrowUp: () => focus(rows[at - 1]?.node.path),
      Home: () => focus(rows[0].node.path),
      End: () => focus(rows.at(-1).node.path),
      ArrowRight: () => isDirectory && (shownOpen.has(node.path) ? focus(node.children[0]?.path) : turn(node.path, true)),
      ArrowLeft: () => (isDirectory && shownOpen.has(node.path) ? turn(node.path, false) : depth && focus(parentsOf(node.path).at(-1))),
      Enter: () => (isDirectory ? turn(node.path) : follow()),
      " ": () => (isDirectory ? turn(node.path) : follow()),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  }
  return html`<ul class="tree" role="tree" aria-label=${label} ref=${list} onKeyDown=${onKeyDown}>
    ${rows.slice(0, MOST).map((row) => html`<${Node} key=${row.node.path} ...${row} isOpen=${shownOpen.has(row.node.path)} isChosen=${row.node.path === chosen} isCurrent=${row.node.path === current}
      href=${row.node.kind === "directory" ? null : address(row.node.path)} turn=${() => turn(row.node.path)} onFocus=${() => setFocused(row.node.path)} />`)}
    ${rows.length > MOST ? html`<li role="none" class="muted">… and ${(rows.length - MOST).toLocaleString("en")} more; close a directory to see them</li>` : null}
  </ul>`;
}

// A link to a file shows where it lies. Only the panel around the tree is moved, not the page.
function showChosen(tree) {
  const row = tree.querySelector('[aria-selected="true"]')?.getBoundingClientRect();
  const panel = tree.parentElement;
  if (row) panel.scrollTop += row.top - panel.getBoundingClientRect().top - panel.clientHeight / 2;
}

function Node({ node, depth, position, siblings, isOpen, isChosen, isCurrent, href, turn, onFocus }) {
  const isDirectory = node.kind === "directory";
  const facts = { onFocus, role: "treeitem", tabindex: isCurrent ? 0 : -1, "aria-level": depth + 1, "aria-posinset": position, "aria-setsize": siblings, style: { paddingLeft: `${depth * 16 + 6}px` } };
  const inside = html`<span class="tree-mark" aria-hidden="true">${isDirectory ? (isOpen ? "▾" : "▸") : MARKS[node.kind] ?? ""}</span>
    <span class="cut" title=${node.path}>${node.name}${isDirectory ? "/" : ""}</span>
    ${node.file?.source === "checkpoint" ? html`<span class="tag-small" title="Saved with this checkpoint">ckpt</span>` : null}
    <span class="tree-size muted">${node.kind === "missing" ? "missing" : node.kind === "link" ? "link" : formatBytes(node.size_bytes)}</span>`;
  if (isDirectory) return html`<li role="none"><div ...${facts} aria-expanded=${isOpen} onClick=${turn}>${inside}</div></li>`;
  return html`<li role="none"><a ...${facts} href=${href} data-stay aria-selected=${isChosen}>${inside}</a></li>`;
}

const MARKS = { link: "↪", missing: "!" };
