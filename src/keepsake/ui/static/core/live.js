// Keeps the page up to date: asks every second while something runs, seldom when nothing does, never while it is hidden.

import { isStatic } from "./api.js";
import { model, update } from "./model.js";

const BUSY_MS = 1000;
const IDLE_MS = 10_000;
const MOST_MS = 60_000; // between tries when the server does not answer

let timer = 0;
let failures = 0;

export function startLive() {
  if (isStatic) return;
  document.addEventListener("visibilitychange", () => schedule(document.hidden ? null : 0));
  schedule(BUSY_MS);
}

export function switchLive(isLive) {
  model.set({ isLive });
  schedule(isLive ? 0 : null);
}

// Asks at once, whatever was planned.
export function refresh() {
  return tick();
}

function schedule(delay_ms) {
  clearTimeout(timer);
  if (delay_ms === null || !model.get().isLive || document.hidden) return;
  timer = setTimeout(tick, delay_ms);
}

async function tick() {
  clearTimeout(timer);
  try {
    await update();
    failures = 0;
    model.set({ connection: countRunning() ? "live" : "idle" });
    schedule(countRunning() ? BUSY_MS : IDLE_MS);
  } catch (error) {
    failures++;
    model.set({ connection: "failed", error });
    schedule(Math.min(BUSY_MS * 2 ** failures, MOST_MS));
  }
}

function countRunning() {
  const status = model.get().table.column("status");
  return status ? status.values.filter((value) => value === "running").length : 0;
}
