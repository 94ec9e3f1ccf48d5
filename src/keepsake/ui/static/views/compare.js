// Two or more experiments or checkpoints next to each other: what `keepsake diff` says, section by section.
//
// The path names them (`a...b`, each an id or `id@best`, `id@latest`, `id@step`); each is compared with the first. Names
// and values are asked for first, since files and tensors take longer.

import { html, useEffect, useLayoutEffect, useLoaded, useRef, useState, useStore } from "../parts/ui.js";
import { getJson, isStatic, notExported, startAddress } from "../core/api.js";
import { current, go, href, linkTo, setQuery, sharedAddress } from "../core/address.js";
import { formatSide, formatSides, parseSides, toMarkdown } from "../core/comparison.js";
import { frozenDiff } from "../core/frozendiff.js";
import { bindKeys } from "../core/keys.js";
import { model } from "../core/model.js";
import { ChangedFiles, CodeChanges, ImageChanges, TensorChanges } from "../parts/comparefiles.js";
import { CurvesOverlay } from "../parts/comparecurves.js";
import { RowsSection, Section, SideHeads, Summary } from "../parts/comparerows.js";
import { goToChange } from "../parts/diff.js";
import { Empty, Failure, Loading } from "../parts/message.js";
import { Copy } from "../parts/small.js";

const ROWS = [["params", "Params"], ["metrics", "Metrics"], ["environment", "Environment"], ["packages", "Packages"], ["git", "Git"]];
const MOST = 8;

export function Compare() {
  const { parts, query } = useStore(current);
  const sides = parseSides(parts[0]).slice(0, MOST);
  const asked = formatSides(sides);
  if (sides.length < 2) return html`<${TooFew} sides=${sides} />`;
  return html`<${Comparison} key=${asked} sides=${sides} query=${query} />`;
}

// A report has the comparison with which it begins; another export has none.
async function askDiff(ids, only, signal) {
  if (isStatic && startAddress === undefined) throw notExported();
  return getJson("diff", { ids, only, all: 1 }, { signal });
}

