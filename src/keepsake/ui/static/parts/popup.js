// A small window beside what opened it: it takes the focus, gives it back, and closes by Escape or a click elsewhere.

import { html, useLayoutEffect, useRef } from "./ui.js";

// `anchor` is the element beside which it stands; `label` is its name for a screen reader.
export function Popup({ anchor, label, close, children }) {
  const dialog = useRef(null);
  useLayoutEffect(() => {
    const box = anchor.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = dialog.current;
    const top = box.bottom + 4 + height <= innerHeight ? box.bottom + 4 : Math.max(8, innerHeight - height - 8);
    Object.assign(dialog.current.style, { left: `${Math.max(8, Math.min(box.left, innerWidth - width - 8))}px`, top: `${top}px`, maxHeight: `${innerHeight - top - 8}px` });
    const before = document.activeElement;
    (dialog.current.querySelector("[data-first]") ?? dialog.current.querySelector("input, select, button"))?.focus();
    const onPointerDown = (event) => {
      if (!dialog.current?.contains(event.target) && !anchor.contains(event.target)) close();
    };
    document.addEventListener("pointerdown", onPointerDown);
    return () => {
      document.removeEventListener("pointerdown", onPointerDown);
      if (document.activeElement === document.body || dialog.current?.contains(document.activeElement)) before?.focus?.();
    };
  }, []);
  function onKeyDown(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    }
    if (event.key === "Tab") keepInside(event, dialog.current);
  }
  return html`<div ref=${dialog} class="menu popup" role="dialog" aria-label=${label} onKeyDown=${onKeyDown}>${children}</div>`;
}

// The tab key goes round inside.
function keepInside(event, dialog) {
  const stops = [...dialog.querySelectorAll("button:not([disabled]), input, select, a[href]")];
  const edge = event.shiftKey ? stops[0] : stops.at(-1);
  if (document.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? stops.at(-1) : stops[0]).focus();
}
