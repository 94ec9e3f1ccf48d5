// One chart and what a pointer and keys do with it: hover, wheel, drag, box, click; zooming is shared by all charts of a page.

import { point, chartView, setRange } from "../core/chartview.js";
import { nearestPlace } from "../core/curves.js";
import { makePicture } from "../core/picture.js";
import { panRange, zoomRange } from "../core/ranges.js";
import { canPlot, loadPlots, Plot } from "./plot.js";

const CLICK_PX = 4; // a pointer that moved less has clicked
const REST_MS = 120; // after the last movement, finer data is asked for
const DOUBLE_MS = 260; // a click waits so long for a second one, which resets the zoom

const NO_MARKS = [];
const controls = new WeakMap();

// The chart that an event happened in.
export function controlOf(event) {
  return controls.get(event.target.closest?.(".chart-area"));
}

let scrolledAt = 0;
document.addEventListener("scroll", () => (scrolledAt = performance.now()), { capture: true, passive: true });

export const doesWheelZoom = () => localStorage.getItem("keepsake.wheel") !== "scroll";
export const switchWheel = (on) => localStorage.setItem("keepsake.wheel", on ? "zoom" : "scroll");

export class ChartControl {
  // `tell` has onPicture(picture), onHover({x, id, left, top, series} or null), onOpen(id), onValue(id, x, picture) and
  // onSpeak(series, place).
  constructor(element, tell) {
    Object.assign(this, { element, tell, plot: new Plot(element), props: null, rangeY: null, drag: null, pointerAt: 0, frame: 0 });
    controls.set(element, this);
    this.unsubscribe = [chartView.subscribe(() => this.#onView())];
    this.shownRange = chartView.get().range;
    if (!canPlot()) loadPlots().then(() => this.draw(), () => {}); // the card says what went wrong
    const listen = (target, name, handler, options) => {
      target.addEventListener(name, handler, options);
      this.unsubscribe.push(() => target.removeEventListener(name, handler, options));
    };
    listen(element, "pointermove", (event) => this.#onMove(event));
    listen(element, "pointerleave", () => this.drag || this.#leave());
    listen(element, "pointerdown", (event) => this.#onDown(event));
    listen(element, "pointerup", (event) => this.#onUp(event));
    listen(element, "pointercancel", () => (this.drag = null));
    listen(element, "dblclick", () => this.reset());
    listen(element, "wheel", (event) => this.#onWheel(event), { passive: false });
    const recolor = () => this.plot.recolor();
    listen(window, "keepsake-theme", recolor);
    listen(matchMedia("(prefers-color-scheme: dark)"), "change", recolor);
  }

  // Shows something else; `props` are those of makePicture and `settings`, `width`, `height`, `marksOf(id)`.
  update(props) {
    if (this.props && this.props.settings.isLogY !== props.settings.isLogY) this.rangeY = null;
    this.props = props;
    this.draw();
  }

  // Draws before the next frame, once, however often it is called.
  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.#drawNow();
    });
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.restTimer);
    clearTimeout(this.clickTimer);
    this.unsubscribe.forEach((end) => end());
    this.plot.destroy();
    if (chartView.get().source === this) point(null, null, null);
  }

  #drawNow() {
    const { settings, width, height } = this.props ?? {};
    if (!width || !canPlot()) return;
    this.picture = makePicture(this.props, { ...settings, range: this.shownRange, rangeY: this.rangeY });
    if (this.picture) this.plot.show(this.picture, { xKind: settings.xKind, isLogX: settings.isLogX, isLogY: settings.isLogY, width, height });
    this.element.classList.toggle("empty", !this.picture);
    this.tell.onPicture(this.picture);
    queueMicrotask(() => this.#drawOverlay()); // uPlot draws in a microtask, too
  }

  #onView() {
    const { range } = chartView.get();
    if (range !== this.shownRange) {
      this.shownRange = range;
      this.draw();
      clearTimeout(this.restTimer);
      this.restTimer = setTimeout(() => this.props?.onRest?.(range), REST_MS);
    } else this.#drawOverlay();
  }

  #drawOverlay() {
    if (!this.picture) return;
    const { x, id, source } = chartView.get();
    this.plot.point({ x, id, box: this.drag?.box, marks: id !== null && source === this ? (this.props.marksOf?.(id, () => this.#drawOverlay()) ?? NO_MARKS) : NO_MARKS });
    this.tell.onValue(id, x, this.picture);
  }

  // Where an event is, in pixels and parts of the plot; null outside of it, unless something is being dragged.
  #placeOf(event) {
    if (!this.plot.frame) return null;
    const box = this.plot.frame.over.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    if (!this.drag && (left < 0 || top < 0 || left > box.width || top > box.height)) return null;
    return { left, top, x: left / box.width, y: 1 - top / box.height };
  }

  #onMove(event) {
    const place = this.#placeOf(event);
    if (!this.picture || !place) return this.drag ? undefined : this.#leave();
    if (event.movementX || event.movementY) this.pointerAt = performance.now();
    if (this.drag) return this.#onDrag(place);
    const { id, x } = this.plot.nearest(place.left, place.top);
    point(x, id, this);
    return this.tell.onHover({ x, id, left: event.clientX, top: event.clientY, series: this.plot.series() });
  }

  #leave() {
    if (chartView.get().source === this) point(null, null, null);
    this.tell.onHover(null);
  }

  #onDown(event) {
    const place = this.#placeOf(event);
    if (event.button || !place || !this.picture) return;
    const { from, to, low, high } = this.picture;
    this.drag = { place, isBox: event.shiftKey, range: [from, to], rangeY: [low, high], hasMoved: false, box: null };
    this.element.setPointerCapture(event.pointerId);
    if (event.shiftKey) event.preventDefault(); // no text is selected
  }

  #onDrag(place) {
    const { drag } = this;
    const [dx, dy] = [place.x - drag.place.x, place.y - drag.place.y];
    drag.hasMoved ||= Math.hypot(place.left - drag.place.left, place.top - drag.place.top) >= CLICK_PX;
    if (!drag.hasMoved) return;
    this.tell.onHover(null);
    if (drag.isBox) {
      const clip = (part) => Math.min(Math.max(part, 0), 1);
      const [xs, ys] = [[drag.place.x, place.x].map(clip).sort((a, b) => a - b), [drag.place.y, place.y].map(clip).sort((a, b) => a - b)];
      drag.box = [xs[0], 1 - ys[1], xs[1], 1 - ys[0]];
      drag.parts = { xs, ys };
      this.#drawOverlay();
      return;
    }
    const { settings } = this.props;
    if (this.rangeY) this.rangeY = panRange(drag.rangeY, -dy, drag.rangeY, settings.isLogY);
    setRange(panRange(drag.range, -dx, this.picture.all, settings.isLogX));
  }