function Comparison({ sides, query }) {
  const ids = sides.map(formatSide).join(",");
  const rows = useLoaded((signal) => askDiff(ids, ROWS.map(([name]) => name), signal).catch((error) => (isStatic ? frozenDiff(sides) : Promise.reject(error))), [ids]);
  const files = useLoaded((signal) => askDiff(ids, ["code", "tensors"], signal), [ids]);
  const onlyDiffering = query.only !== "0";
  const layout = query.layout === "split" ? "split" : "unified";
  useScrollToSection(rows.value, files.value);
  useLayoutEffect(() => bindKeys("Compare", [
    { keys: ["n"], label: "Next change in the files", run: () => void goToChange(1) },
    { keys: ["N", "b"], label: "The change before", run: () => void goToChange(-1) },
    { keys: ["o"], label: "Only what differs, or everything", run: () => setQuery({ only: onlyDiffering ? "0" : "" }) },
  ]), [onlyDiffering]);
  if (rows.error) return html`<div class="page"><h1>Compare</h1><${Failure} error=${rows.error} /><${AddSide} sides=${sides} /></div>`;
  if (!rows.value) return html`<${Loading} what="the comparison" />`;
  const diff = rows.value;
  const whole = { ...diff, files: files.value?.files ?? [] };
  const found = { diff, sides: diff.sides, onlyDiffering };
  return html`<div class="page compare">
    <header class="toolbar"><h1>Compare</h1><span class="spacer"></span>
      <label class="inline"><input type="checkbox" checked=${onlyDiffering} onChange=${(event) => setQuery({ only: event.target.checked ? "" : "0" })} />Only what differs</label>
      <button type="button" onClick=${() => go(sharedAddress("compare", [formatSides([...sides].reverse())], viewQuery(query)))}>Swap</button>
      <${Copy} text=${() => toMarkdown(whole, ROWS)} label="Copy as Markdown" title="Everything that differs, as tables" />
      <${Copy} text=${`keepsake diff ${diff.sides.map((side) => side.id.slice(0, 12)).join(" ")}`} label="Copy command" />
      <${AddSide} sides=${sides} /></header>
    <${SideHeads} asked=${sides} sides=${diff.sides} address=${(changed) => href(sharedAddress("compare", [formatSides(changed)], viewQuery(query)))} />
    <${Contents} />
    <${Summary} diff=${diff} files=${files} headings=${ROWS} />
    ${ROWS.map(([name, heading]) => html`<${RowsSection} key=${name} name=${name} heading=${heading} ...${found} />`)}
    ${files.error ? html`<${Section} name="files" heading="Files"><${Failure} error=${files.error} /><//>` : !files.value ? html`<${Section} name="files" heading="Files"><p class="muted" role="status">Comparing files and tensors…</p><//>`
      : html`<${ChangedFiles} files=${files.value.files} sides=${diff.sides} />
        <${CodeChanges} files=${files.value.files} sides=${diff.sides} layout=${layout} setLayout=${(name) => setQuery({ layout: name === "split" ? "split" : "" })} />
        <${TensorChanges} files=${files.value.files} sides=${diff.sides} />
        <${ImageChanges} files=${files.value.files} sides=${diff.sides} />`}
    <${CurvesOverlay} sides=${diff.sides} /></div>`;
}

const viewQuery = ({ only, layout }) => ({ ...(only ? { only } : {}), ...(layout ? { layout } : {}) });

const CONTENTS = [["summary", "Summary"], ...ROWS, ["files", "Files"], ["code", "Code"], ["tensors", "Tensors"], ["images", "Images"], ["curves", "Curves"]];

function Contents() {
  const address = useStore(current);
  return html`<nav class="contents" aria-label="Sections">${CONTENTS.map(([name, heading]) => html`<a key=${name} data-stay href=${href({ ...address, hash: name })} aria-current=${address.hash === name ? "true" : null}>${heading}</a>`)}</nav>`;
}

// The place after the hash is a section, or a file in one (`code/train.py`); it is scrolled to once it is there.
function useScrollToSection(...loaded) {
  const hash = useStore(current, (address) => address.hash);
  const done = useRef("");
  useEffect(() => {
    const now = `${loaded.filter(Boolean).length} ${hash}`; // what came since may have moved it
    const place = hash && done.current !== now && document.getElementById(decodeURIComponent(hash));
    if (!place) return;
    place.scrollIntoView();
    done.current = now;
  }, [hash, ...loaded]);
}

// Takes another one in, by its id or the beginning of one.
function AddSide({ sides }) {
  const [text, setText] = useState("");
  const table = useStore(model, (state) => state.table);
  if (sides.length >= MOST) return html`<span class="muted">${MOST} at most</span>`;
  const wanted = text.trim().toLowerCase();
  const near = wanted ? table.ids.filter((id, place) => id.startsWith(wanted) || String(table.value(place, "name") ?? "").toLowerCase().includes(wanted)).slice(0, 20) : [];
  function add(event) {
    event.preventDefault();
    const [side] = parseSides(text.trim());
    if (side) go(sharedAddress("compare", [formatSides([...sides, side])], viewQuery(current.get().query)));
  }
  return html`<form class="toolbar" onSubmit=${add}><input type="text" class="add-side" list="add-side" placeholder="id, or id@best" aria-label="Another experiment or checkpoint to compare" value=${text} onInput=${(event) => setText(event.target.value)} />
    <datalist id="add-side">${near.map((id) => html`<option key=${id} value=${id.slice(0, 8)}>${table.value(table.find(id), "name") ?? ""}</option>`)}</datalist><button disabled=${!wanted}>Add</button></form>`;
}

function TooFew({ sides }) {
  return html`<div class="page"><h1>Compare</h1><${Empty} title="Two are needed to compare."><p>Select experiments in the table with <kbd>x</kbd> and press <kbd>d</kbd>, or name ${sides.length ? "another" : "them"} here.</p>
    <${AddSide} sides=${sides} /><p><a ...${linkTo(sharedAddress("experiments"))}>All experiments</a></p><//></div>`;
}
