// Many lines of one height: those far from the window are an empty space as high as they are, until they come near.
//
// A block that was seen once stays, so that searching in the page finds what one has read.

import { html, useEffect, useRef, useState } from "./ui.js";

export const ROW_PX = 20;
const BLOCK_ROWS = 200;

// `render(index)` returns one line; `label` is for whom the lines are read out.
export function Blocks({ count, render }) {
  const starts = Array.from({ length: Math.ceil(count / BLOCK_ROWS) }, (_, block) => block * BLOCK_ROWS);
  return starts.map((start) => html`<${Block} key=${start} start=${start} stop=${Math.min(start + BLOCK_ROWS, count)} render=${render} />`);
}

function Block({ start, stop, render }) {
  const element = useRef(null);
  const [isNear, setNear] = useState(start === 0);
  useEffect(() => {
    if (isNear) return undefined;
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && setNear(true), { rootMargin: "1500px" });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [isNear]);
  const height = `${(stop - start) * ROW_PX}px`;
  if (!isNear) return html`<div ref=${element} style=${{ height }}></div>`;
  return html`<div style=${{ height }}>${Array.from({ length: stop - start }, (_, row) => render(start + row))}</div>`;
}
