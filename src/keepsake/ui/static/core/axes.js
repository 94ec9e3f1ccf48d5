// Scales of the axes: numbers, numbers on a log axis, and choices; from a value to a part of the axis and back, with ticks.

import { compareValues, formatNumber, formatValue, isMissing, toNumber } from "./values.js";

// Returns {kind, label, toPart, fromPart, ticks}: `toPart(value)` is 0 to 1 along the axis, NaN where it has no place;
// `ticks(count)` are [{part, label}]. `kind` is linear, log, or choice with `choices` in their order.
export function makeScale(values, { isLog = false } = {}) {
  const numbers = values.filter((value) => !isMissing(value)).map(toNumber);
  if (numbers.length && numbers.every((number) => number !== null)) {
    const finite = numbers.filter((number) => Number.isFinite(number) && (!isLog || number > 0));
    if (finite.length) return numberScale(smallest(finite), largest(finite), isLog);
  }
  return choiceScale(values);
}

export function numberScale(low, high, isLog) {
  const [from, to] = low < high ? [low, high] : isLog ? [low / 2, low * 2] : [low - (Math.abs(low) || 1) / 2, low + (Math.abs(low) || 1) / 2];
  const [start, length] = isLog ? [Math.log10(from), Math.log10(to) - Math.log10(from)] : [from, to - from];
  const toPart = (value) => {
    const number = typeof value === "number" ? value : (toNumber(value) ?? NaN);
    if (!Number.isFinite(number)) return NaN;
    return isLog ? (number > 0 ? (Math.log10(number) - start) / length : NaN) : (number - start) / length;
  };
  const fromPart = (part) => (isLog ? 10 ** (start + part * length) : start + part * length);
  const ticks = (count) => (isLog ? logTicks(from, to, count) : linearTicks(from, to, count)).map((value) => ({ part: toPart(value), value, label: formatTick(value) }));
  return { kind: isLog ? "log" : "linear", from, to, toPart, fromPart, ticks };
}

function choiceScale(values) {
  const known = new Map();
  for (const value of values) if (!isMissing(value)) known.set(choiceKey(value), value);
  const choices = [...known.values()].sort(compareValues);
  const places = new Map(choices.map((value, place) => [choiceKey(value), place]));
  const partOf = (place) => (place + 0.5) / choices.length;
  const toPart = (value) => (isMissing(value) || !places.has(choiceKey(value)) ? NaN : partOf(places.get(choiceKey(value))));
  const ticks = (count) => {
    const every = Math.max(Math.ceil(choices.length / Math.max(count, 1)), 1);
    return choices.filter((_, place) => place % every === 0).map((value, index) => ({ part: partOf(index * every), value, label: formatValue(value) }));
  };
  return { kind: "choice", choices, toPart, fromPart: (part) => choices[Math.min(Math.max(Math.floor(part * choices.length), 0), choices.length - 1)], ticks };
}

const choiceKey = (value) => (typeof value === "object" ? JSON.stringify(value) : `${typeof value}:${value}`);

// Round numbers in a range: multiples of 1, 2 or 5 times a power of ten.
export function linearTicks(from, to, count) {
  const rough = (to - from) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999) ?? power * 10;
  if (!(step > 0) || !Number.isFinite(step)) return [from];
  const ticks = [];
  for (let index = Math.ceil(from / step - 1e-9); index <= to / step + 1e-9 && ticks.length < 100; index++) ticks.push(Number((index * step).toPrecision(12)));
  return ticks;
}

// Powers of ten, or every second, third, … of them; in a short range 1, 2, 5 of each; in a shorter one as on a linear axis.
export function logTicks(from, to, count) {
  const [low, high] = [Math.log10(from), Math.log10(to)];
  const decades = high - low;
  if (decades < 1) return linearTicks(from, to, count).filter((value) => value > 0);
  const factors = decades * 3 <= count ? [1, 2, 5] : [1];
  const every = Math.max(Math.ceil(decades / Math.max(count, 1)), 1);
  const ticks = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
    if (power % every) continue;
    for (const factor of factors) {
      const value = Number(`${factor}e${power}`);
      if (value >= from * (1 - 1e-9) && value <= to * (1 + 1e-9)) ticks.push(value);
    }
  }
  return ticks.length > 1 ? ticks : linearTicks(from, to, count).filter((value) => value > 0);
}

// A tick's label: short, and no digits that come from adding.
export function formatTick(value) {
  const size = Math.abs(value);
  if (size >= 1e4 && size < 1e15) {
    const [unit, letter] = size >= 1e12 ? [1e12, "T"] : size >= 1e9 ? [1e9, "G"] : size >= 1e6 ? [1e6, "M"] : [1e3, "k"];
    return `${Number((value / unit).toPrecision(6))}${letter}`;
  }
  if (size !== 0 && size < 1e-3) return value.toExponential(4).replace(/\.?0+e/, "e").replace("e+", "e");
  return formatNumber(value);
}

// A length of time on an axis, in seconds: two units at most.
export function formatSeconds(value) {
  const size = Math.abs(value);
  if (size < 60) return `${formatTick(Number(value.toPrecision(6)))}s`;
  const [unit, name, part, partName] = size < 3600 ? [60, "m", 1, "s"] : size < 86400 ? [3600, "h", 60, "m"] : [86400, "d", 3600, "h"];
  const whole = Math.trunc(value / unit);
  const rest = Math.round(Math.abs(value - whole * unit) / part);
  return rest ? `${whole}${name} ${rest}${partName}` : `${whole}${name}`;
}

// Round lengths of time: as `linearTicks`, with steps that divide minutes, hours and days.
export function timeTicks(from, to, count) {
  const rough = (to - from) / Math.max(count, 1);
  if (rough < 1) return linearTicks(from, to, count);
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400].find((size) => size >= rough * 0.999);
  if (!step) return linearTicks(from / 86400, to / 86400, count).map((days) => days * 86400);
  return Array.from({ length: Math.max(Math.floor(to / step + 1e-9) - Math.ceil(from / step - 1e-9) + 1, 0) }, (_, index) => (Math.ceil(from / step - 1e-9) + index) * step);
}

// Round moments in the reader's time zone, in seconds since 1970; beyond a day, midnights.
export function wallTicks(from, to, count) {
  const shift = new Date(from * 1000).getTimezoneOffset() * 60;
  return timeTicks(from - shift, to - shift, count).map((tick) => tick + shift);
}

// Their labels: the time, and below it the day where it begins; for the first always.
export function formatWall(ticks) {
  const two = (number) => String(number).padStart(2, "0");
  const isFine = ticks.length > 1 && ticks[1] - ticks[0] < 60;
  let day = "";
  return ticks.map((tick) => {
    const time = new Date(tick * 1000);
    const today = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
    const isNew = today !== day;
    day = today;
    return `${two(time.getHours())}:${two(time.getMinutes())}${isFine ? `:${two(time.getSeconds())}` : ""}${isNew ? `\n${today}` : ""}`;
  });
}

// Not `Math.min(...values)`: that many arguments do not fit on a stack.
const smallest = (values) => values.reduce((low, value) => (value < low ? value : low), Infinity);
const largest = (values) => values.reduce((high, value) => (value > high ? value : high), -Infinity);
