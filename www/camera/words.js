// Words for what the server tells, and its clock.

import { clock, span } from "../shared/format.js";

export class Words {
  constructor(i18n) {
    this.i18n = i18n;
    this.skew = 0; // server's clock less ours
  }

  sync(nowMs) {
    this.skew = nowMs - Date.now();
  }

  now() {
    return Date.now() + this.skew;
  }

  // The text of a word of the protocol, or the word itself.
  of(kind, word) {
    const key = `${kind}_${word}`;
    return this.i18n.has(key) ? this.i18n.t(key) : String(word).replaceAll("_", " ");
  }

  // Since a moment in nanoseconds.
  since(ns) {
    return span(this.now() - ns / 1e6);
  }

  clock(ms) {
    return clock(ms);
  }

  // Why a process does not run, in brackets where it is known.
  trouble(process) {
    const cause = process.cause && process.cause !== "ok" ? this.of("cause", process.cause) : "";
    const status = process.status ? String(process.status) : "";
    return [cause, status].filter(Boolean).join(", ");
  }
}
