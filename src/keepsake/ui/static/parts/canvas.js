// Canvases that fit their box, at the resolution of the screen, and are drawn again when it or the theme changes.

import { useEffect, useLayoutEffect, useState } from "./ui.js";

// Returns [width, height] of a box in pixels of the page, [0, 0] until it is known.
export function useSize(box) {
  const [size, setSize] = useState([0, 0]);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([{ contentRect }]) => setSize([Math.floor(contentRect.width), Math.floor(contentRect.height)]));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return size;
}

// Counts the changes of the theme, by hand or by the system.
export function useTheme() {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const change = () => setCount((before) => before + 1);
    const system = matchMedia("(prefers-color-scheme: dark)");
    window.addEventListener("keepsake-theme", change);
    system.addEventListener("change", change);
    return () => {
      window.removeEventListener("keepsake-theme", change);
      system.removeEventListener("change", change);
    };
  }, []);
  return count;
}

// Returns the cleared context of a canvas of this size, in which one unit is one pixel of the page.
export function prepare(canvas, width, height) {
  const ratio = devicePixelRatio;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return ctx;
}
