// A picture of curves on a canvas, in axes by uPlot; over it a second canvas for what moves with the pointer.
//
// uPlot wants all series on one x. Curves that were reduced each have their own, and joined to one they would be mostly gaps (50
// curves of 1,400 points: 3.5 million cells), so uPlot is given the corners of the picture and the lines are drawn here. They are one
// pixel of the device wide: a wider line costs five times the time without a GPU.

import { formatSeconds, formatTick, formatWall, linearTicks, logTicks, timeTicks, wallTicks } from "../core/axes.js";
import { nearestPlace, visiblePlaces } from "../core/curves.js";
import { distanceTo, traceBand, traceLine } from "../core/lines.js";
import { SvgPen } from "../core/svgpen.js";
import { cssColor } from "../core/theme.js";

const FONT_PX = 11;
let uPlot = null;

// Begins by looking up how numbers and times are written here, which takes the browser longer than drawing: to be done while
// curves are on their way.
export async function loadPlots() {
  uPlot ??= (await import("../vendor/uplot.js")).default;
}

export const canPlot = () => uPlot !== null;

export class Plot {
  // `element` is where it goes; its size is that of the plot.
  constructor(element) {
    this.element = element;
    this.frame = null; // uPlot's
    this.picture = null;
    this.kind = "";
    this.colors = readColors();
  }

  // Shows a picture (core/picture.js). `xKind` is number, time or wall.
  show(picture, { xKind, isLogX, isLogY, width, height }) {
    this.picture = picture;
    const kind = `${xKind} ${isLogX} ${isLogY}`;
    if (kind !== this.kind) this.frame = void this.frame?.destroy();
    Object.assign(this, { kind, isLogX, isLogY });
    const corners = [[picture.from, picture.to], [picture.low, picture.high]];
    if (!this.frame) this.#makeFrame(xKind, width, height, corners);
    else {
      if (this.frame.width !== width || this.frame.height !== height) this.frame.setSize({ width, height });
      this.frame.setData(corners);
    }
  }

  // Draws again after the theme has changed.
  recolor() {
    this.colors = readColors();
    this.frame?.redraw(false, true);
  }

  destroy() {
    this.frame?.destroy();
    this.frame = null;
  }

  #makeFrame(xKind, width, height, corners) {
    const scale = (isLog, ends) => ({ time: false, distr: isLog ? 3 : 1, range: () => ends() });
    const axis = (values, splits, more) => ({
      stroke: () => this.colors.muted, font: `${FONT_PX}px ${this.colors.font}`, values, splits, filter: (_, ticks) => ticks,
      grid: { stroke: () => this.colors.grid, width: 1 / devicePixelRatio }, ticks: { stroke: () => this.colors.grid, width: 1 / devicePixelRatio, size: 4 }, gap: 3, ...more,
    });
    const splitX = (_, __, from, to) => this.#splits(from, to, this.isLogX, Math.max(width / 90, 2), xKind);
    const splitY = (_, __, low, high) => this.#splits(low, high, this.isLogY, Math.max(height / 36, 2), "number");
    this.frame = new uPlot({
      width, height, legend: { show: false }, cursor: { show: false }, padding: [8, 12, 0, 0],
      scales: { x: scale(this.isLogX, () => [this.picture.from, this.picture.to]), y: scale(this.isLogY, () => [this.picture.low, this.picture.high]) },
      axes: [
        axis((_, ticks) => (xKind === "wall" ? formatWall(ticks) : ticks.map(xKind === "time" ? formatSeconds : formatTick)), splitX, { size: xKind === "wall" ? 38 : 26 }),
        axis((_, ticks) => ticks.map(formatTick), splitY, { size: (_, labels) => Math.max(...(labels ?? []).map((label) => label.length), 3) * 6.2 + 12 }),
      ],
      series: [{}, { scale: "y", paths: () => null, points: { show: false } }],
      hooks: { draw: [() => this.#draw()] },
    }, corners, this.element);
    this.overlay = addElement(this.frame.over, "canvas", "chart-overlay");
    this.crosshair = addElement(this.frame.over, "div", "chart-crosshair");
    this.dot = addElement(this.frame.over, "div", "chart-dot");
    this.shown = null;
  }

  #splits(from, to, isLog, count, kind) {
    if (isLog) return logTicks(from, to, count);
    return ({ time: timeTicks, wall: wallTicks }[kind] ?? linearTicks)(from, to, count);
  }

