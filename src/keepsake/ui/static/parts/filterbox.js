// The filter: the language of the command line, with mistakes shown at their place while one types.

import { html, useEffect, useRef, useState, useStore } from "./ui.js";
import { isStatic } from "../core/api.js";
import { current, setQuery } from "../core/address.js";
import { bindKeys } from "../core/keys.js";
import { model } from "../core/model.js";
import { sentence } from "./message.js";

export function FilterBox() {
  const input = useRef(null);
  const text = useStore(current, (address) => address.query.q ?? "");
  const error = useStore(model, (state) => state.filterError);
  const [isFocused, setFocused] = useState(false);
  useEffect(() => bindKeys("Everywhere", [{ keys: ["/"], label: "Filter", run: () => input.current.focus() }]), []);

  function onKeyDown(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    if (input.current.value) setQuery({ q: "" });
    else input.current.blur();
  }
  return html`<div class="filterbox" role="search">
    <input ref=${input} type="search" value=${text} spellcheck="false" autocomplete="off" autocapitalize="off"
      aria-label="Filter experiments" aria-invalid=${error ? "true" : "false"} aria-describedby="filter-error"
      placeholder=${isStatic ? "words that must occur" : "params.lr < 0.01 and status = finished"}
      onInput=${(event) => setQuery({ q: event.target.value })} onKeyDown=${onKeyDown}
      onFocus=${() => setFocused(true)} onBlur=${() => setFocused(false)} />
    <div id="filter-error" role="status">${error && isFocused ? html`<${FilterError} error=${error} text=${text} />` : null}</div>
  </div>`;
}

// The message of the server shows the place with a caret; here the place itself is marked.
function FilterError({ error, text }) {
  const letters = [...text];
  const at = Math.min(error.at ?? letters.length, letters.length);
  const stop = at + Math.max([...letters.slice(at).join("").match(/^\S*/)[0]].length, 1);
  return html`<div class="filter-error">
    <pre>${letters.slice(0, at).join("")}<span class="place">${letters.slice(at, stop).join("") || " "}</span>${letters.slice(stop).join("")}</pre>
    <p>${sentence(error.message.split("\n")[0].replace(/^this filter cannot be read: /, ""))}</p>
    ${error.hint ? html`<p class="hint">${sentence(error.hint)}</p>` : null}
  </div>`;
}
