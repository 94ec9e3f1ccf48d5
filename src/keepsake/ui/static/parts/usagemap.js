// The stored bytes of experiments as areas: the largest by themselves, the rest as one. The table below says the same.

import { html, useLayoutEffect, useMemo, useRef, useState } from "./ui.js";
import { linkTo, sharedAddress } from "../core/address.js";
import { layOut } from "../core/treemap.js";
import { formatBytes, formatCount, shortId } from "../core/values.js";

const MOST = 60;
const ROW_PX = 44;

export function UsageMap({ rows }) {
  const box = useRef(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(() => setWidth(box.current?.clientWidth ?? 0));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const tiles = useMemo(() => makeTiles(rows), [rows]);
  const height = Math.min(Math.max(tiles.length, 2), 6) * ROW_PX;
  const places = useMemo(() => (width ? layOut(tiles.map((tile) => tile.size), width, height) : []), [tiles, width, height]);
  return html`<ul class="usage-map" ref=${box} style=${{ height: `${height}px` }}>${places.map(({ x, y, width: wide, height: high }, index) => html`<${Tile} key=${tiles[index].id} tile=${tiles[index]} isLarge=${wide > 70 && high > 36}
    style=${{ left: `${x}px`, top: `${y}px`, width: `${Math.max(wide - 1, 1)}px`, height: `${Math.max(high - 1, 1)}px` }} />`)}</ul>`;
}

function makeTiles(rows) {
  const sorted = rows.filter((row) => row.stored > 0).sort((a, b) => b.stored - a.stored);
  const tiles = sorted.slice(0, MOST).map((row) => ({ id: row.id, name: row.name || shortId(row.id), size: row.stored, share: row.shared / row.stored }));
  const rest = sorted.slice(MOST);
  if (rest.length) tiles.push({ id: "", name: `${formatCount(rest.length)} more`, size: rest.reduce((sum, row) => sum + row.stored, 0), share: 0 });
  return tiles.sort((a, b) => b.size - a.size);
}

function Tile({ tile: { id, name, size, share }, isLarge, style }) {
  const text = `${name}: ${formatBytes(size)}${share > 0.005 ? `, ${Math.round(share * 100)} % of it shared` : ""}`;
  const inside = isLarge ? html`<strong class="cut">${name}</strong> <span>${formatBytes(size)}</span>` : html`<span class="hidden-text">${text}</span>`;
  if (!id) return html`<li class="usage-tile rest" style=${style} title=${text}>${inside}</li>`;
  return html`<li class="usage-tile" style=${style}><a ...${linkTo(sharedAddress("experiment", [id.slice(0, 8)]))} title=${text} tabindex="-1"><span class="usage-share" style=${{ height: `${share * 100}%` }}></span>${inside}</a></li>`;
}
