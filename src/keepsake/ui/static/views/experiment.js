// One experiment: what it was, how it ended, and behind tabs, each with an address of its own, all that was saved of it.

import { html, useEffect, useLoaded, useRef, useState, useStore } from "../parts/ui.js";
import { getJson } from "../core/api.js";
import { current, linkTo, replace, sharedAddress } from "../core/address.js";
import { model } from "../core/model.js";
import { formatCount, formatDuration, formatTime, shortId, showUnseen } from "../core/values.js";
import { ChartsTab } from "../parts/curvestab.js";
import { Checkpoints } from "../parts/checkpoints.js";
import { Packages, System } from "../parts/facts.js";
import { FilesTab } from "../parts/filestab.js";
import { Empty, Failure, Loading } from "../parts/message.js";
import { LongText } from "../parts/longtext.js";
import { Overview } from "../parts/overview.js";
import { Age, Copy, Status } from "../parts/small.js";

const TABS = [
  ["overview", "Overview", Overview],
  ["checkpoints", "Checkpoints", Checkpoints],
  ["charts", "Charts", ChartsTab],
  ["files", "Files", FilesTab],
  ["code", "Code", FilesTab],
  ["packages", "Packages", Packages],
  ["system", "System", System],
];

const MANY = 300; // checkpoints
const MANY_PAUSE_MS = 5000;

export function ExperimentPage() {
  const { parts } = useStore(current);
  const [id = "", tab = "overview"] = parts;
  const size = useRef(0);
  const stamp = useStamp(id, size.current);
  const { value, error } = useLoaded((signal) => getJson(`experiments/${encodeURIComponent(id)}`, {}, { signal }), [id, stamp]);
  const shown = value?.id.startsWith(id) ? value : null;
  size.current = shown?.checkpoints.length ?? 0;
  const known = useRef("");
  if (shown) known.current = shown.id;
  useEffect(() => {
    if (!shown) return undefined;
    const before = document.title;
    document.title = `${shown.name || shortId(shown.id)} · ${before}`;
    return () => (document.title = before);
  }, [shown?.id, shown?.name]);
  useEffect(() => {
    const { parts: [asked, ...rest], query, hash } = current.get();
    if (shown && asked === id && id.length < 8) replace({ view: "experiment", parts: [shown.id.slice(0, 8), ...rest], query, hash });
  }, [shown]);
  if (!id) return html`<${Empty} title="No experiment is named."><p><a ...${linkTo(sharedAddress("experiments"))}>All experiments</a></p><//>`;
  if (error?.status === 404 && known.current.startsWith(id)) return html`<${Deleted} id=${known.current} />`;
  if (error) return html`<div class="page"><h1 class="hidden-text">Experiment ${id}</h1><${Failure} error=${error}><p><a ...${linkTo(sharedAddress("experiments"))}>All experiments</a></p><//></div>`;
  if (!shown) return html`<${Loading} what=${`experiment ${id}`} />`;
  const [name, , Tab] = TABS.find(([one]) => one === tab) ?? TABS[0];
  return html`<div class="page experiment"><${Header} experiment=${shown} />
    <nav class="tabs" aria-label="Parts of the experiment">${TABS.map(([one, label]) => html`<a key=${one} data-stay ...${linkTo(tabAddress(id, one))} aria-current=${one === name ? "page" : null}>${label}<${TabCount} name=${one} experiment=${shown} /></a>`)}</nav>
    <${Tab} key=${`${shown.id}${name}`} experiment=${shown} id=${id} tab=${name} stamp=${stamp} /></div>`;
}

function Deleted({ id }) {
  return html`<div class="page"><h1>${shortId(id)}</h1><${Empty} title="This experiment was deleted."><p class="hint">Nothing leads to its files any more. <code>keepsake collect</code> frees what they take.</p><p><a ...${linkTo(sharedAddress("experiments"))}>All experiments</a></p><//></div>`;
}

function tabAddress(id, tab, rest = [], query = {}) {
  return sharedAddress("experiment", [id, ...(tab === "overview" ? [] : [tab]), ...rest], query);
}

function TabCount({ name, experiment }) {
  const packages = experiment.environment.python_packages;
  const count = { checkpoints: experiment.checkpoints.length, packages: packages && Object.keys(packages).length }[name];
  return count ? html` <span class="muted">${formatCount(count)}</span>` : null;
}