  // Functions from values to pixels of the device, and their inverse for x; `left` and `top` shift the frame's corner.
  transforms(left = 0, top = 0, width = this.frame.bbox.width, height = this.frame.bbox.height) {
    const { from, to, low, high } = this.picture;
    const along = (first, last, isLog) => {
      if (!isLog) return (value) => (value - first) / (last - first);
      const [start, length] = [Math.log10(first), Math.log10(last) - Math.log10(first)];
      return (value) => (value > 0 ? (Math.log10(value) - start) / length : NaN);
    };
    const [partX, partY] = [along(from, to, this.isLogX), along(low, high, this.isLogY)];
    return { toX: (x) => left + partX(x) * width, toY: (y) => top + (1 - partY(y)) * height, width, height };
  }

  valueAtPart(part, axis) {
    const [first, last, isLog] = axis === "x" ? [this.picture.from, this.picture.to, this.isLogX] : [this.picture.low, this.picture.high, this.isLogY];
    return isLog ? 10 ** (Math.log10(first) + part * (Math.log10(last) - Math.log10(first))) : first + part * (last - first);
  }

  #draw() {
    const { ctx, bbox } = this.frame;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    this.#drawLines(ctx, this.transforms(bbox.left, bbox.top), { width_px: 1, scale: devicePixelRatio });
    ctx.restore();
  }

  // `ctx` is a canvas or an SvgPen.
  #drawLines(ctx, { toX, toY }, { width_px, scale }) {
    const { lines, bands, from, to, marks } = this.picture;
    ctx.lineWidth = width_px;
    ctx.lineJoin = "bevel";
    for (const { xs, low, high, mean, color } of bands) {
      ctx.fillStyle = color;
      ctx.strokeStyle = color;
      ctx.globalAlpha = 0.15;
      fill(ctx, (path) => traceBand(path, xs, low, high, toX, toY));
      ctx.globalAlpha = 1;
      stroke(ctx, (path) => traceLine(path, { xs, ys: mean }, [0, xs.length], toX, toY));
    }
    ctx.globalAlpha = 0.25;
    for (const { raw, color } of lines) {
      if (!raw) continue;
      ctx.strokeStyle = color;
      stroke(ctx, (path) => traceLine(path, raw, visiblePlaces(raw.xs, from, to), toX, toY));
    }
    ctx.globalAlpha = 1;
    for (const line of lines) {
      ctx.strokeStyle = line.color;
      stroke(ctx, (path) => traceLine(path, line, visiblePlaces(line.xs, from, to), toX, toY));
    }
    for (const mark of marks) drawMark(ctx, mark, toX(mark.x), toY(mark.y), this.colors, scale);
  }

  // The series that is nearest to a place in pixels of the page, within `reach`; null when none is.
  nearest(left, top, reach = 40) {
    const { toX, toY } = this.transforms();
    const [px, py] = [left * devicePixelRatio, top * devicePixelRatio];
    const x = this.valueAtPart(px / this.frame.bbox.width, "x");
    let [found, closest] = [null, reach * devicePixelRatio];
    for (const line of this.series()) {
      const distance = distanceTo(line, x, px, py, toX, toY);
      if (distance < closest) [found, closest] = [line.id, distance];
    }
    return { id: found, x };
  }

  // All that can be pointed at: lines, or the means of bands, as {id, color, xs, ys}.
  series() {
    const { lines, bands } = this.picture;
    return bands.length ? bands.map((band) => ({ ...band, ys: band.mean })) : lines;
  }

  // Shows the crosshair at x, one series over the others, and a box that is being drawn: [left, top, right, bottom] in parts.
  // What moves with the pointer are elements, so that moving it draws no line; another series draws one, on another canvas.
  point({ x = null, id = null, box = null, marks = [] }) {
    if (!this.frame || !this.picture) return;
    const line = id === null ? null : (this.series().find((one) => one.id === id) ?? null);
    const isSame = this.shown && this.shown.picture === this.picture && this.shown.line === line && this.shown.marks === marks && !this.shown.box && !box;
    if (!isSame) this.#drawOverlay(line, box, marks);
    this.shown = { picture: this.picture, line, marks, box };
    const { toX, toY, width } = this.transforms();
    const left = x === null ? NaN : toX(x);
    place(this.crosshair, left >= 0 && left <= width ? [Math.round(left) / devicePixelRatio, 0] : null);
    const at = line && x !== null ? nearestPlace(line, x) : -1;
    const spot = at < 0 ? null : [toX(line.xs[at]), toY(line.ys[at])];
    if (line) this.dot.style.background = line.color;
    place(this.dot, spot?.every(Number.isFinite) && spot[0] >= 0 && spot[0] <= width ? spot.map((pixels) => pixels / devicePixelRatio) : null);
  }

  #drawOverlay(line, box, marks) {
    const { overlay } = this;
    const { toX, toY, width, height } = this.transforms();
    if (overlay.width !== Math.round(width) || overlay.height !== Math.round(height)) Object.assign(overlay, { width: Math.round(width), height: Math.round(height) });
    const ctx = overlay.getContext("2d");
    ctx.clearRect(0, 0, overlay.width, overlay.height);
    if (line && this.series().length > 1) {
      ctx.globalAlpha = 0.68;
      ctx.fillStyle = this.colors.background;
      ctx.fillRect(0, 0, overlay.width, overlay.height);
      ctx.globalAlpha = 1;
    }
    if (line) this.#emphasize(ctx, line, toX, toY, marks);
    if (box) {
      ctx.fillStyle = this.colors.accent;
      ctx.globalAlpha = 0.18;
      ctx.fillRect(box[0] * width, box[1] * height, (box[2] - box[0]) * width, (box[3] - box[1]) * height);
      ctx.globalAlpha = 1;
    }
  }

  #emphasize(ctx, line, toX, toY, marks) {
    const { from, to } = this.picture;
    ctx.strokeStyle = line.color;
    if (line.raw) {
      ctx.globalAlpha = 0.4;
      stroke(ctx, (path) => traceLine(path, line.raw, visiblePlaces(line.xs, from, to), toX, toY));
      ctx.globalAlpha = 1;
    }
    ctx.lineWidth = 2 * Math.max(devicePixelRatio, 1);
    stroke(ctx, (path) => traceLine(path, line, visiblePlaces(line.xs, from, to), toX, toY));
    ctx.lineWidth = 1;
    for (const mark of marks) drawMark(ctx, mark, toX(mark.x), toY(mark.y), this.colors);
  }

  // A picture of the chart with a title, as a PNG.
  toPng(title) {
    const { canvas } = this.frame.ctx;
    const copy = document.createElement("canvas");
    const head = Math.round(26 * devicePixelRatio);
    Object.assign(copy, { width: canvas.width, height: canvas.height + head });
    const ctx = copy.getContext("2d");
    ctx.fillStyle = this.colors.background;
    ctx.fillRect(0, 0, copy.width, copy.height);
    ctx.fillStyle = this.colors.text;
    ctx.font = `600 ${13 * devicePixelRatio}px ${this.colors.font}`;
    ctx.fillText(title, 10 * devicePixelRatio, 18 * devicePixelRatio, copy.width - 20 * devicePixelRatio);
    ctx.drawImage(canvas, 0, head);
    return new Promise((resolve) => copy.toBlob(resolve, "image/png"));
  }

  // The same as SVG, as text.
  toSvg(title) {
    const { width, height, bbox } = this.frame;
    const [left, top, wide, high] = [bbox.left, bbox.top, bbox.width, bbox.height].map((pixels) => pixels / devicePixelRatio);
    const head = 26;
    const pen = new SvgPen(width, height + head, this.colors.font);
    pen.fillStyle = this.colors.background;
    pen.rect(0, 0, width, height + head);
    pen.fill();
    pen.fillStyle = this.colors.text;
    pen.text(title, 10, 18, { size: 13, weight: 600 });
    const { toX, toY } = this.transforms(0, 0, wide, high);
    const ends = { toX: (x) => left + toX(x), toY: (y) => head + top + toY(y) };
    this.#drawAxes(pen, ends, [left, head + top, left + wide, head + top + high]);
    pen.within([left, head + top, wide, high], () => this.#drawLines(pen, ends, { width_px: 1.2, scale: 1 }));
    return pen.toString();
  }

  // Lines and labels where uPlot has put them, which it tells nobody but itself.
  #drawAxes(pen, { toX, toY }, [left, top, right, bottom]) {
    const { axes } = this.frame;
    Object.assign(pen, { strokeStyle: this.colors.grid, fillStyle: this.colors.muted, lineWidth: 1 });
    const line = (fromX, fromY, untilX, untilY) => {
      pen.beginPath();
      pen.moveTo(fromX, fromY);
      pen.lineTo(untilX, untilY);
      pen.stroke();
    };
    axes[0]._splits.forEach((at, index) => {
      line(toX(at), top, toX(at), bottom + 4);
      String(axes[0]._values[index] ?? "").split("\n").forEach((text, row) => pen.text(text, toX(at), bottom + 16 + 13 * row, { align: "middle" }));
    });
    axes[1]._splits.forEach((at, index) => {
      line(left - 4, toY(at), right, toY(at));
      pen.text(axes[1]._values[index] ?? "", left - 7, toY(at) + 4, { align: "end" });
    });
  }
}

