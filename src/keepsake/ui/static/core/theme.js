// Light or dark: as the system has it, until somebody chooses.

const NAMES = ["system", "light", "dark"];

export function readTheme() {
  const kept = localStorage.getItem("keepsake.theme");
  return NAMES.includes(kept) ? kept : "system";
}

export function applyTheme(name = readTheme()) {
  localStorage.setItem("keepsake.theme", name);
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  window.dispatchEvent(new Event("keepsake-theme")); // what is drawn on a canvas draws itself again
}

export function nextTheme() {
  applyTheme(NAMES[(NAMES.indexOf(readTheme()) + 1) % NAMES.length]);
}

// The value of a colour of the style sheet, for canvases.
export function cssColor(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
