// Curves that are asked for before the charts are drawn that will want them: the server works on them meanwhile.
//
// How wide charts will be is foretold from what css/charts.css says. Where that is off by much, a chart asks for itself, as one
// does that comes into view later.

import { getBytes, isStatic } from "./api.js";
import { groupMetrics } from "./chartsettings.js";
import { model } from "./model.js";

const NARROW_PX = 800; // below, the list of experiments stands above the charts, of which there is one in a row
const LIST_PX = 250;
const PADDING_PX = 28;
const GAP_PX = 12;
const CARD_PX = 14; // of its border and padding
const LEAST_PX = 340;
const ROW_PX = 295;
const STEP_PX = 256;

// Widths are asked for in steps: a curve of 2,000 points is sent as it is to a chart across a page, where leaving out every
// twentieth would take the server longer than it saves.
export const stepped = (width) => Math.ceil(width / STEP_PX) * STEP_PX;

let key = "";
const asked = new Map(); // by metric: {width, bytes}, or null once a chart has taken it, or asked itself

// Asks for the curves of the charts that will be seen first.
export function askAhead(metrics, ids, settings) {
  if (isStatic || !ids.length) return;
  const { x } = settings;
  forget(keyOf(ids, x));
  const { across, width } = layout(settings);
  const open = settings.full ? [settings.full] : groupMetrics(metrics, settings).filter((section) => !settings.closed.includes(section.key)).flatMap((section) => section.metrics);
  for (const metric of open.slice(0, across * Math.ceil(innerHeight / ROW_PX))) {
    if (!metrics.includes(metric) || asked.has(metric)) continue;
    const bytes = askCurves({ ids, metric, x, width });
    bytes.catch(() => {}); // told to the chart that takes it
    asked.set(metric, { width, bytes });
  }
}

// Returns {width, bytes} of what was asked for a chart, once; null when it was not, or something has changed since.
export function takeAhead({ ids, metric, x, width }) {
  forget(keyOf(ids, x));
  const found = asked.get(metric);
  asked.set(metric, null);
  return found?.width >= width && found.width < 2 * stepped(width) ? found : null;
}

export function askCurves({ ids, metric, x, width, from = null, to = null }, signal) {
  return getBytes("curves", { ids: ids.join(","), metric, x, width: Math.round(width), from, to }, { signal });
}

const keyOf = (ids, x) => `${model.get().revision} ${x} ${ids.join()}`;

function forget(now) {
  if (now !== key) asked.clear();
  key = now;
}

function layout({ across, full }) {
  const isNarrow = innerWidth <= NARROW_PX;
  const room = innerWidth - PADDING_PX - (isNarrow ? 0 : LIST_PX);
  const count = isNarrow || full ? 1 : across || Math.max(Math.floor((room + GAP_PX) / (LEAST_PX + GAP_PX)), 1);
  return { across: count, width: stepped(((room + GAP_PX) / count - GAP_PX - CARD_PX) * devicePixelRatio) };
}
