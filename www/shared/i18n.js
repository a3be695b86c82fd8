// Texts in several languages. The first language of the table is the default.
// Markup says data-i18n="key" for its text, data-i18n-label="key" for its tooltip and spoken name.

import { load, save } from "./store.js";
import { emit } from "./dom.js";

const KEY = "tapline.language";

function preferred(known) {
  const wanted = [load(KEY, ""), ...(navigator.languages ?? [navigator.language ?? ""])];
  return wanted.map((tag) => String(tag).slice(0, 2).toLowerCase()).find((tag) => known.includes(tag));
}

export class I18n extends EventTarget {
  constructor(tables) {
    super();
    this.tables = tables;
    this.languages = Object.keys(tables);
    this.language = preferred(this.languages) ?? this.languages[0];
    this.translatePage();
  }

  // {name} in a text is replaced by values.name.
  t(key, values = {}) {
    const text = this.tables[this.language][key] ?? this.tables[this.languages[0]][key] ?? key;
    return text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  }

  has(key) {
    return key in this.tables[this.languages[0]];
  }

  // "1 picture", "5 pictures": the text of key1, or of key.
  count(key, n, values = {}) {
    return this.t(n === 1 ? `${key}1` : key, { n, ...values });
  }

  // The text of a word of the protocol, or the word itself.
  word(kind, word) {
    const key = `${kind}_${word}`;
    return this.has(key) ? this.t(key) : String(word).replaceAll("_", " ");
  }

  next() {
    const at = this.languages.indexOf(this.language);
    this.use(this.languages[(at + 1) % this.languages.length]);
  }

  use(language) {
    this.language = language;
    save(KEY, language);
    this.translatePage();
    emit(this, "change", language);
  }

  translatePage() {
    document.documentElement.lang = this.language;
    for (const node of document.querySelectorAll("[data-i18n]")) {
      node.textContent = this.t(node.dataset.i18n);
    }
    for (const node of document.querySelectorAll("[data-i18n-label]")) {
      node.title = this.t(node.dataset.i18nLabel);
      node.setAttribute("aria-label", node.title);
    }
  }
}
