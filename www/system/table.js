// The processes, a row each. Events "select", "restart", "logs" with a stage's name.

import { byId, element, emit, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { bytes, count, micros, millis, percent } from "./format.js";
import { stageDot } from "./model.js";

const reported = (key) => (stage) => (stage.report ? count(stage.report[key] ?? 0) : "-");
const running = (show) => (stage) => (stage.pid ? show(stage) : "-");

const COLUMNS = [
  ["stage", (stage) => stage.name],
  ["program", (stage) => stage.report?.program ?? stage.program.split("/").at(-1)],
  ["state", (stage) => stage.state],
  ["cause", (stage) => stage.cause ?? ""],
  ["pid", running((stage) => String(stage.pid))],
  ["up", running((stage) => millis(stage.uptime_ms))],
  ["restarts", (stage) => String(stage.restarts)],
  ["inRate", (stage) => (stage.report ? count(stage.in_per_s ?? 0) : "-")],
  ["outRate", (stage) => (stage.report ? count(stage.out_per_s ?? 0) : "-")],
  ["lost", reported("lost")],
  ["dropped", reported("dropped")],
  ["queue", reported("queue")],
  ["p50", (stage) => micros(stage.report?.latency_p50_us)],
  ["p99", (stage) => micros(stage.report?.latency_p99_us)],
  ["cpu", running((stage) => percent(stage.cpu_percent ?? 0))],
  ["memory", (stage) => (stage.report ? bytes(stage.report.memory_bytes ?? 0) : "-")],
  [
    "age",
    (stage, now) =>
      stage.report?.last_message ? millis(Math.max(0, now - stage.report.last_message / 1e6)) : "-",
  ],
];
const WORDS = ["stage", "program", "state", "cause"];

export class Processes extends EventTarget {
  constructor({ i18n, clock }) {
    super();
    Object.assign(this, { i18n, clock });
    this.rows = new Map();
    this.selected = null;
    i18n.addEventListener("change", () => this.#build());
  }

  take(status) {
    this.status = status;
    const names = status.stages.map((stage) => stage.name).join(" ");
    if (names !== this.names) this.#build();
    this.names = names;
    const now = this.clock.now() ?? Date.now();
    for (const stage of status.stages) this.#update(stage, now);
  }

  select(name) {
    this.selected = name;
    for (const [stage, { row }] of this.rows) row.classList.toggle("is-selected", stage === name);
  }

  #build() {
    if (!this.status) return;
    const heads = COLUMNS.map(([key]) => this.#head(key));
    const acts = element(
      "th",
      { scope: "col" },
      element("span", { class: "spoken" }, this.i18n.t("actions")),
    );
    this.rows = new Map(this.status.stages.map((stage) => [stage.name, this.#row(stage.name)]));
    const body = element("tbody", {}, ...[...this.rows.values()].map(({ row }) => row));
    const head = element("thead", {}, element("tr", {}, ...heads, acts));
    const caption = element("caption", { class: "spoken" }, this.i18n.t("processes"));
    byId("processes").replaceChildren(
      element("table", { class: "processes" }, caption, head, body),
    );
    this.select(this.selected);
    const now = this.clock.now() ?? Date.now();
    for (const stage of this.status.stages) this.#update(stage, now);
  }

  #head(key) {
    const title = this.i18n.t(`title_${key}`);
    return element(
      "th",
      { scope: "col", class: WORDS.includes(key) ? "word" : "number", title },
      this.i18n.t(`column_${key}`),
    );
  }

  #row(name) {
    const cells = new Map();
    for (const [key] of COLUMNS) {
      const label = this.i18n.t(`column_${key}`);
      const tag = key === "stage" ? "th" : "td";
      const attributes = {
        class: WORDS.includes(key) ? "word" : "number",
        "data-column": key,
        "data-label": label,
      };
      cells.set(key, element(tag, tag === "th" ? { ...attributes, scope: "row" } : attributes));
    }
    const dot = element("span", { class: "dot", "aria-hidden": "true" });
    const words = element("button", {
      class: "row-name",
      type: "button",
      onclick: () => emit(this, "select", name),
    });
    cells.get("stage").append(dot, words);
    const acts = element(
      "td",
      { class: "acts" },
      this.#act("restart", name),
      this.#act("logs", name),
    );
    const row = element("tr", { "data-row": name }, ...cells.values(), acts);
    row.addEventListener(
      "click",
      (event) => event.target.closest("button") || emit(this, "select", name),
    );
    cells.set("stage", words);
    return { row, cells, dot };
  }

  #act(what, name) {
    const label = this.i18n.t(`${what}Of`, { stage: name });
    const attributes = {
      class: "button quiet square",
      type: "button",
      "data-act": what,
      title: label,
      "aria-label": label,
    };
    return element("button", { ...attributes, onclick: () => emit(this, what, name) }, icon(what));
  }

  #update(stage, now) {
    const { row, cells, dot } = this.rows.get(stage.name);
    for (const [key, show] of COLUMNS) setText(cells.get(key), show(stage, now));
    row.dataset.state = dot.dataset.state = stageDot(stage);
    row.title = stage.cause_text ?? "";
    for (const key of ["lost", "dropped"])
      cells.get(key).classList.toggle("is-bad", (stage.report?.[key] ?? 0) > 0);
  }
}
