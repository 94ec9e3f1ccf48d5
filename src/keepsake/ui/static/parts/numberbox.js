// A box for a number. What is being typed stays when the page is drawn again meanwhile, as it is while experiments run.

import { html, useState } from "./ui.js";

// `change(number)` is called when it is done; an empty box says nothing. Other properties are those of an <input>.
export function NumberBox({ label, value, change, ...given }) {
  const [typed, setTyped] = useState(null);
  function onChange({ target }) {
    if (target.value !== "") change(Number(target.value));
    setTyped(null);
  }
  return html`<input ...${given} type="number" aria-label=${label} value=${typed ?? value} onInput=${(event) => setTyped(event.target.value)} onChange=${onChange} />`;
}
