// Colours by a third value: a scale of numbers in steps, or a colour a choice; with a legend.

import { colorAt, scaleColor } from "./colors.js";
import { cssColor } from "./theme.js";
import { formatValue, isMissing } from "./values.js";

const STEPS = 24; // of a number scale: what is drawn in one colour is drawn at once
const MOST_CHOICES = 10; // with a colour of their own

// Returns {count, indexOf(value), colorOf(index), legend}: the colours are numbered, the last one is for what has no value.
// `scale` is one of core/axes.js, or null for one colour.
export function makeShades(scale) {
  if (!scale) return { count: 1, indexOf: () => 0, colorOf: () => cssColor("accent"), legend: [] };
  if (scale.kind === "choice") {
    const shown = scale.choices.slice(0, MOST_CHOICES);
    const legend = shown.map((choice, index) => ({ label: formatValue(choice), color: colorAt(index) }));
    if (scale.choices.length > MOST_CHOICES) legend.push({ label: `${scale.choices.length - MOST_CHOICES} others`, color: cssColor("line-strong") });
    const indexOf = (value) => {
      const part = scale.toPart(value);
      return Number.isNaN(part) ? MOST_CHOICES : Math.min(Math.floor(part * scale.choices.length), MOST_CHOICES);
    };
    return { count: MOST_CHOICES + 1, indexOf, colorOf: (index) => (index < MOST_CHOICES ? colorAt(index) : cssColor("line-strong")), legend };
  }
  const indexOf = (value) => {
    const part = isMissing(value) ? NaN : scale.toPart(value);
    return Number.isNaN(part) ? STEPS : Math.min(Math.max(Math.floor(part * STEPS), 0), STEPS - 1);
  };
  const colorOf = (index) => {
    const [first, last] = isDark() ? [0.28, 1] : [0, 0.88]; // the ends that can be told from the background
    return index < STEPS ? scaleColor(first + ((index + 0.5) / STEPS) * (last - first)) : cssColor("line-strong");
  };
  return { count: STEPS + 1, indexOf, colorOf, legend: null };
}

function isDark() {
  return Number.parseInt(cssColor("bg").slice(1, 3), 16) < 128;
}