function readColors() {
  return {
    muted: cssColor("muted"), grid: cssColor("grid"), strong: cssColor("line-strong"), text: cssColor("text"), background: cssColor("raised"),
    accent: cssColor("accent"), font: getComputedStyle(document.body).fontFamily,
  };
}

function stroke(ctx, trace) {
  ctx.beginPath();
  trace(ctx);
  ctx.stroke();
}

function fill(ctx, trace) {
  ctx.beginPath();
  trace(ctx);
  ctx.fill();
}

function addElement(parent, name, className) {
  const element = document.createElement(name);
  element.className = className;
  parent.append(element);
  return element;
}

function place(element, at) {
  element.style.display = at ? "block" : "none";
  if (at) element.style.transform = `translate(${at[0]}px, ${at[1]}px)`;
}

function disc(ctx, x, y, radius) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, Math.PI * 2);
  ctx.fill();
  ctx.stroke();
}

// A checkpoint is a dot, the best one a star.
function drawMark(ctx, { kind, color }, x, y, colors, scale = devicePixelRatio) {
  if (!Number.isFinite(x) || !Number.isFinite(y)) return;
  ctx.fillStyle = color;
  ctx.strokeStyle = colors.background;
  ctx.lineWidth = scale;
  if (kind !== "best") return disc(ctx, x, y, 2.5 * scale);
  const radius = 6 * scale;
  ctx.beginPath();
  for (let corner = 0; corner < 10; corner++) {
    const [angle, length] = [(corner * Math.PI) / 5 - Math.PI / 2, corner % 2 ? radius * 0.45 : radius];
    ctx.lineTo(x + Math.cos(angle) * length, y + Math.sin(angle) * length);
  }
  ctx.closePath();
  ctx.fill();
  return ctx.stroke();
}
