// Work that can wait.

const MOST_MS = 200;

// Resolves when what was drawn has been painted and the browser has nothing else to do, or not much later.
export function idle() {
  // Safari has no idle callbacks.
  const afterPaint = window.requestIdleCallback ? (then) => requestIdleCallback(then, { timeout: MOST_MS }) : setTimeout;
  return new Promise((resolve) => requestAnimationFrame(() => afterPaint(resolve)));
}
