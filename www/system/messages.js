// The last messages of a tap: at most so many, and so many bytes. Redrawn a few times a second,
// however many arrive.

import { emit } from "../shared/dom.js";
import { preview } from "./bytes.js";

const MOST = 500;
const MOST_BYTES = 32 << 20;
const DRAW_MS = 150;

export class Messages extends EventTarget {
  constructor() {
    super();
    this.clear();
    this.filter = "";
  }

  clear() {
    Object.assign(this, { list: [], first: 0, bytes: 0, total: 0, skipped: 0 });
    this.#changed();
  }

  add(message) {
    const item = { message, text: preview(message.body) };
    this.total++;
    this.bytes += message.bytes ?? 0;
    this.list.push(item);
    let gone = 0;
    while (
      this.list.length - gone > MOST ||
      (this.bytes > MOST_BYTES && this.list.length - gone > 1)
    ) {
      this.bytes -= this.list[gone++].message.bytes ?? 0;
    }
    if (gone) this.list.splice(0, gone);
    this.first += gone;
    this.#changed();
  }

  skip(count) {
    this.skipped += count;
    this.#changed();
  }

  setFilter(text) {
    this.filter = text.trim().toLowerCase();
    this.#changed();
  }

  // What the filter lets through, and the number of the first of it.
  get shown() {
    if (!this.filter) return { items: this.list, first: this.first };
    const fits = ({ message, text }) =>
      `${message.from} ${message.topic} ${text}`.toLowerCase().includes(this.filter);
    return { items: this.list.filter(fits), first: 0 };
  }

  #changed() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      emit(this, "change");
    }, DRAW_MS);
  }
}
