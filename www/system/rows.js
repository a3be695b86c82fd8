// A list of any length of which only the lines in sight are in the page. All lines are of one height;
// the oldest are forgotten. Event "choose" with an item.

import { element, emit } from "../shared/dom.js";

const SPARE = 4;

export class Rows extends EventTarget {
  constructor(root, fill) {
    super();
    Object.assign(this, {
      root,
      fill,
      items: [],
      first: 0,
      chosen: null,
      follow: true,
      planned: false,
    });
    this.space = element("div", { class: "rows-space" });
    root.append(this.space);
    this.pool = [];
    root.addEventListener("scroll", () => this.#scrolled());
    root.addEventListener("click", (event) => this.#clicked(event));
    root.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => requestAnimationFrame(() => this.#draw())).observe(root);
  }

  // items: all there are now; first: the number of the first of them.
  set(items, first) {
    const gone = first - this.first;
    Object.assign(this, { items, first });
    if (!this.follow && gone > 0)
      this.root.scrollTop = Math.max(0, this.root.scrollTop - gone * this.height);
    this.#draw();
  }

  choose(item) {
    this.chosen = item;
    this.#draw();
  }

  get height() {
    return (
      parseFloat(getComputedStyle(this.root).getPropertyValue("--row")) *
      parseFloat(getComputedStyle(document.documentElement).fontSize)
    );
  }

  #draw() {
    const { root, items, height } = this;
    this.space.style.height = `${items.length * height}px`;
    if (this.follow) root.scrollTop = items.length * height;
    const from = Math.max(0, Math.floor(root.scrollTop / height) - SPARE);
    const to = Math.min(
      items.length,
      Math.ceil((root.scrollTop + root.clientHeight) / height) + SPARE,
    );
    this.#reserve(to - from);
    this.pool.forEach((row, i) => this.#place(row, from + i, to, height));
  }

  #reserve(count) {
    while (this.pool.length < count) {
      const row = element("div", { class: "row", role: "option" });
      this.pool.push(row);
      this.space.append(row);
    }
  }

  #place(row, at, to, height) {
    const item = at < to ? this.items[at] : null;
    row.hidden = !item;
    row.item = item;
    if (!item) return;
    row.style.transform = `translateY(${at * height}px)`;
    row.setAttribute("aria-selected", item === this.chosen);
    if (row.shown === item) return;
    row.shown = item;
    this.fill(row, item);
  }

  #scrolled() {
    const { root } = this;
    this.follow = root.scrollTop + root.clientHeight >= root.scrollHeight - this.height;
    if (this.planned) return;
    this.planned = true;
    requestAnimationFrame(() => {
      this.planned = false;
      this.#draw();
    });
  }

  #clicked(event) {
    const item = event.target.closest(".row")?.item;
    if (item) emit(this, "choose", item);
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !this.items.length) return;
    event.preventDefault();
    const at = this.items.indexOf(this.chosen);
    const next =
      at < 0 ? this.items.length - 1 : Math.max(0, Math.min(this.items.length - 1, at + step));
    this.#reveal(next);
    emit(this, "choose", this.items[next]);
  }

  #reveal(at) {
    const { root, height } = this;
    if (at * height < root.scrollTop) root.scrollTop = at * height;
    if ((at + 1) * height > root.scrollTop + root.clientHeight)
      root.scrollTop = (at + 1) * height - root.clientHeight;
  }
}
