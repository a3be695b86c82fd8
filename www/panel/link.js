// The wire to the gateway. Turns sockets, heartbeats and old servers into four events:
// "play" id, "stop", "state" {…, fresh}, "link" up | connecting | down | stale.
// fresh is set on the first state of a connection: what was missed is in it.

import { ReconnectingSocket, socketUrl } from "../shared/socket.js";
import { emit } from "../shared/dom.js";
import { fetchStatus } from "./api.js";
import { isId } from "./ids.js";

const HELLO_MS = 2000;
const POLL_MS = 5000;
const PING_MS = 10000;
const SILENCE_MS = 12000;
const TICK_MS = 1000;

export class Link extends EventTarget {
  constructor() {
    super();
    this.socket = new ReconnectingSocket(socketUrl("/ws"));
    this.socket.addEventListener("open", () => this.#opened());
    this.socket.addEventListener("close", () => this.#closed());
    this.socket.addEventListener("message", (event) => this.#received(event.detail));
    this.socket.addEventListener("sent", (event) => emit(this, "sent", event.detail));
    addEventListener("offline", () => this.#say("stale"));
    this.#reset();
    this.tickedAt = performance.now();
  }

  start() {
    this.#say("connecting");
    this.socket.open();
    this.#refresh();
    setInterval(() => this.#tick(), TICK_MS);
  }

  sendEnded(id) {
    return this.socket.send({ type: "ended", id });
  }

  #reset() {
    this.fresh = true;
    this.pushes = null; // null: not known yet; true: the server sends state; false: it must be asked
    this.openedAt = this.heardAt = this.pingedAt = performance.now();
    this.polledAt = 0;
    this.pingStuck = false;
  }

  #opened() {
    this.#reset();
    this.socket.send({ type: "hello" });
    this.#say(navigator.onLine === false ? "stale" : "up");
  }

  #closed() {
    if (this.word !== "stale") this.#say("down");
  }

  #received(message) {
    this.heardAt = performance.now();
    emit(this, "received", message);
    if (message.type === "play" && isId(message.id)) emit(this, "play", message.id);
    if (message.type === "stop") emit(this, "stop");
    if (message.type === "state") this.#pushed(message);
  }

  #pushed(message) {
    this.pushes = true;
    this.#say("up");
    this.#tell({ ...message, receivedAt: this.heardAt, askedAt: this.heardAt });
  }

  #tell(state) {
    emit(this, "state", { ...state, fresh: this.fresh });
    this.fresh = false;
  }

  #say(word) {
    if (word === this.word) return;
    this.word = word;
    emit(this, "link", word);
  }

  #tick() {
    const now = performance.now();
    // After sleep the clock has jumped while messages still wait in the queue: give them time.
    if (now - this.tickedAt > 3 * TICK_MS) this.heardAt = this.pingedAt = now;
    this.tickedAt = now;
    if (!this.socket.isOpen) return;
    this.#ping(now);
    if (this.pushes === null && now - this.openedAt > HELLO_MS) this.pushes = false;
    if (this.pushes === false && now - this.polledAt > POLL_MS) this.#refresh();
    if (this.pushes && now - this.heardAt > SILENCE_MS) this.#giveUp();
  }

  #ping(now) {
    if (now - this.pingedAt < PING_MS) return;
    this.pingedAt = now;
    const stuck = this.socket.unsent > 0;
    if (stuck && this.pingStuck) this.#giveUp();
    else if (stuck) this.#say("stale");
    else this.socket.send({ type: "ping" });
    this.pingStuck = stuck;
  }

  #giveUp() {
    this.#say("stale");
    this.socket.restart();
  }

  // Asks an older server; a newer one has always the last word.
  async #refresh() {
    const askedAt = (this.polledAt = performance.now());
    try {
      const state = await fetchStatus();
      if (this.pushes === true) return;
      if (this.socket.isOpen && this.pushes === false) this.#say("up");
      const fresh = this.fresh && this.pushes === false;
      emit(this, "state", { ...state, receivedAt: performance.now(), askedAt, fresh });
      if (fresh) this.fresh = false;
    } catch (error) {
      emit(this, "fault", `/status: ${error.message}`);
      if (this.pushes === false) this.#say("stale");
    }
  }
}
