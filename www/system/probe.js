// How late messages are when this browser has them: the moment of arrival by the gateway's clock
// minus the moment the event entered tapline. Event "sample" {at, ms}.

import { emit } from "../shared/dom.js";
import { EventStream } from "../shared/events.js";

const RATE = 20;
const HEARD_MS = 60000;

export class Probe extends EventTarget {
  constructor(clock) {
    super();
    this.clock = clock;
    this.wanted = "";
    this.since = Infinity;
    this.heard = new Map();
    this.stream = new EventStream(["message"]);
    this.stream.addEventListener("open", () => (this.since = this.clock.now() ?? Infinity));
    this.stream.addEventListener("message", (event) => this.#took(event.detail));
    clock.addEventListener("change", () => (this.since = Math.min(this.since, clock.now())));
    document.addEventListener("visibilitychange", () => this.renew());
  }

  // names: endpoints from the first stage to the last; the last one that says something counts.
  listen(names, topic) {
    const wanted = names.length
      ? String(new URLSearchParams({ from: names.join(), topic, rate: RATE, body: 0 }))
      : "";
    if (wanted === this.wanted) return;
    this.wanted = wanted;
    this.names = names;
    this.heard.clear();
    this.renew();
  }

  // A page in the background is slowed down by its browser: nothing is measured there.
  renew() {
    this.since = Infinity;
    if (this.wanted && !document.hidden) this.stream.open(`/system/tap?${this.wanted}`);
    else this.stream.close();
  }

  // The endpoint that counts at present.
  get source() {
    const now = performance.now();
    return (
      this.names?.findLast((name) => now - (this.heard.get(name) ?? -Infinity) < HEARD_MS) ?? null
    );
  }

  // What is older than our listening is a state said again.
  #took(message) {
    const arrived = performance.now();
    const at = this.clock.at(arrived);
    const entered = Number(message.time) / 1e6;
    if (at === null || !Number.isFinite(entered) || entered < this.since) return;
    this.heard.set(message.from, arrived);
    if (message.from === this.source) emit(this, "sample", { at, ms: Math.max(0, at - entered) });
  }
}
