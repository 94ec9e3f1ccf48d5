// The views that have a name: go to one, save how the table is looked at now, rename, delete.

import { html, useEffect, useRef, useState } from "./ui.js";
import { current, go, href } from "../core/address.js";
import { isSame, keepViews, LONGEST_NAME, readViews, rememberView, withView } from "../core/views.js";
import { Popup } from "./popup.js";

// `view` is how the table is looked at, `name` that of the view from which this came.
export function ViewMenu({ anchor, repository, view, name, close }) {
  const [views, setViews] = useState(() => readViews(repository));
  const [renamed, setRenamed] = useState(null); // the name of the view that gets another one
  const [deleted, setDeleted] = useState(null);
  const [said, say] = useState("");
  const isKnown = views.some((one) => one.name === name);

  function change(next, saying) {
    const isKept = keepViews(repository, next);
    if (isKept) setViews(readViews(repository));
    setRenamed(null);
    setDeleted(null);
    say(isKept ? saying : "This browser does not keep it.");
    return isKept;
  }
  const put = (wanted) => change([...views.filter((one) => one.name !== wanted), { name: wanted, view }], `Saved as ${wanted}.`) && rememberView(wanted);
  function rename(from, to) {
    if (to === from) return setRenamed(null);
    if (views.some((one) => one.name === to)) return say(`There is a view ${to} already.`);
    if (change(views.map((one) => (one.name === from ? { ...one, name: to } : one)), `Renamed to ${to}.`) && from === name) rememberView(to);
  }
  function remove(one) {
    if (change(views.filter((other) => other !== one), `Deleted ${one.name}.`)) setDeleted(one);
  }
  const addressOf = (one) => ({ ...current.get(), query: withView(current.get().query, one?.view) });
  const leave = (one) => (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // opens another tab
    event.preventDefault();
    rememberView(one?.name ?? "");
    go(addressOf(one));
    close();
  };
  return html`<${Popup} anchor=${anchor} label="Views" close=${close}>
    ${views.length
      ? html`<ul class="views" aria-label="Saved views">${views.map((one, place) =>
          renamed === one.name
            ? html`<li key=${one.name}><${NameForm} label="New name" given=${one.name} word="Rename" submit=${(to) => rename(one.name, to)} cancel=${() => setRenamed(null)} /></li>`
            : html`<li key=${one.name}><a class="view-name" href=${href(addressOf(one))} aria-current=${isSame(one.view, view) ? "true" : null} data-first=${place === 0 ? "" : null} onClick=${leave(one)}><span class="cut" title=${one.name}>${one.name}</span></a>
                <button type="button" onClick=${() => setRenamed(one.name)} aria-label=${`Rename ${one.name}`}>Rename</button><button type="button" onClick=${() => remove(one)} aria-label=${`Delete ${one.name}`}>Delete</button></li>`)}
          <li><a class="view-name" href=${href(addressOf(null))} onClick=${leave(null)}>As it is without a view</a></li></ul>`
      : html`<p class="muted view-hint">A view keeps filter, order, columns and group under a name, in this browser. To share one, send its address.</p>`}
    <div class="view-save">
      ${isKnown && !views.some((one) => one.name === name && isSame(one.view, view)) ? html`<button type="button" onClick=${() => put(name)}>Save the changes to <strong class="cut">${name}</strong></button>` : null}
      <${NameForm} key=${views.length} label="Save this as" given="" word=${(typed) => (views.some((one) => one.name === typed) ? "Replace" : "Save")} submit=${put} />
      <p class="toolbar"><span class="cut" role="status">${said}</span>${deleted ? html`<${Undo} run=${() => change([...views, deleted], `${deleted.name} is back.`)} />` : null}</p>
    </div>
  <//>`;
}

function NameForm({ label, given, word, submit, cancel = null }) {
  const [typed, setTyped] = useState(given);
  const input = useRef(null);
  const text = typed.trim();
  useEffect(() => {
    if (given) input.current.select();
  }, []);
  function onSubmit(event) {
    event.preventDefault();
    if (text) submit(text);
  }
  function onKeyDown(event) {
    if (event.key !== "Escape" || !cancel) return;
    event.stopPropagation(); // which would close the whole menu
    cancel();
  }
  return html`<form class="quick" onSubmit=${onSubmit}>
    <input ref=${input} type="text" aria-label=${label} placeholder=${label} maxlength=${LONGEST_NAME} value=${typed} onInput=${(event) => setTyped(event.target.value)} onKeyDown=${onKeyDown} />
    <button type="submit" disabled=${!text}>${typeof word === "function" ? word(text) : word}</button>
  </form>`;
}

// Takes the focus of the button that is gone.
function Undo({ run }) {
  const button = useRef(null);
  useEffect(() => button.current.focus(), []);
  return html`<button ref=${button} type="button" onClick=${run}>Undo</button>`;
}