// A number that grows when the experiment has changed, so that it is fetched again; one that is large less often.
function useStamp(id, size) {
  const [stamp, setStamp] = useState(0);
  const state = useRef({ seen: 0, at: 0, timer: 0, isFirst: true });
  const revision = useStore(model, (now) => (now.changed.some((one) => one.startsWith(id) || id.startsWith(one)) ? now.revision : state.current.seen));
  const isThere = useStore(model, ({ table }) => table.find(id) >= 0);
  useEffect(() => {
    const isFirst = state.current.isFirst;
    state.current.isFirst = false;
    if (isFirst) return;
    state.current.seen = revision;
    clearTimeout(state.current.timer);
    const pause = size > MANY ? MANY_PAUSE_MS : 0;
    state.current.timer = setTimeout(() => {
      state.current.at = Date.now();
      setStamp((count) => count + 1);
    }, Math.max(state.current.at + pause - Date.now(), 0));
  }, [revision, isThere]);
  useEffect(() => () => clearTimeout(state.current.timer), []);
  return stamp;
}

function Header({ experiment }) {
  const { environment: { user, host, command, git, python_version: python }, error } = experiment;
  const place = [user, host].filter(Boolean).join("@");
  return html`<header class="experiment-head">
    <div class="toolbar"><h1>${showUnseen(experiment.name || shortId(experiment.id))}</h1><${Status} status=${experiment.status} />
      ${experiment.tags.map((tag) => html`<span class="chip" key=${tag}><span class="cut">${showUnseen(tag)}</span></span>`)}<span class="spacer"></span><${CompareWith} experiment=${experiment} />
      <${Copy} text=${`keepsake checkout ${experiment.id.slice(0, 12)}`} label="Copy checkout command" /></div>
    <p class="experiment-facts"><span class="with-copy"><code>${experiment.id.slice(0, 12)}</code><${Copy} text=${experiment.id} label="Copy id" /></span>
      ${place ? html`<span>${place}</span>` : null}<span>started ${formatTime(experiment.created, { seconds: true })} (<${Age} time=${experiment.created} />)</span>
      ${experiment.duration_s !== null && experiment.duration_s !== undefined ? html`<span>${experiment.is_running ? "latest checkpoint after" : "took"} ${formatDuration(experiment.duration_s)}</span>` : null}
      ${python ? html`<span>Python ${python}</span>` : null}${git?.commit ? html`<span>commit <code title=${git.commit}>${git.commit.slice(0, 10)}</code>${git.branch ? ` on ${git.branch}` : ""}${git.dirty ? html` <span class="badge warn">dirty</span>` : null}</span>` : null}</p>
    ${error ? html`<div class="ended" role="note"><strong>${error.type}</strong>${error.message ? html`: <${LongText} text=${error.message} most=${600} />` : null}</div>` : null}
    ${experiment.status === "lost" ? html`<div class="ended" role="note">Its process ended without a word: it was killed, or its machine went down.</div>` : null}
    ${command ? html`<div class="command"><code class="snippet" tabindex="0">${command}</code><${Copy} text=${command} /></div>` : null}
    ${experiment.notes ? html`<p class="notes">${experiment.notes}</p>` : null}</header>`;
}

// The experiment before this one, and the best of all that measured the same.
function CompareWith({ experiment }) {
  const table = useStore(model, (state) => state.table);
  const place = table.find(experiment.id);
  const best = findBest(table, place);
  const link = (other, label) => html`<a class="button" ...${linkTo(compareWith(table.ids[other], experiment.id))} title=${`Compare with ${table.value(other, "name") ?? shortId(table.ids[other])}`}>${label}</a>`;
  return html`${place > 0 ? link(place - 1, "Compare with previous") : null}${best !== null && best !== place && best !== place - 1 ? link(best, "Compare with best") : null}`;
}

const compareWith = (other, id) => sharedAddress("compare", [`${other.slice(0, 8)}...${id.slice(0, 8)}`]);

function findBest(table, place) {
  const valuesOf = (group, key) => table.columns.find((column) => column.group === group && column.key === key)?.values;
  const [names, goals] = [valuesOf("primary", "name"), valuesOf("primary", "goal")];
  const name = names?.[place];
  const values = name ? valuesOf("best.metrics", name) : null;
  if (!values) return null;
  const isBetter = goals[place] === "maximize" ? (a, b) => a > b : (a, b) => a < b;
  let best = null;
  values.forEach((value, at) => {
    if (typeof value === "number" && names[at] === name && (best === null || isBetter(value, values[best]))) best = at;
  });
  return best;
}
