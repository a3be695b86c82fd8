// A stream of server-sent events that comes back by itself, with back-off and jitter.
// Events: "open", "lost" {failures}, and one for each of the given names, its detail the parsed data.

import { emit } from "./dom.js";

const FIRST_MS = 500;
const LONGEST_MS = 8000;

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export class EventStream extends EventTarget {
  constructor(names) {
    super();
    this.names = names;
    this.url = "";
    this.source = null;
    this.failures = 0;
    this.timer = 0;
    addEventListener("online", () => this.url && !this.source && this.open(this.url));
    addEventListener("pagehide", () => this.#drop());
    addEventListener("pageshow", (event) => event.persisted && this.url && this.open(this.url));
  }

  open(url) {
    this.#drop();
    this.url = url;
    const source = new EventSource(url);
    this.source = source;
    source.onopen = () => emit(this, "open");
    source.onerror = () => source === this.source && this.restart();
    for (const name of this.names) {
      source.addEventListener(name, (event) => this.#heard(name, event.data));
    }
  }

  close() {
    this.url = "";
    this.failures = 0;
    this.#drop();
  }

  // The stream is dead, or looks alive and says nothing.
  restart() {
    const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.failures++);
    this.#drop();
    this.timer = setTimeout(() => this.open(this.url), wait * (0.75 + Math.random() * 0.25));
    emit(this, "lost", { failures: this.failures });
  }

  #heard(name, text) {
    const value = parse(text);
    this.failures = 0;
    if (value !== null) emit(this, name, value);
  }

  #drop() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }
}
