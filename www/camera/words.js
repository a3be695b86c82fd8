// Words for what the server tells, and its clock.

import { span } from "../shared/format.js";
import { ServerClock } from "../shared/serverclock.js";

export class Words extends ServerClock {
  constructor(i18n) {
    super();
    this.i18n = i18n;
  }

  // Since a moment in nanoseconds.
  since(ns) {
    return span(this.now() - ns / 1e6);
  }

  // Why a process does not run, in brackets where it is known.
  trouble(process) {
    const cause = process.cause && process.cause !== "ok" ? this.i18n.word("cause", process.cause) : "";
    const status = process.status ? String(process.status) : "";
    return [cause, status].filter(Boolean).join(", ");
  }
}
