// The picture of a scatter plot, and what pointer and keys do with it: name a point, open it, draw a lasso around some.

import { html, useEffect, useMemo, useRef, useState } from "./ui.js";
import { formatTick, formatWall } from "../core/axes.js";
import { isMoment, labelOf } from "../core/choices.js";
import { mediansOf, nearestPoint, pointsWithin, stepPoint } from "../core/points.js";
import { cssColor } from "../core/theme.js";
import { formatValue, shortId } from "../core/values.js";
import { prepare, useSize, useTheme } from "./canvas.js";

const EDGE = { left: 72, right: 20, top: 20, bottom: 52 };
const ROOM_PX = 8; // between the outermost points and the ends of the grid
const REACH_PX = 14;
const CLICK_PX = 4;

// `axes` are {x, y, color} of {column, values, scale}; `front` are indices of points; `onLasso` is given places, `onOpen` one.
export function ScatterPlot({ table, points, axes, shades, selected, front, hasTrend, summary, onLasso, onOpen, onToggle, onSpeak }) {
  const [box, base, over] = [useRef(null), useRef(null), useRef(null)];
  const [width, height] = useSize(box);
  const theme = useTheme();
  const [at, setAt] = useState(-1); // the point that is named
  const lasso = useRef(null);
  const [inner, toX, toY] = useMemo(() => {
    const size = [Math.max(width - EDGE.left - EDGE.right, 1), Math.max(height - EDGE.top - EDGE.bottom, 1)];
    return [size, (x) => EDGE.left + x * size[0], (y) => EDGE.top + (1 - y) * size[1]];
  }, [width, height]);
  const isChosen = useMemo(() => new Set(selected.map((id) => table.find(id))), [selected, table]);
  useEffect(() => setAt(-1), [points]);
  useEffect(() => {
    if (!width) return;
    const ctx = prepare(base.current, width, height);
    drawAxes(ctx, axes, inner, toX, toY);
    drawPoints(ctx, points, axes.color?.values, shades, isChosen, toX, toY);
    if (hasTrend) drawPath(ctx, mediansOf(points), toX, toY, [6, 4]);
    if (front.length) drawPath(ctx, stairs(front, points), toX, toY, []);
  }, [points, shades, width, height, theme, isChosen, hasTrend, front]);
  useEffect(() => void (width && drawOver(prepare(over.current, width, height))), [at, width, height, theme, points]);

  function drawOver(ctx) {
    const line = lasso.current;
    ctx.strokeStyle = cssColor("text");
    if (line?.length > 1) {
      ctx.beginPath();
      for (const [x, y] of line) ctx.lineTo(toX(x), toY(y));
      ctx.closePath();
      ctx.globalAlpha = 0.12;
      ctx.fillStyle = cssColor("accent");
      ctx.fill();
      ctx.globalAlpha = 1;
      ctx.lineWidth = 1;
      ctx.stroke();
    }
    if (at < 0 || at >= points.xs.length) return;
    ctx.lineWidth = 2;
    ctx.beginPath();
    ctx.arc(toX(points.xs[at]), toY(points.ys[at]), 7, 0, Math.PI * 2);
    ctx.stroke();
  }
  const placeOf = (event) => {
    const rect = box.current.getBoundingClientRect();
    return [(event.clientX - rect.left - EDGE.left) / inner[0], 1 - (event.clientY - rect.top - EDGE.top) / inner[1]];
  };
  const near = (event) => nearestPoint(points, ...placeOf(event), inner, REACH_PX);
  function onPointerDown(event) {
    if (event.button) return;
    lasso.current = [placeOf(event)];
    box.current.setPointerCapture(event.pointerId);
  }
  function onPointerMove(event) {
    const line = lasso.current;
    if (!line) return setAt(near(event));
    const [x, y] = placeOf(event);
    const [fromX, fromY] = line[line.length - 1];
    if (Math.hypot((x - fromX) * inner[0], (y - fromY) * inner[1]) < CLICK_PX) return undefined;
    line.push([x, y]);
    return drawOver(prepare(over.current, width, height));
  }
  function onPointerUp(event) {
    const line = lasso.current;
    lasso.current = null;
    if (!line) return;
    drawOver(prepare(over.current, width, height));
    const index = line.length < 3 ? near(event) : -1;
    if (line.length >= 3) onLasso(pointsWithin(points, line).map((one) => points.places[one]), event.shiftKey);
    else if (index >= 0) (event.shiftKey ? onToggle : onOpen)(points.places[index]);
  }
  function onKeyDown(event) {
    const direction = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" }[event.key];
    if (direction) {
      const next = stepPoint(points, at, direction);
      setAt(next);
      if (next >= 0) onSpeak(describePoint(table, points.places[next], axes));
    } else if (event.key === "Enter" && at >= 0) onOpen(points.places[at]);
    else if ((event.key === "x" || event.key === " ") && at >= 0) onToggle(points.places[at]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  return html`<div ref=${box} class="scatter-plot" role="img" tabindex="0" aria-label=${summary} onPointerDown=${onPointerDown} onPointerMove=${onPointerMove} onPointerUp=${onPointerUp}
      onPointerLeave=${() => lasso.current || setAt(-1)} onKeyDown=${onKeyDown}>
    <canvas ref=${base} aria-hidden="true"></canvas><canvas ref=${over} aria-hidden="true"></canvas>
    ${at >= 0 && at < points.xs.length ? html`<${Tip} ...${{ table, axes, place: points.places[at], left: toX(points.xs[at]), top: toY(points.ys[at]), width, height }} />` : null}
  </div>`;
}

export function nameOf(table, place) {
  return `${shortId(table.ids[place])} ${formatValue(table.valueOf(place, "experiment", "name"))}`.trim();
}

const shownAxes = ({ x, y, color }) => [x, y, color].filter((axis, index, all) => axis && all.findIndex((one) => one?.column === axis.column) === index);

function describePoint(table, place, axes) {
  return `${nameOf(table, place)}: ${shownAxes(axes).map(({ column }) => `${labelOf(column)} ${formatValue(column.values[place])}`).join(", ")}`;
}

function Tip({ table, axes, place, left, top, width, height }) {
  const style = { [left > width / 2 ? "right" : "left"]: `${(left > width / 2 ? width - left : left) + 14}px`, [top > height / 2 ? "bottom" : "top"]: `${(top > height / 2 ? height - top : top) + 8}px` };
  return html`<div class="chart-tip inside" style=${style} aria-hidden="true"><b>${nameOf(table, place)}</b>
    ${shownAxes(axes).map(({ column }) => html`<div class="chart-tip-pair"><span class="muted">${labelOf(column)}</span><span class="number">${formatValue(column.values[place])}</span></div>`)}</div>`;
}

function drawAxes(ctx, { x, y }, [width, height], toX, toY) {
  ctx.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  ctx.fillStyle = cssColor("muted");
  ctx.strokeStyle = cssColor("grid");
  ctx.lineWidth = 1 / devicePixelRatio;
  ctx.textBaseline = "middle";
  const labels = ({ column }, ticks) => (isMoment(column) ? formatWall(ticks.map(({ value }) => value)).map((text) => text.replace("\n", " ")) : ticks.map(({ label }) => label));
  const ticksX = x.scale.ticks(Math.max(width / 90, 2));
  labels(x, ticksX).forEach((label, index) => {
    const at = toX(ticksX[index].part);
    line(ctx, at, toY(0) + ROOM_PX, at, toY(1) - ROOM_PX);
    ctx.textAlign = "center";
    ctx.fillText(cut(ctx, label, width / ticksX.length - 4), at, toY(0) + ROOM_PX + 11);
  });
  const ticksY = y.scale.ticks(Math.max(height / 40, 2));
  labels(y, ticksY).forEach((label, index) => {
    const at = toY(ticksY[index].part);
    line(ctx, toX(0) - ROOM_PX, at, toX(1) + ROOM_PX, at);
    ctx.textAlign = "right";
    ctx.fillText(cut(ctx, label, EDGE.left - 32), toX(0) - ROOM_PX - 6, at);
  });
  ctx.fillStyle = cssColor("text");
  ctx.font = ctx.font.replace("11px", "600 12px");
  ctx.textAlign = "center";
  ctx.fillText(labelOf(x.column), toX(0.5), toY(0) + ROOM_PX + 32);
  ctx.save();
  ctx.translate(10, toY(0.5));
  ctx.rotate(-Math.PI / 2);
  ctx.fillText(labelOf(y.column), 0, 0);
  ctx.restore();
}

function line(ctx, x, y, toX, toY) {
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(toX, toY);
  ctx.stroke();
}

function cut(ctx, text, width) {
  let shown = text;
  while (shown.length > 1 && ctx.measureText(shown).width > width) shown = shown.slice(0, -2);
  return shown === text ? text : `${shown}…`;
}

// Points of one colour are drawn at once.
function drawPoints(ctx, { places, xs, ys }, values, shades, isChosen, toX, toY) {
  const radius = places.length > 2000 ? 2.5 : 3.5;
  const batches = Array.from({ length: shades.count }, () => []);
  places.forEach((place, index) => batches[values ? shades.indexOf(values[place]) : 0].push(index));
  ctx.globalAlpha = places.length > 2000 ? 0.6 : 0.8;
  batches.forEach((batch, shade) => {
    ctx.beginPath();
    for (const index of batch) {
      const [x, y] = [toX(xs[index]), toY(ys[index])];
      ctx.moveTo(x + radius, y);
      ctx.arc(x, y, radius, 0, Math.PI * 2);
    }
    ctx.fillStyle = shades.colorOf(shade);
    ctx.fill();
  });
  ctx.globalAlpha = 1;
  ctx.strokeStyle = cssColor("text");
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  places.forEach((place, index) => {
    if (!isChosen.has(place)) return;
    ctx.moveTo(toX(xs[index]) + radius + 1.5, toY(ys[index]));
    ctx.arc(toX(xs[index]), toY(ys[index]), radius + 1.5, 0, Math.PI * 2);
  });
  ctx.stroke();
}

function drawPath(ctx, path, toX, toY, dash) {
  ctx.strokeStyle = cssColor("text");
  ctx.lineWidth = 1.5;
  ctx.setLineDash(dash);
  ctx.beginPath();
  for (const { x, y } of path) ctx.lineTo(toX(x), toY(y));
  ctx.stroke();
  ctx.setLineDash([]);
}

// A front is no slope: between two of its points, nothing better than the worse of both is known.
function stairs(front, { xs, ys }) {
  return front.flatMap((index, at) => (at ? [{ x: xs[index], y: ys[front[at - 1]] }, { x: xs[index], y: ys[index] }] : [{ x: xs[index], y: ys[index] }]));
}
