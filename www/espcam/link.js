// The wire to the rules. Events: "cameras" (the message), "link" up | connecting | down | stale.

import { emit } from "../shared/dom.js";
import { ReconnectingSocket, socketUrl } from "../shared/socket.js";

const SILENCE_MS = 12000; // the server speaks every 5 s
const TICK_MS = 1000;

export class Link extends EventTarget {
  constructor() {
    super();
    this.word = "";
    this.heardAt = this.tickedAt = performance.now();
    this.socket = new ReconnectingSocket(socketUrl("/cameras/ws"));
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
    if (message.type !== "cameras") return;
    this.#say("up");
    emit(this, "cameras", message);
  }

  #tick() {
    const now = performance.now();
    // After sleep the clock has jumped while messages still wait in the queue: give them time.
    if (now - this.tickedAt > 3 * TICK_MS) this.heardAt = now;
    this.tickedAt = now;
    if (!this.socket.isOpen || now - this.heardAt < SILENCE_MS) return;
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
