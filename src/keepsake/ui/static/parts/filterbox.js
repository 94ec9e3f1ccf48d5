// The filter: the language of the command line, with what could come next, and mistakes shown at their place while one types.
//
// It is a combobox: the focus stays in the text while the arrows go through the proposals.

import { html, useLayoutEffect, useRef, useState, useStore } from "./ui.js";
import { isStatic } from "../core/api.js";
import { current, setQuery } from "../core/address.js";
import { bindKeys } from "../core/keys.js";
import { model } from "../core/model.js";
import { sentence, withCode } from "./message.js";

const NONE = { items: [], start: 0, stop: 0 };
let completion = null; // fetched when somebody is about to type

export function FilterBox() {
  const input = useRef(null);
  const caret = useRef(null); // where to put it after a proposal was taken
  const text = useStore(current, (address) => address.query.q ?? "");
  const error = useStore(model, (state) => state.filterError);
  const [isFocused, setFocused] = useState(false);
  const [proposals, setProposals] = useState(NONE);
  const [active, setActive] = useState(-1);
  useLayoutEffect(() => bindKeys("Everywhere", [{ keys: ["/"], label: "Filter", run: () => input.current.select() || input.current.focus() }]), []);
  useLayoutEffect(() => {
    if (caret.current !== null) input.current.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  });

  async function propose() {
    completion ??= await import("../core/completion.js");
    if (!input.current) return;
    const { value, selectionStart, selectionEnd } = input.current;
    setActive(-1);
    setProposals(isStatic || selectionStart !== selectionEnd ? NONE : completion.complete(value, selectionStart, model.get().table));
  }
  function close() {
    setProposals(NONE);
    setActive(-1);
  }
  function take(item) {
    const next = completion.insertProposal(text, proposals, item.text);
    caret.current = next.caret;
    setQuery({ q: next.text });
    setActive(-1);
    setProposals(completion.complete(next.text, next.caret, model.get().table));
  }
  function step(by) {
    const count = proposals.items.length;
    if (count) setActive((at) => (at + by + (at < 0 && by < 0 ? 1 : 0) + count) % count);
    else propose();
  }
  function onKeyDown(event) {
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") step(key === "ArrowDown" ? 1 : -1);
    else if (key === "Enter" && active >= 0) take(proposals.items[active]);
    else if (key === "Enter") leave();
    else if (key === "Tab" && active >= 0 && !event.shiftKey) take(proposals.items[active]);
    else if (key === "Escape" && proposals.items.length) close();
    else if (key === "Escape" && text) setQuery({ q: "" });
    else if (key === "Escape") input.current.blur();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  // Done with typing: on to what was found.
  function leave() {
    close();
    const stop = document.querySelector('.grid [tabindex="0"]');
    if (stop) stop.focus();
    else input.current.blur();
  }
  const items = isFocused ? proposals.items : [];
  return html`<div class="filterbox" role="search">
    <input ref=${input} type="search" value=${text} spellcheck=${false} autocomplete="off" autocapitalize="off"
      role="combobox" aria-expanded=${items.length ? "true" : "false"} aria-controls="filter-proposals" aria-autocomplete="list" aria-activedescendant=${active >= 0 && items.length ? `proposal-${active}` : null}
      aria-label="Filter experiments" aria-invalid=${error ? "true" : "false"} aria-describedby="filter-error"
      placeholder=${isStatic ? "words that must occur" : "Filter: params.lr < 0.01 and status = finished"}
      onInput=${(event) => { setQuery({ q: event.target.value }, { isQuick: true }); void propose(); }} onKeyDown=${onKeyDown} onClick=${propose}
      onFocus=${() => { setFocused(true); void propose(); }} onBlur=${() => setFocused(false)} />
    ${text || isFocused ? null : html`<kbd class="slash" aria-hidden="true">/</kbd>`}
    <div class=${`filter-popup${items.length || (error && isFocused) ? "" : " is-empty"}`}>
      <div id="filter-error" role="status">${error && isFocused ? html`<${FilterError} error=${error} text=${text} isUnfinished=${items.length > 0} />` : null}</div>
      <ul id="filter-proposals" role="listbox" aria-label="What could come next">${items.map((item, at) => html`<li key=${item.text} id=${`proposal-${at}`} role="option" aria-selected=${at === active ? "true" : "false"}
        onMouseDown=${(event) => { event.preventDefault(); take(item); }}><code class="cut">${item.text}</code><span class="muted cut">${item.detail}</span></li>`)}</ul>
    </div>
  </div>`;
}

// The message of the server shows the place with a caret; here the place itself is marked. What ends where something could
// still come is not called a mistake yet.
export function FilterError({ error, text, isUnfinished = false }) {
  const letters = [...text];
  const at = Math.min(error.at ?? letters.length, letters.length);
  if (isUnfinished && at >= letters.join("").trimEnd().length) return null;
  const stop = at + Math.max([...letters.slice(at).join("").match(/^\S*/)[0]].length, 1);
  return html`<div class="filter-error">
    <pre>${letters.slice(0, at).join("")}<span class="place">${letters.slice(at, stop).join("") || " "}</span>${letters.slice(stop).join("")}</pre>
    <p>${sentence(error.message.split("\n")[0].replace(/^this filter cannot be read: /, ""))}</p>
    ${error.hint ? html`<p class="hint">${withCode(sentence(error.hint))}</p>` : null}
  </div>`;
}
