// The picture of parallel coordinates: lines on canvases, axes over them, brushes by dragging along an axis.
//
// Three layers: all lines in grey, those that are kept in colour, and what moves. Ten thousand lines take longer than a frame, so
// those that are kept are drawn a batch a frame, and a brush that moves on begins anew.

import { html, useEffect, useMemo, useRef, useState } from "./ui.js";
import { formatTick, formatWall } from "../core/axes.js";
import { isMoment } from "../core/choices.js";
import { brushOf, stretchOf } from "../core/parallel.js";
import { cssColor } from "../core/theme.js";
import { prepare, useSize, useTheme } from "./canvas.js";

const EDGE = { side: 56, top: 12, bottom: 12 };
const NARROW_PX = 600; // a narrower picture has less beside its axes
const GRAB_PX = 14;
const BATCH = 1500; // lines a frame while a brush moves
const FEW = 300; // lines that are drawn nearly opaque

// `mask` says which lines are kept; `shadeOf` has the colour's number of each; `onBrush(name, brush, isOver)`; `hovered` is the place in the
// list of a line that is drawn over the others, -1 for none.
export function ParallelPlot({ axes, brushes, mask, shades, shadeOf, hovered, summary, onBrush, children }) {
  const [box, all, kept, over] = [useRef(null), useRef(null), useRef(null), useRef(null)];
  const [width, height] = useSize(box);
  const theme = useTheme();
  const drag = useRef(null);
  const [, redraw] = useState(0);
  const size = useMemo(() => {
    const inner = Math.max(height - EDGE.top - EDGE.bottom, 1);
    const side = width < NARROW_PX ? EDGE.side / 2 : EDGE.side;
    const gap = axes.length > 1 ? (width - 2 * side) / (axes.length - 1) : 0;
    return { side, toX: (index) => (axes.length > 1 ? side + index * gap : width / 2), toY: (part) => EDGE.top + (1 - part) * inner, inner, gap };
  }, [axes, width, height]);
  const hasBrush = Object.keys(brushes).length > 0;
  const order = useMemo(() => shuffled(mask.length), [mask.length]);

  useEffect(() => {
    if (!width) return;
    const ctx = prepare(all.current, width, height);
    if (hasBrush) strokeLines(ctx, axes, order, 0, order.length, size, cssColor("line-strong"), Math.min(alphaOf(order.length), 0.15) / 2);
  }, [axes, size, theme, hasBrush]);
  useEffect(() => {
    if (!width) return undefined;
    const shown = order.filter((index) => mask[index]);
    const batches = batchesOf(shown, shadeOf, shades.count, drag.current ? BATCH : Infinity);
    const alpha = alphaOf(shown.length);
    const ctx = prepare(kept.current, width, height);
    let frame = 0;
    const next = () => {
      const batch = batches.shift();
      if (!batch) return;
      batch.forEach((indices, shade) => indices.length && strokeLines(ctx, axes, indices, 0, indices.length, size, shades.colorOf(shade), alpha));
      if (batches.length) frame = requestAnimationFrame(next);
    };
    next();
    return () => cancelAnimationFrame(frame);
  }, [axes, size, theme, mask, shades, shadeOf]);
  useEffect(() => void (width && drawOver()), [axes, size, theme, brushes, hovered]);

  function drawOver() {
    const ctx = prepare(over.current, width, height);
    axes.forEach((axis, index) => drawAxis(ctx, axis, size.toX(index), size, brushes[axis.name] && stretchOf(axis, brushes[axis.name])));
    if (hovered >= 0) strokeLines(ctx, axes, [hovered], 0, 1, size, cssColor("text"), 1, 2);
  }
  const placeOf = (event) => {
    const rect = box.current.getBoundingClientRect();
    const x = event.clientX - rect.left;
    const index = axes.length > 1 ? Math.round((x - size.side) / size.gap) : 0;
    const part = Math.min(Math.max(1 - (event.clientY - rect.top - EDGE.top) / size.inner, 0), 1);
    return { index, part, isOn: index >= 0 && index < axes.length && Math.abs(x - size.toX(index)) <= GRAB_PX };
  };
  function onPointerDown(event) {
    const { index, part, isOn } = placeOf(event);
    if (event.button || !isOn) return;
    drag.current = { axis: axes[index], start: part, hasMoved: false };
    box.current.setPointerCapture(event.pointerId);
    event.preventDefault();
  }
  function onPointerMove(event) {
    const { part, isOn } = placeOf(event);
    const { current: held } = drag;
    if (!held) {
      box.current.style.cursor = isOn ? "ns-resize" : "";
      return;
    }
    held.hasMoved ||= Math.abs(part - held.start) * size.inner > 3;
    if (held.hasMoved) onBrush(held.axis.name, brushOf(held.axis, held.start, part), false);
  }
  function onPointerUp(event) {
    const { current: held } = drag;
    drag.current = null;
    if (!held) return;
    onBrush(held.axis.name, held.hasMoved ? brushOf(held.axis, held.start, placeOf(event).part) : null, true);
    redraw((count) => count + 1);
  }
  return html`<div class="parallel-plot"><div class="parallel-heads">${width ? children(size.toX, size.gap) : null}</div>
    <div ref=${box} class="parallel-lines" role="img" aria-label=${summary} onPointerDown=${onPointerDown} onPointerMove=${onPointerMove} onPointerUp=${onPointerUp} onPointerCancel=${() => (drag.current = null)}>
      <canvas ref=${all} aria-hidden="true"></canvas><canvas ref=${kept} class=${hasBrush ? "" : "alone"} aria-hidden="true"></canvas><canvas ref=${over} aria-hidden="true"></canvas></div></div>`;
}

