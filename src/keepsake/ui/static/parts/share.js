// Taking along what is shown: as a call, a command or a file.

import { html } from "./ui.js";
import { parseSort } from "../core/sort.js";
import { isOnlyHere, pythonCall, saveText, shellCommand, toCsv, toJson } from "../core/sharing.js";
import { Popup } from "./popup.js";
import { Command } from "./small.js";

export function ShareDialog({ filter, sort, table, places, columns, project, anchor, close }) {
  const listed = columns.filter(({ column, name }) => column && name);
  const save = (kind, text, type) => () => {
    saveText(`${project}.${kind}`, text(table, places, listed), type);
    close();
  };
  return html`<${Popup} anchor=${anchor} label="Take along what is shown" close=${close}>
    <div class="share">${sort && parseSort(sort).some(({ name }) => isOnlyHere(name)) ? html`<p class="muted">Only this page sorts by min and max: the call and the command do not.</p>` : null}<h3>In Python</h3><${Command} text=${pythonCall(filter, sort)} />
      <h3>On the command line</h3><${Command} text=${shellCommand(filter, sort)} />
      <h3>As a file</h3><p class="muted">${places.length.toLocaleString("en")} experiments, ${listed.length} columns</p>
      <p class="toolbar"><button type="button" onClick=${save("csv", toCsv, "text/csv")}>CSV</button><button type="button" onClick=${save("json", toJson, "application/json")}>JSON</button></p></div>
  <//>`;
}
