// The files of an experiment and of one of its checkpoints, as a tree beside the file that is looked at. The tab of code
// is the same with what people write only.
//
// Which checkpoint is looked at is `at` in the address; without it, the best, else the latest.

import { html, useLoaded, useMemo, useStore } from "./ui.js";
import { getJson } from "../core/api.js";
import { current, go, href, sharedAddress } from "../core/address.js";
import { isSource } from "../core/files.js";
import { formatBytes, formatValue, shortId } from "../core/values.js";
import { NotebookSource, notebookSource } from "./facts.js";
import { Empty, Failure, Loading } from "./message.js";
import { Preview } from "./preview.js";
import { Copy } from "./small.js";
import { FileTree } from "./tree.js";

const FIRST = [/^train[^/]*\.py$/, /(^|\/)train[^/]*\.py$/, /(^|\/)main\.py$/, /\.py$/, /\.(ya?ml|json|toml)$/, /\.(safetensors|pth?|npz|npy|ckpt)$/];

export function FilesTab({ experiment, id, tab, stamp }) {
  const { parts, query, hash } = useStore(current);
  const checkpoints = experiment.checkpoints;
  const chosen = query.at === "none" ? null : checkpoints.find((one) => query.at && one.id.startsWith(query.at))
    ?? checkpoints.find((one) => one.id === experiment.best_checkpoint) ?? checkpoints.at(-1) ?? null;
  const source = chosen ? `checkpoints/${chosen.id}/files` : `experiments/${experiment.id}/files`;
  const { value, error } = useLoaded((signal) => getJson(source, {}, { signal }), [source, chosen ? 0 : stamp]);
  const files = useMemo(() => (value?.files ?? []).filter((file) => file.kind !== "directory" && (tab === "files" || isSource(file.path))), [value, tab]);
  const asked = parts.slice(2).join("/");
  const path = asked || firstFile(files);
  const address = (one, fragment = "") => href({ ...sharedAddress("experiment", [id, tab, ...one.split("/")], query.at ? { at: query.at } : {}), hash: fragment });
  const holder = chosen && files.find((file) => file.path === path)?.source !== "experiment" ? chosen : experiment;
  const line = Number(/^L(\d+)$/.exec(hash)?.[1] ?? 0) || null;
  const total = files.reduce((sum, file) => sum + (file.size_bytes ?? 0), 0);
  const choose = (event) => go(sharedAddress("experiment", [id, tab, ...(asked ? asked.split("/") : [])], { at: event.target.value }), { keepScroll: true });
  return html`<div class="toolbar"><label class="inline">Files of ${checkpoints.length ? html`<select value=${chosen?.id.slice(0, 8) ?? "none"} onChange=${choose}>
        <option value="none">the experiment itself</option>${options(checkpoints, experiment, chosen)}</select>` : " the experiment itself"}</label>
      ${value ? html`<span class="muted">${files.length.toLocaleString("en")} file${files.length === 1 ? "" : "s"}, ${formatBytes(total)}</span>` : null}
      <${Copy} text=${`keepsake checkout ${(chosen ?? experiment).id.slice(0, 12)}`} label="Copy command for these files" /></div>
    ${tab === "code" ? html`<${NotebookSource} experiment=${experiment} />` : null}
    ${error ? html`<${Failure} error=${error} />` : !value ? html`<${Loading} what="files" />` : !files.length ? html`<${Nothing} tab=${tab} experiment=${experiment} />` : html`<div class="files">
      <div class="panel files-tree"><${FileTree} files=${files} chosen=${path} address=${(one) => address(one)} /></div>
      <div class="panel files-preview">${path ? html`<${Preview} key=${path} id=${holder.id} path=${path} line=${line} lineAddress=${(number) => address(path, `L${number}`)} />` : html`<p class="muted">Choose a file.</p>`}</div></div>`}`;
}

const MOST_OPTIONS = 300;

// Of very many checkpoints, the last ones and the one that is chosen; the tab of checkpoints has all.
function options(checkpoints, experiment, chosen) {
  const shown = checkpoints.slice(-MOST_OPTIONS);
  if (chosen && !shown.includes(chosen)) shown.unshift(chosen);
  return shown.reverse().map((one) => {
    const primary = one.primary_metric && one.metrics?.[one.primary_metric.name];
    return html`<option key=${one.id} value=${one.id.slice(0, 8)}>${one.id === experiment.best_checkpoint ? "★ " : ""}${shortId(one.id)}${one.step === null || one.step === undefined ? "" : `, step ${one.step}`}${primary === null || primary === undefined ? "" : `, ${one.primary_metric.name} ${formatValue(primary)}`}</option>`;
  });
}

function firstFile(files) {
  for (const pattern of FIRST) {
    const found = files.find((file) => file.kind === "file" && pattern.test(file.path));
    if (found) return found.path;
  }
  return files[0]?.path ?? "";
}

function Nothing({ tab, experiment }) {
  if (tab === "code" && notebookSource(experiment) !== null) return null;
  return html`<${Empty} title=${tab === "code" ? "No code was saved." : "No files were saved."}><p class="hint"><code>keepsake.init(path=".")</code> saves the code at the beginning, <code>checkpoint(path="weights")</code> what is there at that moment.</p><//>`;
}
