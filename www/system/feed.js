// What the pipeline says of itself: status once a second and log lines, as a stream; asked for when
// there is no stream. Events: "status", "log", "link" (connecting, up, polling, stale, absent, down).
// absent: the gateway is there and its supervisor is not; `error` says why.

import { emit } from "../shared/dom.js";
import { EventStream } from "../shared/events.js";
import { getJson } from "./api.js";

const STALE_MS = 3500;
const POLL_MS = 1000;
const LOOK_MS = 250;
const PATIENCE = 2; // streams that may fail before status is asked for

export class Feed extends EventTarget {
  constructor() {
    super();
    this.link = "connecting";
    this.heardAt = 0;
    this.error = "";
    this.polling = false;
    this.round = 0; // of polling, so that an old one ends
    this.stream = new EventStream(["status", "log", "absent"]);
    this.stream.addEventListener("status", (event) => this.#heard(event.detail, "up"));
    this.stream.addEventListener("log", (event) => emit(this, "log", event.detail));
    this.stream.addEventListener("absent", (event) => this.#absent(event.detail.error));
    this.stream.addEventListener("lost", (event) => this.#lost(event.detail.failures));
  }

  start() {
    this.heardAt = performance.now();
    this.stream.open("/system/events");
    setInterval(() => this.#look(), LOOK_MS);
  }

  get age() {
    return performance.now() - this.heardAt;
  }

  #heard(status, link) {
    this.heardAt = performance.now();
    if (link === "up") this.polling = false;
    this.#say(link);
    emit(this, "status", status);
  }

  #absent(error) {
    this.heardAt = performance.now();
    this.polling = false;
    this.error = error;
    this.#say("absent");
  }

  #lost(failures) {
    if (failures < PATIENCE) this.#say("connecting");
    else if (!this.polling) this.#poll();
  }

  // A stream that looks alive but has gone quiet is given up.
  #look() {
    if (this.age < STALE_MS || this.link === "down") return;
    this.#say("stale");
    if (!this.polling) {
      this.stream.restart();
      this.#poll();
    }
  }

  async #poll() {
    this.polling = true;
    const round = ++this.round;
    const goesOn = () => this.polling && round === this.round;
    while (goesOn()) {
      try {
        const status = await getJson("/system/status.json");
        if (goesOn()) this.#heard(status, "polling");
      } catch {
        if (goesOn()) this.#say("down");
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  #say(link) {
    if (this.link === link) return;
    this.link = link;
    emit(this, "link", link);
  }
}