  #onUp(event) {
    const { drag } = this;
    this.drag = null;
    if (!drag) return;
    if (drag.parts) {
      const { xs, ys } = drag.parts;
      if (xs[1] - xs[0] > 0.01) {
        if (ys[1] - ys[0] > 0.02) this.rangeY = ys.map((part) => this.plot.valueAtPart(part, "y"));
        setRange(xs.map((part) => this.plot.valueAtPart(part, "x")));
      }
      this.#drawOverlay();
    } else if (!drag.hasMoved && !event.shiftKey) {
      clearTimeout(this.clickTimer);
      const { id } = this.plot.nearest(drag.place.left, drag.place.top);
      if (id !== null && event.detail < 2 && !id.startsWith("group:")) this.clickTimer = setTimeout(() => this.tell.onOpen(id), DOUBLE_MS);
    }
  }

  // A wheel zooms where the pointer was moved into the chart on purpose; one that scrolls the page goes on scrolling it
  // when a chart comes to lie under the pointer. With Ctrl it is the browser's.
  #onWheel(event) {
    const place = this.#placeOf(event);
    if (!place || event.ctrlKey || !doesWheelZoom() || this.pointerAt <= scrolledAt || !this.picture) return;
    event.preventDefault();
    const amount = event.deltaY * (event.deltaMode ? 33 : 1);
    this.zoom(1.0015 ** amount, this.plot.valueAtPart(place.x, "x"));
  }

  zoom(factor, center = null) {
    if (!this.picture) return;
    const { from, to, all } = this.picture;
    const { isLogX } = this.props.settings;
    const range = zoomRange([from, to], center ?? this.plot.valueAtPart(0.5, "x"), factor, isLogX);
    if (range) setRange(range[0] <= all[0] && range[1] >= all[1] ? null : range);
  }

  pan(part) {
    if (this.picture) setRange(panRange([this.picture.from, this.picture.to], part, this.picture.all, this.props.settings.isLogX));
  }

  reset() {
    clearTimeout(this.clickTimer);
    this.rangeY = null;
    setRange(null);
    this.draw();
  }

  // Goes to the next series by its value at the crosshair, which is put into the middle when there is none.
  step(by) {
    if (!this.picture) return;
    const view = chartView.get();
    const x = view.x ?? this.plot.valueAtPart(0.5, "x");
    const sorted = sortedAt(this.plot.series(), x);
    if (!sorted.length) return;
    const at = sorted.findIndex(({ series }) => series.id === view.id);
    const next = sorted[at < 0 ? 0 : (at + by + sorted.length) % sorted.length];
    point(x, next.series.id, this);
    this.tell.onSpeak(next.series, next.place);
  }

  // Moves the crosshair along x, by a part of what is seen.
  move(part) {
    if (!this.picture) return;
    const { x, id } = chartView.get();
    const { toX, width } = this.plot.transforms();
    const at = Math.min(Math.max((x === null ? 0.5 : toX(x) / width) + part, 0), 1);
    const moved = this.plot.valueAtPart(at, "x");
    point(moved, id, this);
    const series = this.plot.series().find((one) => one.id === id);
    if (series && nearestPlace(series, moved) >= 0) this.tell.onSpeak(series, nearestPlace(series, moved));
  }
}

// Returns [{series, place}] of what has a value near x, the largest first.
export function sortedAt(all, x) {
  const found = all.map((series) => ({ series, place: nearestPlace(series, x) })).filter(({ place }) => place >= 0);
  return found.sort((a, b) => b.series.ys[b.place] - a.series.ys[a.place]);
}
