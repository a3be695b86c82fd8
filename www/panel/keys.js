// The keyboard: a table of keys and what they do.

import { typing } from "../shared/page.js";

const onButton = (target) => target.closest?.("button, summary, a[href]");

export function listenToKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.metaKey || typing(event)) return;
    const act = pick(event, actions);
    if (!act) return;
    event.preventDefault();
    if (!event.repeat) act();
  });
  // A button clicked with the pointer gives the keyboard back to the page.
  document.addEventListener("click", (event) => {
    if (event.detail > 0) onButton(event.target)?.blur();
  });
}

function pick(event, actions) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey) return key === "d" ? actions.debug : null;
  if (key === " ") return onButton(event.target) ? null : actions.pause;
  if (/^[0-9]$/.test(key)) return () => actions.digit(key === "0" ? 10 : Number(key));
  const table = {
    s: actions.stop, Escape: actions.escape, f: actions.fullscreen, k: actions.kiosk,
    d: actions.debug, m: actions.mute, l: actions.language, "?": actions.help,
  };
  return table[key];
}
