// What was recorded around an experiment: its packages, and the machine and program as names and values.

import { html, useState } from "./ui.js";
import { cellsSource, notebookSummary } from "../core/cells.js";
import { flatten } from "../core/flatten.js";
import { formatBytes, formatValue } from "../core/values.js";
import { Code } from "./code.js";
import { Copy } from "./small.js";

export function Packages({ experiment }) {
  const [words, setWords] = useState("");
  const packages = Object.entries(experiment.environment.python_packages ?? {});
  const shown = packages.filter(([name]) => name.toLowerCase().includes(words.toLowerCase()));
  if (!packages.length) return html`<section class="panel"><p class="muted">No packages were recorded.</p></section>`;
  return html`<section class="panel"><div class="panel-head"><h2>Python packages</h2><span class="muted" role="status">${shown.length === packages.length ? packages.length : `${shown.length} of ${packages.length}`}</span><span class="spacer"></span>
      <input type="search" placeholder="search" aria-label="Search packages" value=${words} onInput=${(event) => setWords(event.target.value)} />
      <${Copy} text=${packages.map(([name, version]) => `${name}==${version}`).join("\n")} label="Copy as requirements" title="One name==version a line" /></div>
    <ul class="columns">${shown.map(([name, version]) => html`<li key=${name}><span class="cut" title=${name}>${name}</span> <span class="mono">${formatValue(version)}</span></li>`)}</ul></section>`;
}

export function System({ experiment }) {
  const { python_packages: _, notebook, memory_bytes: memory, ...rest } = experiment.environment;
  const known = flatten(rest).filter(([, value]) => value !== null && !(typeof value === "object" && !Object.keys(value).length));
  const rows = [...known, ...(memory ? [["memory", formatBytes(memory)]] : []), ["project", experiment.project], ["path", experiment.path], ["keepsake", experiment.keepsake_version]].filter(([, value]) => value !== null && value !== undefined);
  return html`<section class="panel"><h2>Environment</h2><table class="plain pairs"><tbody>${rows.map(([name, value]) => html`<tr key=${name}><th scope="row">${name}</th><td class="mono">${formatValue(value)}</td></tr>`)}</tbody></table></section>`;
}

// The cells that a notebook had run, where the experiment began in one.
export const notebookSource = ({ environment: { notebook } }) => cellsSource(notebook);

export function NotebookSource({ experiment }) {
  const source = notebookSource(experiment);
  if (source === null) return null;
  const { notebook } = experiment.environment;
  return html`<section class="panel"><div class="panel-head"><h2>Notebook</h2><span class="muted">${notebookSummary(notebook)}</span></div><${Code} text=${source} language="python" label="Source of the notebook's cells" /></section>`;
}
