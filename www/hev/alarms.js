// The latched alarms, the most urgent first; each stays until somebody acknowledges it.

import { byId, element, emit, setText } from "../shared/dom.js";
import { span } from "../shared/format.js";
import { icon } from "../shared/icons.js";
import { acknowledge } from "./api.js";

const URGENCY = { high: 3, medium: 2, low: 1, none: 0 };
const order = (a, b) => URGENCY[b.priority] - URGENCY[a.priority] || b.since_ms - a.since_ms;
const keyOf = (alarm) => `${alarm.name} ${alarm.priority}`;

class Row {
  constructor(act) {
    this.name = element("b", { class: "alarm-name" });
    this.detail = element("span", { class: "alarm-detail" });
    this.mark = element("span", { class: "alarm-mark", "aria-hidden": "true" });
    this.ack = element("button", { class: "button alarm-ack", type: "button", onclick: act });
    this.since = 0;
    this.node = element("li", { class: "alarm" }, icon("warning"), this.mark, this.name, this.detail, this.ack);
  }

  show(i18n, alarm, nowMs) {
    if (alarm.since_ms !== this.since) this.ack.disabled = false; // it stands again
    this.since = alarm.since_ms;
    this.node.dataset.priority = alarm.priority;
    this.node.dataset.name = alarm.name;
    setText(this.mark, "!".repeat(URGENCY[alarm.priority]));
    setText(this.name, alarmText(i18n, alarm.name));
    const since = i18n.t("since", { span: span(nowMs - alarm.since_ms) });
    const priority = i18n.t(`priority_${alarm.priority}`);
    setText(this.detail, [priority, since, alarm.count > 1 ? `${alarm.count}×` : ""].filter(Boolean).join(" · "));
    setText(this.ack, i18n.t("acknowledge"));
    this.ack.setAttribute("aria-label", `${i18n.t("acknowledge")}: ${alarmText(i18n, alarm.name)}`);
  }
}

export function alarmText(i18n, name) {
  const key = `alarm_${name}`;
  return i18n.has(key) ? i18n.t(key) : name.replaceAll("_", " ");
}

// Events: "worst" priority of the most urgent, "none" without; "failed" reason.
export class Alarms extends EventTarget {
  constructor({ i18n }) {
    super();
    this.i18n = i18n;
    this.alarms = [];
    this.rows = new Map();
    this.aheadMs = 0; // the server's clock against ours
    i18n.addEventListener("change", () => this.#update());
    setInterval(() => this.#update(), 1000);
  }

  show({ alarms, now_ms: nowMs }) {
    this.aheadMs = nowMs - Date.now();
    this.alarms = [...alarms].sort(order);
    this.#speak();
    this.#update();
    emit(this, "worst", this.alarms[0]?.priority ?? "none");
  }

  #speak() {
    const urgent = this.alarms.filter((alarm) => alarm.priority === "high");
    setText(byId("alarms-spoken"), urgent.map((alarm) => alarmText(this.i18n, alarm.name)).join(", "));
  }

  #update() {
    const there = new Set(this.alarms.map(keyOf));
    for (const [key, row] of this.rows) if (!there.has(key)) this.#remove(key, row);
    this.alarms.forEach((alarm, i) => {
      const row = this.rows.get(keyOf(alarm)) ?? this.#add(alarm);
      if (byId("alarm-list").children[i] !== row.node) byId("alarm-list").insertBefore(row.node, byId("alarm-list").children[i] ?? null);
      row.show(this.i18n, alarm, Date.now() + this.aheadMs);
    });
    byId("alarms-none").hidden = this.alarms.length > 0;
    document.body.dataset.alarm = this.alarms[0]?.priority ?? "none";
  }

  #add(alarm) {
    const row = new Row(() => this.#acknowledge(alarm.name, row));
    this.rows.set(keyOf(alarm), row);
    return row;
  }

  #remove(key, row) {
    const focused = row.node.contains(document.activeElement);
    row.node.remove();
    this.rows.delete(key);
    if (focused) document.querySelector(".alarm-ack")?.focus();
  }

  async #acknowledge(name, row) {
    row.ack.disabled = true; // until it has gone
    try {
      await acknowledge(name, row.since);
    } catch (error) {
      row.ack.disabled = false;
      emit(this, "failed", error.message);
    }
  }
}
