// The last 50 events and the start latency. While hidden it only remembers.

import { byId, element, setText } from "../shared/dom.js";

const KEEP = 50;

function stamp(date) {
  return `${date.toLocaleTimeString("de-DE")}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

export class Debug {
  constructor({ i18n }) {
    this.i18n = i18n;
    this.events = [];
    this.latency = { n: 0, sum: 0, last: 0, most: 0 };
    this.panel = byId("debug");
    this.summary = element("p", { class: "debug-summary" });
    this.list = element("ol", { class: "debug-list", tabindex: 0 });
    this.panel.append(this.summary, this.list);
    byId("debug-toggle").addEventListener("click", () => this.toggle());
    i18n.addEventListener("change", () => this.#heading());
    this.#heading();
  }

  get open() {
    return !this.panel.hidden;
  }

  add(kind, text) {
    const event = { at: new Date(), kind, text };
    this.events.unshift(event);
    if (this.events.length > KEEP) this.events.pop();
    if (!this.open) return;
    this.list.prepend(this.#row(event));
    if (this.list.children.length > KEEP) this.list.lastChild.remove();
    this.#heading();
  }

  started({ id, latencyMs, cached }) {
    const { latency } = this;
    latency.last = latencyMs;
    latency.sum += latencyMs;
    latency.n++;
    latency.most = Math.max(latency.most, latencyMs);
    this.add("PLAY", `${id}: ${latencyMs.toFixed(1)} ms, ${cached ? "cache" : "network"}`);
  }

  toggle() {
    this.panel.hidden = this.open;
    byId("debug-toggle").setAttribute("aria-expanded", this.open);
    document.body.classList.toggle("with-debug", this.open);
    if (this.open) this.list.replaceChildren(...this.events.map((event) => this.#row(event)));
    this.#heading();
  }

  #row({ at, kind, text }) {
    const time = element("time", {}, stamp(at));
    return element("li", { "data-kind": kind }, time, element("b", {}, kind), element("span", {}, text));
  }

  #heading() {
    const { n, sum, last, most } = this.latency;
    setText(byId("debug-toggle"), this.i18n.t(this.open ? "debugHide" : "debugShow"));
    const [lastText, meanText, mostText] = [last, sum / (n || 1), most].map((ms) => ms.toFixed(1));
    const values = { n, last: lastText, mean: meanText, most: mostText };
    const empty = this.events.length ? "" : this.i18n.t("debugEmpty");
    setText(this.summary, n ? this.i18n.t("debugLatency", values) : empty);
  }
}
