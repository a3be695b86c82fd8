// One button per id. Shows what plays here, which LED is lit, what is not loaded.
// Event "choose" id. One tab stop; the arrow keys move inside.

import { byId, element, emit } from "../shared/dom.js";
import { pad } from "./ids.js";

const ARROWS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: "up", ArrowDown: "down" };

export class Grid extends EventTarget {
  constructor({ media, i18n }) {
    super();
    this.media = media;
    this.i18n = i18n;
    this.root = byId("grid");
    this.buttons = [];
    this.current = null;
    this.lit = null;
    media.addEventListener("item", (event) => this.#mark(event.detail));
    i18n.addEventListener("change", () => this.#markAll());
    this.root.addEventListener("click", (event) => this.#clicked(event));
    this.root.addEventListener("keydown", (event) => this.#moved(event));
    this.root.addEventListener("focusin", (event) => this.#tabStop(event.target));
  }

  get count() {
    return this.buttons.length;
  }

  setCount(count) {
    while (this.count > count) this.buttons.pop().remove();
    const added = [];
    for (let id = this.count + 1; id <= count; id++) added.push(this.#button(id));
    this.buttons.push(...added);
    this.root.append(...added);
    this.root.dataset.size = count > 30 ? "many" : count > 12 ? "some" : "few";
    this.#markAll();
  }

  setCurrent(id) {
    this.#move("current", id);
    this.#reveal(this.buttons[id - 1]);
  }

  setLit(id) {
    this.#move("lit", id);
  }

  #button(id) {
    const number = element("span", { class: "key-number" }, pad(id));
    const tabindex = id === 1 ? 0 : -1;
    return element("button", { class: "key", type: "button", "data-id": id, tabindex }, number);
  }

  #move(what, id) {
    const before = this[what];
    if (before === id) return;
    this[what] = id;
    for (const changed of [before, id]) this.#mark(changed);
  }

  // Only within a grid that scrolls by itself; the page under a thumb stays where it is.
  #reveal(button) {
    const { root } = this;
    if (!button || root.scrollHeight <= root.clientHeight) return;
    const top = button.offsetTop - root.offsetTop;
    if (top < root.scrollTop || top + button.offsetHeight > root.scrollTop + root.clientHeight) {
      root.scrollTop = top - root.clientHeight / 2;
    }
  }

  #markAll() {
    for (let id = 1; id <= this.count; id++) this.#mark(id);
  }

  #mark(id) {
    const button = this.buttons[id - 1];
    if (!button) return;
    const { picture, sound } = this.media.result(id);
    const states = [picture, sound];
    const load = ["missing", "failed", "wait"].find((state) => states.includes(state)) ?? "ok";
    button.dataset.load = load;
    button.classList.toggle("is-current", id === this.current);
    button.classList.toggle("is-lit", id === this.lit);
    const label = this.#label(id, load);
    button.setAttribute("aria-label", label);
    button.title = label;
    button.setAttribute("aria-pressed", id === this.current);
  }

  #label(id, load) {
    const marks = [
      id === this.current && "markCurrent",
      id === this.lit && "markLit",
      { missing: "markMissing", failed: "markFailed", wait: "markLoading" }[load],
    ];
    const words = marks.filter(Boolean).map((key) => this.i18n.t(key));
    return [this.i18n.t("play", { id: pad(id) }), ...words].join(", ");
  }

  #clicked(event) {
    const button = event.target.closest(".key");
    if (button) emit(this, "choose", Number(button.dataset.id));
  }

  #tabStop(button) {
    for (const other of this.root.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
    button.tabIndex = 0;
  }

  #moved(event) {
    const step = ARROWS[event.key];
    const at = this.buttons.indexOf(event.target);
    if (step === undefined || at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const columns = this.#columns();
    const target = this.buttons[at + ({ up: -columns, down: columns }[step] ?? step)];
    target?.focus();
  }

  #columns() {
    const top = this.buttons[0].offsetTop;
    const second = this.buttons.findIndex((button) => button.offsetTop > top);
    return second < 0 ? this.count : second;
  }
}
