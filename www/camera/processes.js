// The programs behind the picture: how each is, its last lines, a button that starts it again.

import { byId, element, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { restartProcess } from "./api.js";

const ORDER = ["camera", "publisher", "preview"];
const DOT = { running: "ok", starting: "warn", backoff: "bad", missing: "bad", stopped: "none" };

class ProcessCard {
  constructor({ i18n, words, name }) {
    Object.assign(this, { i18n, words, name });
    this.dot = element("span", { class: "dot", "aria-hidden": "true" });
    this.title = element("h3", {});
    this.state = element("p", { class: "process-state" });
    this.facts = element("p", { class: "process-facts" });
    this.word = element("span");
    this.button = element("button", { class: "button quiet process-restart", type: "button" }, icon("restart"), this.word);
    this.summary = element("summary");
    this.command = element("code", { class: "process-command" });
    this.lines = element("pre", { class: "process-lines", tabindex: "0" });
    this.refused = element("p", { class: "process-refused", role: "alert" });
    const head = element("header", { class: "process-head" }, this.dot, this.title, this.button);
    const details = element("details", { open: true }, this.summary, this.command, this.lines);
    this.node = element("article", { class: "process card", "data-process": name }, head, this.state, this.facts, this.refused, details);
    this.atEnd = true;
    this.top = 0;
    this.button.addEventListener("click", () => this.#restart());
    this.lines.addEventListener("scroll", () => this.#scrolled());
  }

  show(process) {
    this.process = process;
    this.update();
  }

  setReachable(reachable) {
    this.reachable = reachable;
    this.#enable();
  }

  update() {
    const { process, i18n, words } = this;
    this.node.dataset.state = process.state;
    this.dot.dataset.state = DOT[process.state] ?? "warn";
    setText(this.title, i18n.word("process", this.name));
    setText(this.word, i18n.t("restart"));
    this.button.setAttribute("aria-label", i18n.t("restartOf", { name: this.title.textContent }));
    setText(this.summary, i18n.t("lines"));
    setText(this.command, process.command ?? "");
    this.#lines(process.lines ?? []);
    this.tick();
    this.#enable();
  }

  // What goes on with time.
  tick() {
    const { process, i18n, words } = this;
    const trouble = process.state === "running" ? "" : words.trouble(process);
    const since = process.since ? i18n.t("since", { span: words.since(process.since) }) : "";
    setText(this.state, [i18n.word("state", process.state), since, trouble].filter(Boolean).join(" · "));
    const pid = process.pid ? i18n.t("pid", { pid: process.pid }) : "";
    setText(this.facts, [pid, i18n.t("restarts", { n: process.restarts ?? 0 })].filter(Boolean).join(" · "));
  }

  // Whoever reads the end stays there; whoever has scrolled up is left alone. A box that has become
  // narrower has more lines, and nobody has scrolled.
  #lines(lines) {
    const { lines: box } = this;
    setText(box, lines.length ? lines.join("\n") : this.i18n.t("noLines"));
    if (this.atEnd) box.scrollTop = box.scrollHeight;
    this.top = box.scrollTop;
  }

  #scrolled() {
    const { lines: box } = this;
    if (box.scrollHeight - box.scrollTop - box.clientHeight < 8) this.atEnd = true;
    else if (box.scrollTop < this.top) this.atEnd = false;
    this.top = box.scrollTop;
  }

  #enable() {
    this.button.disabled = !this.reachable || this.busy === true;
  }

  async #restart() {
    this.busy = true;
    this.#enable();
    setText(this.refused, "");
    try {
      await restartProcess(this.name);
    } catch (error) {
      const reason = error.name === "TimeoutError" ? this.i18n.t("noAnswer") : error.message;
      setText(this.refused, this.i18n.t("refused", { reason }));
    }
    this.busy = false;
    this.#enable();
  }
}

export class Processes {
  constructor({ i18n, words }) {
    Object.assign(this, { i18n, words });
    this.cards = new Map();
    this.reachable = false;
    i18n.addEventListener("change", () => this.#each((card) => card.update()));
  }

  // Null before it is heard of.
  of(name) {
    return this.cards.get(name)?.process ?? null;
  }

  show(process) {
    if (!this.cards.has(process.name)) this.#add(process.name);
    this.cards.get(process.name).show(process);
  }

  setReachable(reachable) {
    this.reachable = reachable;
    this.#each((card) => card.setReachable(reachable));
  }

  tick() {
    this.#each((card) => card.tick());
  }

  #each(act) {
    for (const card of this.cards.values()) act(card);
  }

  #add(name) {
    const card = new ProcessCard({ i18n: this.i18n, words: this.words, name });
    card.setReachable(this.reachable);
    this.cards.set(name, card);
    const place = (key) => (ORDER.indexOf(key) + ORDER.length + 1) % (ORDER.length + 1);
    const after = [...byId("processes").children].find((node) => place(node.dataset.process) > place(name));
    byId("processes").insertBefore(card.node, after ?? null);
  }
}
