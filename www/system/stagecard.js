// One stage as a button: state and cause in the words of `tapline status`, rates, latency, CPU.

import { element, setText } from "../shared/dom.js";
import { micros, percent, perSecond } from "./format.js";
import { stageDot, stageWords } from "./model.js";

export class StageCard {
  constructor(name, onSelect) {
    this.dot = element("span", { class: "dot", "aria-hidden": "true" });
    this.cpu = element("span", { class: "node-cpu" });
    this.flow = element("span", { class: "node-line" });
    this.late = element("span", { class: "node-line" });
    const head = element("span", { class: "node-head" }, this.dot, element("b", {}, name));
    this.state = element("span", { class: "node-state" });
    const line = element("span", { class: "node-pair" }, this.flow, this.cpu);
    const attributes = {
      class: "node",
      type: "button",
      "data-stage": name,
      "aria-pressed": "false",
    };
    this.node = element(
      "button",
      { ...attributes, onclick: () => onSelect(name) },
      head,
      this.state,
      line,
      this.late,
    );
  }

  update(stage, i18n) {
    const report = stage.report ?? {};
    const dot = stageDot(stage);
    if (this.node.dataset.state !== dot) this.node.dataset.state = this.dot.dataset.state = dot;
    setText(this.cpu, stage.pid ? percent(stage.cpu_percent ?? 0) : "");
    setText(this.state, stageWords(stage));
    const [into, out] = [stage.in_per_s, stage.out_per_s].map((rate) => perSecond(rate ?? 0));
    setText(this.flow, `${into} → ${out}`);
    setText(this.late, `p50 ${micros(report.latency_p50_us)} p99 ${micros(report.latency_p99_us)}`);
    const title = [
      i18n.t("nodeFlow", { in: into, out }),
      stage.cause_text,
      i18n.has(`state_${stage.state}`) && i18n.t(`state_${stage.state}`),
    ];
    this.node.title = title.filter(Boolean).join(" – ");
  }

  select(on) {
    this.node.setAttribute("aria-pressed", on);
  }
}
