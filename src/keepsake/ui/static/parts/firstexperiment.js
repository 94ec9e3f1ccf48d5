// What stands in the place of a table with nothing in it: how to log a first experiment, or how to find one.

import { html } from "./ui.js";
import { Empty } from "./message.js";
import { Copy } from "./small.js";

const LINES = `import keepsake

experiment = keepsake.init(path=".", params={"lr": 0.01})
for step in range(10):
    loss = train()  # yours
    experiment.checkpoint(step=step, loss=loss, primary_metric=("loss", "minimize"))
experiment.stop()`;

export function FirstExperiment({ repository }) {
  return html`<h1 class="hidden-text">Experiments</h1>
    <${Empty} title="No experiment yet">
      <p>Put these lines into a training script; as soon as it runs, it shows up here by itself.</p>
      <pre>${LINES}</pre>
      <p class="toolbar"><${Copy} text=${LINES} label="Copy the lines" title="Copy the lines" /></p>
      <p class="hint">Looked for in <code>${repository}</code>. Is it another repository? <code>keepsake ui -R URL</code> opens that one.</p>
    <//>`;
}

export function NothingFound({ filter, clear }) {
  return html`<${Empty} title="No experiment matches the filter">
    <pre>${filter}</pre>
    <p class="toolbar"><button type="button" onClick=${clear}>Show all</button><span class="hint">or change it: <kbd>/</kbd> goes to the filter</span></p>
  <//>`;
}
