// Values of params and metrics: how they are ordered and written. The rules are those of the filter language.

// NaN and the infinities arrive as texts, since JSON has none.
export function toNumber(value) {
  if (typeof value === "number") return value;
  return value === "NaN" ? NaN : value === "Infinity" ? Infinity : value === "-Infinity" ? -Infinity : null;
}

// Whether it counts as no value when ordered: null and NaN are always last.
export function isMissing(value) {
  return value === null || value === undefined || value === "NaN" || (Array.isArray(value) && value.length === 0);
}

function rank(value) {
  if (typeof value === "boolean") return 0;
  if (typeof value === "number" || toNumber(value) !== null) return 1;
  return typeof value === "string" ? 2 : 3;
}

// Compares two values that are there: booleans, then numbers, texts and the rest.
export function compareValues(a, b) {
  const ranks = rank(a) - rank(b);
  if (ranks) return ranks;
  let [x, y] = [a, b];
  if (rank(a) === 1) [x, y] = [toNumber(a), toNumber(b)];
  if (rank(a) === 3) [x, y] = [JSON.stringify(a), JSON.stringify(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

// Returns the places in the order of one column's values; what is missing comes last both ways, equals keep their order.
export function sortPlaces(places, values, isDescending) {
  const present = places.filter((place) => !isMissing(values[place]));
  const missing = places.filter((place) => isMissing(values[place]));
  present.sort((a, b) => (isDescending ? compareValues(values[b], values[a]) : compareValues(values[a], values[b])));
  return [...present, ...missing];
}

// Compares names as people order them: `layer.9` comes before `layer.10`, and capitals make no difference but the last one.
// (`localeCompare` does that, too, but its first call takes as long as drawing four charts.)
export function compareNames(a, b) {
  const [as, bs] = [a, b].map((name) => name.toLowerCase().split(/(\d+)/)); // what is odd are digits
  const at = as.findIndex((part, place) => part !== bs[place]);
  if (at < 0) return as.length - bs.length || (a < b ? -1 : a > b ? 1 : 0);
  const ordered = at % 2 && at < bs.length ? Number(as[at]) - Number(bs[at]) : 0;
  return ordered || (as[at] < (bs[at] ?? "") ? -1 : 1);
}

// Writes a number with six significant digits, as `keepsake ls` does.
export function formatNumber(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  if (!Number.isFinite(value)) return String(value).replace("Infinity", "inf").replace("NaN", "nan");
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(5).replace(/\.?0+e/, "e").replace(/e([+-])(\d)$/, "e$10$2");
  return String(Number(value.toPrecision(6)));
}

// Writes a count with commas. `toLocaleString` does, too, but its first call holds up the first page.
export function formatCount(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

export function formatValue(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number") return formatNumber(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export function formatBytes(size) {
  if (size < 1000) return `${size} B`;
  let unit = -1;
  while (size >= 999.5 && unit < 4) [size, unit] = [size / 1000, unit + 1];
  return `${size.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0)} ${["kB", "MB", "GB", "TB", "PB"][unit]}`;
}

export function formatDuration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 59.95) return `${Math.max(seconds, 0).toFixed(1)}s`;
  const minutes = Math.round(seconds / 60);
  const two = (number) => String(number).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(Math.floor(seconds % 60))}s`;
  if (minutes < 1440) return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
  return `${Math.floor(minutes / 1440)}d ${two(Math.floor((minutes % 1440) / 60))}h`;
}

// Writes a time of the server (ISO 8601, UTC) in the reader's time zone.
export function formatTime(text, { seconds = false } = {}) {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return text ?? "";
  const two = (number) => String(number).padStart(2, "0");
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}${seconds ? `:${two(time.getSeconds())}` : ""}`;
}

// How long ago, in one unit; beyond a month the day itself.
export function formatAge(text, now = Date.now()) {
  const seconds = (now - new Date(text)) / 1000;
  if (!(seconds < 30 * 86400)) return formatTime(text).slice(0, 10);
  if (seconds < 60) return "just now";
  const [size, unit] = seconds < 3600 ? [60, "minute"] : seconds < 86400 ? [3600, "hour"] : [86400, "day"];
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}

export function shortId(id) {
  return id.slice(0, 7);
}

// Letters that show nothing and turn or hide what stands beside them (https://trojansource.codes): controls, and marks of
// the writing direction. Tabs and ends of lines stay, those of Windows too.
const UNSEEN = /\r(?!\n)|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

// Returns the text with each of them as a sign that is seen.
export function showUnseen(text) {
  return text.replace(UNSEEN, "\ufffd");
}
