// State lamps of a page's head: label, word and shape, never colour alone.

import { element, setText } from "./dom.js";

export const LINK_LAMP = {
  up: ["ok", "linkUp"],
  connecting: ["warn", "linkConnecting"],
  stale: ["warn", "linkStale"],
  down: ["bad", "linkDown"],
};

function lamp(name) {
  const dot = element("span", { class: "dot", "aria-hidden": "true" });
  const label = element("span", { class: "lamp-label" });
  const word = element("span", { class: "lamp-word" });
  return { item: element("li", { class: "lamp", id: `state-${name}` }, dot, label, word), dot, label, word };
}

export class Lamps {
  constructor(list, i18n, names) {
    this.i18n = i18n;
    this.lamps = Object.fromEntries(names.map((name) => [name, lamp(name)]));
    list.append(...Object.values(this.lamps).map((one) => one.item));
  }

  // state: ok, warn, bad or none; the label is the text named as the lamp.
  set(name, state, word) {
    const { item, dot, label, word: node } = this.lamps[name];
    dot.dataset.state = state;
    setText(label, this.i18n.t(name));
    setText(node, word);
    item.title = `${label.textContent}: ${word}`;
  }
}
