// The chosen stage: what ails it, its command, its endpoints with their counts, its counters.
// Events "restart", "logs", "tap" with a stage's name, "close".

import { byId, element, emit, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { bytes, count } from "./format.js";
import { endpointsOf } from "./model.js";

export class Detail extends EventTarget {
  constructor({ i18n }) {
    super();
    this.i18n = i18n;
    this.root = byId("detail");
    this.name = null;
    this.shown = "";
    i18n.addEventListener("change", () => this.#build());
  }

  select(name) {
    this.name = name;
    this.#build();
  }

  take(status) {
    this.status = status;
    this.#fill();
  }

  get #stage() {
    return this.status?.stages.find((stage) => stage.name === this.name);
  }

  #build() {
    const stage = this.#stage;
    this.root.hidden = !stage;
    if (!stage) return;
    this.text = element("p", { class: "detail-cause" });
    this.figures = element("div", { class: "detail-figures" });
    const close = this.#button("close", "close", () => emit(this, "close"));
    close.className = "button quiet square";
    close.replaceChildren(icon("close"));
    close.setAttribute("aria-label", this.i18n.t("close"));
    const acts = [
      this.#button("restart", "restart", () => emit(this, "restart", this.name)),
      this.#button("logs", "logs", () => emit(this, "logs", this.name)),
    ];
    if (endpointsOf(stage).length)
      acts.push(this.#button("tap", "tap", () => emit(this, "tap", this.name)));
    const head = element(
      "header",
      { class: "detail-head" },
      element("h3", {}, this.name),
      ...acts,
      close,
    );
    const command = element("code", { class: "detail-command" }, (stage.command ?? []).join(" "));
    this.root.replaceChildren(head, this.text, command, this.figures);
    this.shown = "";
    this.#fill();
  }

  #button(symbol, key, act) {
    return element(
      "button",
      { class: "button", type: "button", onclick: act },
      icon(symbol),
      this.i18n.t(key),
    );
  }

  #fill() {
    const stage = this.#stage;
    if (!stage || this.root.hidden) return;
    const last = stage.last_exit ? this.i18n.t("lastExit", { text: stage.last_exit }) : "";
    setText(this.text, [stage.cause_text, last].filter(Boolean).join(" – "));
    this.text.hidden = !this.text.textContent;
    const tables = this.#tables(stage);
    const now = JSON.stringify(tables);
    if (now === this.shown) return;
    this.shown = now;
    this.figures.replaceChildren(
      ...tables.filter(({ rows }) => rows.length).map((table) => this.#list(table)),
    );
  }

  #tables({ inputs = [], outputs = [], report }) {
    const of = (list) => list.map((one) => (typeof one === "string" ? { name: one } : one));
    const flow = (key, list) => ({
      title: key,
      rows: list.map((one) => [one.name, this.#words(one)]),
    });
    const counters = Object.entries(report?.counters ?? {}).filter(([, value]) => value);
    return [
      flow("inputs", of(report?.inputs ?? inputs)),
      flow("outputs", of(report?.outputs ?? outputs)),
      { title: "counters", rows: counters.map(([name, value]) => [name, count(value)]) },
    ];
  }

  #words(one) {
    const words = [];
    const say = (key, value, always) => {
      if (value || (always && value === 0)) words.push(this.i18n.t(key, { n: value }));
    };
    say("ioReceived", one.received === undefined ? undefined : count(one.received), true);
    say("ioSent", one.sent === undefined ? undefined : count(one.sent), true);
    if (one.bytes) words.push(`${bytes(one.bytes)}B`);
    say("ioLost", one.lost && count(one.lost));
    say("ioDropped", one.dropped && count(one.dropped));
    say("ioBad", one.bad_bytes && bytes(one.bad_bytes));
    say("ioQueue", one.queue_bytes && bytes(one.queue_bytes));
    say("ioSubscribers", one.subscribers);
    return words.join(", ");
  }

  #list({ title, rows }) {
    const items = rows.flatMap(([name, words]) => [
      element("dt", {}, name),
      element("dd", {}, words),
    ]);
    return element(
      "section",
      {},
      element("h4", {}, this.i18n.t(title)),
      element("dl", {}, ...items),
    );
  }
}
