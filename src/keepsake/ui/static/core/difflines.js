// The changed lines of a file as rows to show, from the hunks of a unified diff. Pure.
//
// A row is {kind, old, new, text}: kind is `same`, `added`, `removed`, `note` (of a last line without an end) or `gap`;
// `old` and `new` are line numbers from 1, null where the line is not. A gap says how many lines are left out: {kind,
// oldFrom, newFrom, count}; `count` is null after the last hunk, since nobody said how long the file is.

const MOST_LETTERS = 2000; // longer lines are not compared by words
const MOST_PRODUCTS = 40_000; // nor are lines with more pairs of words than this

const KINDS = { " ": "same", "+": "added", "-": "removed", "\\": "note" };

export function hunkRows(hunks) {
  const rows = [];
  let [oldNext, newNext] = [1, 1];
  for (const hunk of hunks) {
    // The number of an empty side is that of the line before.
    const [oldStart, newStart] = [hunk.old_start + (hunk.old_count ? 0 : 1), hunk.new_start + (hunk.new_count ? 0 : 1)];
    if (newStart > newNext) rows.push({ kind: "gap", oldFrom: oldNext, newFrom: newNext, count: newStart - newNext });
    [oldNext, newNext] = [oldStart, newStart];
    for (const line of hunk.lines) {
      const kind = KINDS[line[0]] ?? "same";
      const row = { kind, old: null, new: null, text: kind === "note" ? line : line.slice(1) };
      if (kind === "same" || kind === "removed") row.old = oldNext++;
      if (kind === "same" || kind === "added") row.new = newNext++;
      rows.push(row);
    }
  }
  if (hunks.length) rows.push({ kind: "gap", oldFrom: oldNext, newFrom: newNext, count: null });
  return rows.map(withoutReturn(rows));
}

// Returns a function that takes the `\r` of a Windows line end off a row, unless it may be what has changed.
function withoutReturn(rows) {
  const isChanged = ({ kind }) => kind === "added" || kind === "removed";
  const isMixed = new Set(rows.filter(isChanged).map(({ text }) => text.endsWith("\r"))).size > 1;
  return (row) => (row.text?.endsWith("\r") && !(isMixed && isChanged(row)) ? { ...row, text: row.text.slice(0, -1) } : row);
}

// Returns the rows with some gaps filled from the lines of the new file; `filled` holds their `newFrom`.
export function fillGaps(rows, lines, filled) {
  return rows.flatMap((row) => {
    if (row.kind !== "gap" || !filled.has(row.newFrom)) return [row];
    const stop = row.count === null ? lines.length : row.newFrom - 1 + row.count;
    return lines.slice(row.newFrom - 1, stop).map((text, index) => ({ kind: "same", old: row.oldFrom + index, new: row.newFrom + index, text }));
  });
}

// Returns runs of removed and added rows that stand for each other: [{removed: [indices], added: [indices]}].
function changes(rows) {
  const found = [];
  let run = null;
  rows.forEach(({ kind }, index) => {
    if (kind === "removed" || kind === "added") {
      if (!run) found.push((run = { removed: [], added: [] }));
      run[kind].push(index);
    } else if (kind !== "note") run = null;
  });
  return found;
}

// Returns the rows of both sides next to each other: [{left, right}] of indices into `rows`, null where a side has nothing.
// A gap or a note that belongs to both stands on both.
export function splitRows(rows) {
  const pairs = [];
  let waiting = { left: [], right: [] };
  const flush = () => {
    const { left, right } = waiting;
    for (let row = 0; row < Math.max(left.length, right.length); row++) pairs.push({ left: left[row] ?? null, right: right[row] ?? null });
    waiting = { left: [], right: [] };
  };
  let last = "";
  rows.forEach(({ kind }, index) => {
    const side = kind === "note" ? last : kind;
    if (side === "removed") waiting.left.push(index);
    else if (side === "added") waiting.right.push(index);
    else {
      flush();
      pairs.push({ left: index, right: index });
    }
    if (kind !== "note") last = kind;
  });
  flush();
  return pairs;
}

// Returns for each changed row the ranges of letters that differ from the line it stands for: Map(index -> [[start, stop]]).
// Lines that have next to nothing in common stay unmarked: all of them has changed, which their colour says already.
export function wordMarks(rows) {
  const marks = new Map();
  for (const { removed, added } of changes(rows)) {
    for (let pair = 0; pair < Math.min(removed.length, added.length); pair++) {
      const found = compareWords(rows[removed[pair]].text, rows[added[pair]].text);
      if (found) {
        marks.set(removed[pair], found[0]);
        marks.set(added[pair], found[1]);
      }
    }
  }
  return marks;
}

// Where changes begin, to go from one to the next.
export function changePlaces(rows) {
  return changes(rows).map(({ removed, added }) => Math.min(removed[0] ?? Infinity, added[0] ?? Infinity));
}

const WORDS = /[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu;

// Returns the ranges of letters in which two lines differ, [ofOld, ofNew]; null when they share too little.
export function compareWords(old, now) {
  if (Math.max(old.length, now.length) > MOST_LETTERS) return null;
  let [a, b] = [old.match(WORDS) ?? [], now.match(WORDS) ?? []];
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const [headText, tail] = [a.slice(0, start).join(""), end];
  [a, b] = [a.slice(start, a.length - tail), b.slice(start, b.length - tail)];
  if (a.length * b.length > MOST_PRODUCTS) return null;
  const [keptA, keptB] = commonWords(a, b);
  const shared = old.length - lettersLeft(a, keptA);
  if (shared < 0.3 * Math.min(old.length, now.length)) return null;
  return [rangesLeft(a, keptA, headText.length), rangesLeft(b, keptB, headText.length)];
}

// The longest common subsequence by dynamic programming, over words: which of each side are kept.
function commonWords(a, b) {
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i] === b[j] ? lengths[(i + 1) * width + j + 1] + 1 : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  const [keptA, keptB] = [new Array(a.length).fill(false), new Array(b.length).fill(false)];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) keptA[i++] = keptB[j++] = true;
    else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i++;
    else j++;
  }
  return [keptA, keptB];
}

function lettersLeft(words, kept) {
  return words.reduce((sum, word, index) => sum + (kept[index] && word.trim() ? 0 : word.length), 0);
}

// White space between two words that changed is part of the change: one mark reads better than three.
function rangesLeft(words, kept, offset) {
  const ranges = [];
  let position = offset;
  words.forEach((word, index) => {
    const isBetween = kept[index] && !word.trim() && index > 0 && index < words.length - 1 && !kept[index - 1] && !kept[index + 1];
    if (!kept[index] || isBetween) {
      if (ranges.length && ranges.at(-1)[1] === position) ranges.at(-1)[1] += word.length;
      else ranges.push([position, position + word.length]);
    }
    position += word.length;
  });
  return ranges;
}
