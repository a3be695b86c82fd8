// The log: what the supervisor has kept, and what comes, by stage and level.

import { byId, element, setText } from "../shared/dom.js";
import { setIcon } from "../shared/icons.js";
import { getJson } from "./api.js";
import { timeOfDay } from "./format.js";
import { LEVELS } from "./model.js";

const MOST = 500;
const DRAW_MS = 200;

const keyOf = (line) => `${line.time} ${line.stage} ${line.text}`;
const levelName = (level) => LEVELS[level] ?? String(level);
const levelNumber = (level) =>
  Number(Object.keys(LEVELS).find((key) => LEVELS[key] === level) ?? level);

export class Logs {
  constructor({ i18n }) {
    this.i18n = i18n;
    this.root = byId("log-list");
    this.paused = false;
    this.known = new Set();
    this.waiting = [];
    byId("log-stage").addEventListener("change", () => this.load());
    byId("log-level").addEventListener("change", () => this.load());
    byId("log-run").addEventListener("click", () => this.#setPaused(!this.paused));
    i18n.addEventListener("change", () => this.#show());
    this.#show();
  }

  take(status) {
    const names = [...status.stages.map((stage) => stage.name), "supervisor"];
    if (names.join() === this.names) return;
    this.names = names.join();
    const select = byId("log-stage");
    const before = select.value;
    const all = element(
      "option",
      { value: "", "data-i18n": "allStages" },
      this.i18n.t("allStages"),
    );
    select.replaceChildren(all, ...names.map((name) => element("option", { value: name }, name)));
    select.value = names.includes(before) ? before : "";
  }

  only(stage) {
    byId("log-stage").value = stage;
    this.load();
  }

  add(line) {
    const stage = byId("log-stage").value;
    if (stage && line.stage !== stage) return;
    if (levelNumber(line.level) > Number(byId("log-level").value)) return;
    this.waiting.push(line);
    if (this.waiting.length > MOST) this.waiting.shift();
    this.timer ??= setTimeout(() => this.#draw(), DRAW_MS);
  }

  // Everything anew, for another choice or another connection.
  async load() {
    const query = { stage: byId("log-stage").value, lines: MOST, level: byId("log-level").value };
    try {
      const { lines } = await getJson(`/system/logs.json?${new URLSearchParams(query)}`);
      this.root.replaceChildren();
      this.known.clear();
      this.waiting = [...lines, ...this.waiting].slice(-MOST * 2);
      this.#draw(true);
    } catch (error) {
      setText(byId("log-note"), this.i18n.t("logFailed", { reason: error.message }));
    }
  }

  #draw(anyway) {
    clearTimeout(this.timer);
    this.timer = null;
    if (this.paused && !anyway) return this.#show();
    const { root } = this;
    const fresh = this.waiting.filter((line) => !this.known.has(keyOf(line)));
    this.waiting = [];
    for (const line of fresh) this.known.add(keyOf(line));
    root.append(...fresh.map((line) => this.#line(line)));
    while (root.childElementCount > MOST) root.firstElementChild.remove();
    while (this.known.size > MOST * 2) this.known.delete(this.known.values().next().value);
    if (!this.paused) root.scrollTop = root.scrollHeight;
    this.#show();
  }

  #line(line) {
    const level = levelName(line.level);
    const parts = [
      ["time", timeOfDay(line.time)],
      ["level", level],
      ["stage", line.stage],
      ["text", line.text],
    ];
    const cells = parts.map(([kind, text]) => element("span", { class: `log-${kind}` }, text));
    return element("li", { "data-level": level }, ...cells);
  }

  #setPaused(paused) {
    this.paused = paused;
    this.#draw();
  }

  #show() {
    const button = byId("log-run");
    button.dataset.running = !this.paused;
    setIcon(button, this.paused ? "play" : "pause");
    setText(byId("log-run-text"), this.i18n.t(this.paused ? "follow" : "pause"));
    const held = this.paused && this.waiting.length;
    const empty = this.root.childElementCount === 0 ? this.i18n.t("logEmpty") : "";
    setText(byId("log-note"), held ? this.i18n.t("logHeld", { n: this.waiting.length }) : empty);
  }
}
