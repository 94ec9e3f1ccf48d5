// Asks the server, or in a static export the files that stand for its answers. Nothing else fetches.
//
// Errors of every kind become an ApiError with what happened and what to do next.

export const isStatic = document.documentElement.dataset.mode === "static";

export const startAddress = document.documentElement.dataset.start; // of a report, which is an export in one file

export class ApiError extends Error {
  constructor(message, { status = 0, kind = "unreachable", hint = "", at = null, candidates = [] } = {}) {
    super(message);
    Object.assign(this, { status, kind, hint, at, candidates });
  }
}

// Returns the path and query of an endpoint; a parameter that is a list is repeated, one that is null is left out.
export function endpoint(path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== null && one !== undefined) query.append(name, one);
  }
  const text = query.toString();
  return `/api/v1/${path}${text ? `?${text}` : ""}`;
}

export async function getJson(path, params = {}, options = {}) {
  if (isStatic) return frozenAnswer(path, params);
  const answer = await ask(endpoint(path, params), options);
  return answer.status === 204 ? null : answer.json();
}

export async function getBytes(path, params = {}, options = {}) {
  return (await ask(endpoint(path, params), options)).arrayBuffer();
}

// Where the bytes of a file are; `image` asks for one that can stand in an <img>. Null in an export, which has none.
export function fileAddress(id, path, { image = false } = {}) {
  return isStatic ? null : endpoint(`files/${id}`, { path, as: image ? "image" : null });
}

async function ask(address, { signal } = {}) {
  let answer;
  try {
    answer = await fetch(address, { signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("the server does not answer", { hint: "is `keepsake ui` still running?" });
  }
  if (answer.ok) return answer;
  const { error } = await answer.json().catch(() => ({}));
  throw new ApiError(error?.message ?? `the server answered ${answer.status}`, { status: answer.status, ...error });
}

// An export keeps each answer as a script that hands it over, since a page opened from a folder may fetch nothing.
const waiting = new Map();
let known = []; // ids of the experiments, by which their answers are named

export function notExported() {
  return new ApiError("this is not part of the export", { status: 404, kind: "not_exported", hint: "`keepsake ui` shows everything" });
}

export function knowIds(ids) {
  known = ids;
}

// Names in an export have ids as they were exported: those of the table, and the first 16 digits of a checkpoint's.
function frozenId(segment) {
  if (!/^[0-9a-f]{3,64}$/.test(segment)) return segment;
  return known.find((id) => id.startsWith(segment) || segment.startsWith(id)) ?? segment.slice(0, 16);
}

window.keepsakeAnswer = (name, body) => waiting.get(name)?.(body);

function frozenAnswer(path, params) {
  const name = endpoint(path.split("/").map(frozenId).join("/"), params).slice("/api/v1/".length);
  if (startAddress !== undefined) return answerInPage(name);
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    waiting.set(name, (body) => {
      waiting.delete(name);
      resolve(body);
    });
    script.onerror = () => {
      reject(notExported());
    };
    script.onload = () => script.remove();
    script.src = `data/${frozenName(name)}.js`; // beside the page, also when that is in a bucket
    document.head.append(script);
  });
}

async function answerInPage(name) {
  const found = document.querySelector(`script[data-answer="${CSS.escape(name)}"]`);
  if (!found) throw notExported();
  return JSON.parse(found.textContent);
}

// The file of an answer: letters, digits, `-`, `_` and `/` as they are, anything else as `.` and its code in hex.
export function frozenName(name) {
  return name.replace(/[^A-Za-z0-9_/-]/gu, (letter) => `.${letter.codePointAt(0).toString(16)}`);
}
