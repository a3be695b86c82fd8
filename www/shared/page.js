// What every page begins with: its icons, the button that changes the language, and its keys.

import { byId } from "./dom.js";
import { loadIcons } from "./icons.js";

const FIELDS = "input:not([type=range], [type=checkbox], [readonly]), textarea, select, [contenteditable]";

// Whether a key belongs to the field it was pressed in.
export const typing = (event) => Boolean(event.target.closest?.(FIELDS));

function listen(keys, busy) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || typing(event) || busy()) return;
    keys[event.key.toLowerCase()]?.();
  });
}

// The button names the language that it switches to.
export function nameLanguage(button, i18n) {
  const name = () => (button.textContent = i18n.languages.find((code) => code !== i18n.language).toUpperCase());
  button.addEventListener("click", () => i18n.next());
  i18n.addEventListener("change", name);
  name();
}

// keys: {key: action} beside L for the language; none of them acts while busy() is true.
export function startPage(i18n, keys = {}, busy = () => false) {
  nameLanguage(byId("language"), i18n);
  listen({ l: () => i18n.next(), ...keys }, busy);
  loadIcons().catch(() => {}); // without them the buttons still have their words
}
