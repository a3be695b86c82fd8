// From the device to this browser: figures, the clock they rest on, and the chart.

import { byId, element, setText } from "../shared/dom.js";
import { DygraphChart, loadDygraphs } from "./dygraph.js";
import { decimals, micros } from "./format.js";
import { endpointsIn, endpointsOf, hasLatency } from "./model.js";
import { Probe } from "./probe.js";
import { Series } from "./series.js";
import { SparkChart } from "./spark.js";

const DRAW_MS = 1000;
const NAMES = 8;

export class Latency {
  constructor({ i18n, clock }) {
    Object.assign(this, { i18n, clock });
    this.series = new Series();
    this.probe = new Probe(clock);
    this.chart = null;
    this.probe.addEventListener("sample", (event) => this.series.addSample(event.detail));
    for (const id of ["late-from", "late-topic"])
      byId(id).addEventListener("change", () => this.#choose());
    for (const id of ["late-stage", "late-log"])
      byId(id).addEventListener("change", () => this.#draw());
    i18n.addEventListener("change", () => this.#drawOptions());
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => this.#draw());
    setInterval(() => this.#draw(), DRAW_MS);
    this.#load();
  }

  take(status) {
    this.status = status;
    this.series.addStatus(status, this.clock.now() ?? Date.now());
    const names = [
      ...endpointsIn(status).map((one) => one.name),
      ...status.stages.filter(hasLatency).map((stage) => stage.name),
    ];
    if (names.join() === this.names) return;
    this.names = names.join();
    this.#drawOptions();
  }

  renew() {
    this.probe.renew();
  }

  async #load() {
    try {
      await loadDygraphs();
      this.chart = new DygraphChart(byId("chart"));
    } catch {
      this.chart = new SparkChart(byId("chart"));
      byId("chart-absent").hidden = false;
    }
    document.body.dataset.chart = this.chart instanceof SparkChart ? "own" : "dygraphs";
    this.#draw();
  }

  // The last stages that have latency, unless one endpoint was chosen.
  #listen() {
    const chosen = byId("late-from").value;
    const late = this.status.stages.filter(hasLatency).flatMap(endpointsOf);
    this.probe.listen(chosen ? [chosen] : late.slice(-NAMES), byId("late-topic").value.trim());
  }

  #choose() {
    this.series.clearSamples();
    this.#listen();
    this.#draw();
  }

  #drawOptions() {
    if (!this.status) return;
    const auto = () => element("option", { value: "" }, this.i18n.t("automatic"));
    this.#options(
      "late-from",
      auto(),
      endpointsIn(this.status).map((one) => one.name),
    );
    this.#options(
      "late-stage",
      auto(),
      this.status.stages.filter(hasLatency).map((stage) => stage.name),
    );
    this.#listen();
    this.#draw();
  }

  #options(id, first, names) {
    const select = byId(id);
    const before = select.value;
    select.replaceChildren(first, ...names.map((name) => element("option", { value: name }, name)));
    select.value = names.includes(before) ? before : "";
  }

  get #stage() {
    return byId("late-stage").value || this.status?.stages.filter(hasLatency).at(-1)?.name || "";
  }

  #draw() {
    if (!this.status) return;
    this.#drawFigures();
    if (!this.chart || document.hidden) return;
    const stage = this.#stage;
    const labels = [
      this.i18n.t("chartTime"),
      this.i18n.t("browser"),
      `${stage} p50`,
      `${stage} p99`,
    ];
    this.chart.labels = labels.slice(1);
    this.chart.draw(this.series.rows(stage), labels, byId("late-log").checked);
  }

  #drawFigures() {
    const figures = this.series.figures;
    const root = byId("late-figures");
    for (const key of ["last", "p50", "p99", "most"]) {
      const node = root.querySelector(`[data-figure=${key}]`);
      setText(node, figures ? `${decimals(figures[key], figures[key] < 100 ? 1 : 0)} ms` : "-");
      node.dataset.value = figures ? figures[key] : "";
    }
    const report = this.status.stages.find((stage) => stage.name === this.#stage)?.report;
    setText(
      root.querySelector("[data-figure=stage]"),
      `${micros(report?.latency_p50_us)} / ${micros(report?.latency_p99_us)}`,
    );
    setText(byId("late-stage-name"), this.i18n.t("stageLatency", { stage: this.#stage || "-" }));
    setText(byId("late-note"), this.#note(figures));
  }

  #note(figures) {
    if (!this.clock.best) return this.i18n.t("clockUnknown");
    const source = this.probe.source;
    const heard = source
      ? this.i18n.t("measured", { n: figures?.count ?? 0, from: source })
      : this.i18n.t("nothingMeasured");
    const difference = decimals(this.clock.difference, 1);
    return `${heard} ${this.i18n.t("clockNote", { difference, error: decimals(this.clock.error, 1) })}`;
  }
}
