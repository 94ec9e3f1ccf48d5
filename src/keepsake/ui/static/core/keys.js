// The keyboard: what a key does where, in one place, so that `?` can list all of it.
//
// Single keys are off while something is typed, and can be switched off altogether (WCAG 2.1.4). Combinations with Ctrl,
// Alt or Cmd are left to the browser.

const bindings = new Set();
let pending = ""; // the `g` of `g e`
let pendingTimer = 0;

export const areKeysOn = () => localStorage.getItem("keepsake.keys") !== "off";
export const switchKeys = (on) => localStorage.setItem("keepsake.keys", on ? "on" : "off");

// Binds keys until the returned function is called. `where` is a heading of the help. A binding is {keys, label, run}: any
// of `keys` (as KeyboardEvent.key has them, or two with a space between) calls run(event); later bindings come first.
export function bindKeys(where, list) {
  const added = list.map((binding) => ({ where, ...binding }));
  added.forEach((binding) => bindings.add(binding));
  return () => added.forEach((binding) => bindings.delete(binding));
}

export function listKeys() {
  return [...bindings].filter((binding) => binding.label);
}

function isTyping(target) {
  return target.closest?.("input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]") !== null;
}

// Arrows, Enter, Space and Escape are how a page is used without a mouse, and are never switched off.
const isCharacter = (key) => key.length === 1 && key !== " ";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing) return;
  if (event.key !== "Escape" && isTyping(event.target)) return;
  if (isCharacter(event.key) && !areKeysOn()) return;
  const pressed = pending ? `${pending} ${event.key}` : event.key;
  const known = [...bindings].reverse();
  const found = known.find((binding) => binding.keys.includes(pressed) && (!binding.when || binding.when(event)));
  clearTimeout(pendingTimer);
  pending = "";
  if (found) {
    if (found.run(event) !== false) event.preventDefault();
  } else if (known.some((binding) => binding.keys.some((key) => key.startsWith(`${event.key} `)))) {
    pending = event.key;
    pendingTimer = setTimeout(() => (pending = ""), 1000);
  }
});
