// The gateway's clock as seen from here, as NTP does it: of several questions the one that came
// back soonest tells best, and it is wrong by at most half its way there and back.

import { emit } from "../shared/dom.js";
import { getJson } from "./api.js";

const KEEP = 12;
const BURST = 6;
const ENOUGH = 4; // before that, the best may be a bad one
const BURST_MS = 150;
const PAUSE_MS = 10000;

export class Clock extends EventTarget {
  constructor() {
    super();
    this.samples = [];
    this.best = null;
  }

  start() {
    this.#ask(BURST);
  }

  // Milliseconds since the epoch by the gateway's clock, at a moment of performance.now().
  at(moment) {
    return this.best ? moment + this.best.offset : null;
  }

  now() {
    return this.at(performance.now());
  }

  // How far this browser's own time of day is from the gateway's, ms.
  get difference() {
    return this.best ? performance.timeOrigin - this.best.offset : 0;
  }

  get error() {
    return this.best ? this.best.rtt / 2 : 0;
  }

  async #ask(left) {
    const sent = performance.now();
    try {
      const { now } = await getJson("/system/time.json");
      this.#take(sent, performance.now(), Number(now) / 1e6);
    } catch {
      // asked again below
    }
    setTimeout(() => this.#ask(left - 1), left > 1 ? BURST_MS : PAUSE_MS);
  }

  #take(sent, received, serverMs) {
    const rtt = received - sent;
    this.samples.push({ rtt, offset: serverMs - (sent + received) / 2 });
    if (this.samples.length > KEEP) this.samples.shift();
    if (this.samples.length < ENOUGH) return;
    this.best = this.samples.reduce((a, b) => (b.rtt < a.rtt ? b : a));
    emit(this, "change");
  }
}
