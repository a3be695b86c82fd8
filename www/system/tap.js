// The tap console: which endpoints, which topics, how many a second; the list, and one in full.

import { byId, element, setText } from "../shared/dom.js";
import { EventStream } from "../shared/events.js";
import { setIcon } from "../shared/icons.js";
import { bytes, count, timeOfDay } from "./format.js";
import { Inspector } from "./inspect.js";
import { Messages } from "./messages.js";
import { endpointsIn } from "./model.js";
import { Rows } from "./rows.js";

const TOPICS = 60;
const MOST_FROM = 16; // endpoints the gateway takes at once
const ALWAYS = "supervisor"; // reports and log lines

function fillRow(row, { message, text }) {
  const cell = (kind, words) => element("span", { class: `row-${kind}` }, words);
  row.replaceChildren(
    cell("time", timeOfDay(message.time)),
    cell("from", message.from),
    cell("topic", message.topic),
    cell("text", text),
    cell("size", bytes(message.bytes ?? 0)),
  );
}

export class Tap {
  constructor({ i18n }) {
    this.i18n = i18n;
    this.chosen = null; // names; null: all the pipeline's own
    this.names = [];
    this.topics = new Set();
    this.running = false;
    this.absent = []; // what the gateway says of endpoints that are not there
    this.messages = new Messages();
    this.inspector = new Inspector({ i18n });
    this.rows = new Rows(byId("tap-list"), fillRow);
    this.stream = new EventStream(["message", "skipped", "absent"]);
    this.#listen();
    i18n.addEventListener("change", () => this.#show());
    this.#show();
  }

  take(status) {
    const names = [...endpointsIn(status).map((one) => one.name), ALWAYS];
    if (names.join() === this.names.join()) return;
    this.names = names;
    this.#drawChoice();
  }

  // Only these endpoints, at once.
  use(names) {
    this.chosen = new Set(names);
    this.#drawChoice();
    this.start();
  }

  start() {
    this.running = true;
    this.absent = [];
    const from = this.#from();
    if (!from.length) return this.pause();
    const wanted = new URLSearchParams({
      from: from.join(),
      topic: byId("tap-topic").value.trim(),
      rate: byId("tap-rate").value,
    });
    this.stream.open(`/system/tap?${wanted}`);
    this.#show();
  }

  pause() {
    this.running = false;
    this.stream.close();
    this.#sayStream("closed");
    this.#show();
  }

  // The gateway is back: so are the streams, at once.
  renew() {
    if (this.running) this.start();
  }

  #from() {
    const all = this.names.filter((name) => name !== ALWAYS);
    const from = this.chosen ? this.names.filter((name) => this.chosen.has(name)) : all;
    return from.slice(0, MOST_FROM);
  }

  #listen() {
    this.stream.addEventListener("open", () => this.#sayStream("open"));
    this.stream.addEventListener("lost", () => this.#sayStream("lost"));
    this.stream.addEventListener("message", (event) => this.#heard(event.detail));
    this.stream.addEventListener("absent", (event) => this.#missing(event.detail.error));
    this.stream.addEventListener("skipped", (event) => this.messages.skip(event.detail.count ?? 0));
    this.messages.addEventListener("change", () => this.#show());
    this.rows.addEventListener("choose", (event) => this.#choose(event.detail));
    byId("tap-run").addEventListener("click", () => (this.running ? this.pause() : this.start()));
    byId("tap-clear").addEventListener("click", () => this.messages.clear());
    byId("tap-filter").addEventListener("input", (event) =>
      this.messages.setFilter(event.target.value),
    );
    for (const id of ["tap-topic", "tap-rate"])
      byId(id).addEventListener("change", () => this.renew());
    byId("tap-from").addEventListener("change", (event) => this.#toggle(event.target));
  }

  #sayStream(word) {
    byId("tap-part").dataset.stream = word;
    this.#show();
  }

  #missing(error) {
    this.absent.push(error);
    this.#show();
  }

  #heard(message) {
    this.messages.add(message);
    if (this.topics.has(message.topic) || this.topics.size >= TOPICS) return;
    this.topics.add(message.topic);
    const dot = message.topic.indexOf(".");
    if (dot > 0) this.topics.add(message.topic.slice(0, dot + 1));
    const options = [...this.topics].sort().map((value) => element("option", { value }));
    byId("topics").replaceChildren(...options);
  }

  #choose(item) {
    this.rows.choose(item);
    this.inspector.show(item.message);
  }

  #toggle(box) {
    this.chosen ??= new Set(this.#from());
    if (box.checked) this.chosen.add(box.value);
    else this.chosen.delete(box.value);
    this.#limitChoice();
    this.renew();
  }

  #drawChoice() {
    const from = new Set(this.#from());
    const boxes = this.names.map((value) => {
      const box = element("input", { type: "checkbox", value, checked: from.has(value) });
      return element("label", { class: "chip" }, box, element("span", {}, value));
    });
    byId("tap-from").replaceChildren(...boxes);
    this.#limitChoice();
  }

  #limitChoice() {
    const full = this.#from().length >= MOST_FROM;
    for (const box of byId("tap-from").querySelectorAll("input"))
      box.disabled = full && !box.checked;
  }

  #show() {
    const { items, first } = this.messages.shown;
    this.rows.set(items, first);
    const { total, skipped } = this.messages;
    const parts = [this.i18n.t("tapCount", { n: count(total), shown: items.length })];
    if (skipped) parts.push(this.i18n.t("tapSkipped", { n: count(skipped) }));
    setText(byId("tap-count"), [...parts, ...this.absent].join(" · "));
    byId("tap-count").dataset.skipped = skipped;
    byId("tap-empty").hidden = items.length > 0;
    const lost = byId("tap-part").dataset.stream === "lost";
    const hint = !this.running ? "tapIdle" : lost ? "tapLost" : "tapWaiting";
    setText(byId("tap-empty"), this.i18n.t(hint));
    this.#showButton();
  }

  #showButton() {
    const button = byId("tap-run");
    button.dataset.running = this.running;
    setIcon(button, this.running ? "pause" : "play");
    setText(byId("tap-run-text"), this.i18n.t(this.running ? "pause" : "start"));
  }
}