// The more lines, the fainter each, so that where many lie is darker than where some do.
function alphaOf(count) {
  return count <= FEW ? 0.85 : 0.85 * (FEW / count) ** 0.55;
}

// An order in which any first part looks like the whole.
function shuffled(count) {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  let seed = 1;
  for (let at = count - 1; at > 0; at--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const other = seed % (at + 1);
    const kept = order[at];
    order[at] = order[other];
    order[other] = kept;
  }
  return order;
}

// Returns batches of at most `size` lines, each sorted by colour: what has one colour is drawn at once.
function batchesOf(shown, shadeOf, count, size) {
  const batches = [];
  for (let start = 0; start < shown.length; start += size) {
    const batch = Array.from({ length: count }, () => []);
    const stop = Math.min(start + size, shown.length);
    for (let at = start; at < stop; at++) batch[shadeOf[shown[at]]].push(shown[at]);
    batches.push(batch);
  }
  return batches;
}

const LINES_A_PATH = 100; // longer paths take more than their share to be drawn

function strokeLines(ctx, axes, indices, start, stop, { toX, toY }, color, alpha, width = 1 / devicePixelRatio) {
  ctx.strokeStyle = color;
  ctx.globalAlpha = alpha;
  ctx.lineWidth = width;
  ctx.lineJoin = "bevel";
  const xs = axes.map((_, index) => toX(index));
  const [bottom, top] = [toY(0), toY(1)];
  for (let from = start; from < stop; from += LINES_A_PATH) {
    ctx.beginPath();
    for (let at = from; at < Math.min(from + LINES_A_PATH, stop); at++) {
      let isDown = false;
      for (let axis = 0; axis < axes.length; axis++) {
        const part = axes[axis].parts[indices[at]];
        if (part !== part) isDown = false; // NaN: the line is broken where there is no value
        else if (isDown) ctx.lineTo(xs[axis], bottom + part * (top - bottom));
        else {
          ctx.moveTo(xs[axis], bottom + part * (top - bottom));
          isDown = true;
        }
      }
    }
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

function drawAxis(ctx, { column, scale, turn }, x, { toY, inner }, stretch) {
  ctx.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  ctx.strokeStyle = cssColor("line-strong");
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.moveTo(x, toY(0));
  ctx.lineTo(x, toY(1));
  ctx.stroke();
  if (stretch) {
    ctx.fillStyle = cssColor("accent");
    ctx.globalAlpha = 0.3;
    ctx.fillRect(x - 7, toY(stretch[1]), 14, Math.max(toY(stretch[0]) - toY(stretch[1]), 2));
    ctx.globalAlpha = 1;
    ctx.strokeStyle = cssColor("accent");
    ctx.strokeRect(x - 7, toY(stretch[1]), 14, Math.max(toY(stretch[0]) - toY(stretch[1]), 2));
  }
  const ticks = scale.ticks(Math.max(inner / 50, 2));
  const labels = isMoment(column) ? formatWall(ticks.map(({ value }) => value)).map((text) => text.replace(/^.*\n/, "")) : ticks.map(({ label, value }) => (typeof value === "number" ? formatTick(value) : label));
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  ctx.lineWidth = 3;
  ctx.strokeStyle = cssColor("raised"); // a rim, so that labels can be read on lines
  ctx.fillStyle = cssColor("text");
  ticks.forEach(({ part }, index) => {
    const text = labels[index].length > 16 ? `${labels[index].slice(0, 15)}…` : labels[index];
    ctx.strokeText(text, x + 9, toY(turn(part)));
    ctx.fillText(text, x + 9, toY(turn(part)));
  });
}

