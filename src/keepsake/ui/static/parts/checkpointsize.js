// How large the files of a checkpoint are, asked for when its row has been in view for a moment.

import { html, useEffect, useState } from "./ui.js";
import { getJson, isStatic } from "../core/api.js";
import { formatBytes } from "../core/values.js";

const REST_MS = 200; // rows that scroll by are not asked about
const AT_ONCE = 2;

const known = new Map();
const waiting = [];
let asking = 0;

// What a checkpoint holds never changes, so it is asked for once.
export function CheckpointSize({ checkpoint: { id, path } }) {
  const [size, setSize] = useState(known.get(id) ?? null);
  useEffect(() => {
    if (isStatic || !path || known.has(id)) return undefined;
    const job = { id, setSize };
    const timer = setTimeout(() => {
      waiting.push(job);
      next();
    }, REST_MS);
    return () => {
      clearTimeout(timer);
      job.setSize = null;
      if (waiting.includes(job)) waiting.splice(waiting.indexOf(job), 1);
    };
  }, [id]);
  return size === null ? html`<span class="muted">${path && !isStatic ? "…" : ""}</span>` : formatBytes(size);
}

async function next() {
  if (asking >= AT_ONCE || !waiting.length) return;
  const job = waiting.shift();
  asking++;
  try {
    const { files } = await getJson(`checkpoints/${job.id}/files`);
    known.set(job.id, files.filter((file) => file.source === "checkpoint").reduce((sum, file) => sum + (file.size_bytes ?? 0), 0));
    job.setSize?.(known.get(job.id));
  } catch {
    job.setSize?.(null); // the tab of files says why
  }
  asking--;
  next();
}
