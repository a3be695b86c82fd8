// The wire between a page and its rules, which answer {"type":"hello"} and speak up at least every
// few seconds. Events: "message" (every one), "link" up | connecting | down | stale.

import { emit } from "./dom.js";
import { ReconnectingSocket, socketUrl } from "./socket.js";

const TICK_MS = 1000;

export class PageLink extends EventTarget {
  // silenceMs: a server that says nothing for so long is left.
  constructor(path, silenceMs) {
    super();
    this.silenceMs = silenceMs;
    this.word = "";
    this.heardAt = this.tickedAt = performance.now();
    this.socket = new ReconnectingSocket(socketUrl(path));
    this.socket.addEventListener("open", () => this.#opened());
    this.socket.addEventListener("close", () => this.word !== "stale" && this.#say("down"));
    this.socket.addEventListener("message", (event) => this.#received(event.detail));
    addEventListener("offline", () => this.#say("stale"));
  }

  start() {
    this.#say("connecting");
    this.socket.open();
    setInterval(() => this.#tick(), TICK_MS);
  }

  #opened() {
    this.heardAt = performance.now();
    this.socket.send({ type: "hello" });
  }

  #received(message) {
    this.heardAt = performance.now();
    this.#say("up");
    emit(this, "message", message);
  }

  #tick() {
    const now = performance.now();
    // After sleep the clock has jumped while messages still wait in the queue: give them time.
    if (now - this.tickedAt > 3 * TICK_MS) this.heardAt = now;
    this.tickedAt = now;
    if (!this.socket.isOpen || now - this.heardAt < this.silenceMs) return;
    this.heardAt = now;
    this.#say("stale");
    this.socket.restart();
  }

  #say(word) {
    if (word === this.word) return;
    this.word = word;
    emit(this, "link", word);
  }
}
