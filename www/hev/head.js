// Lamps, the banner over everything, state and mode: whether what is shown is of now.

import { DeviceState } from "../shared/devicestate.js";
import { byId, element, setText } from "../shared/dom.js";
import { span } from "../shared/format.js";
import { Lamps } from "../shared/lamps.js";
import { LinkState } from "../shared/linkstate.js";
import { NoticeLines } from "../shared/notices.js";

const TICK_MS = 200;
const COMMAND_MS = 8000;
const UNSENT_MS = 15000;

export class Head {
  constructor({ i18n, feed }) {
    Object.assign(this, { i18n, feed });
    this.state = null;
    this.stateAt = 0;
    this.lines = new NoticeLines(byId("notices"));
    this.lamps = new Lamps(byId("states"), i18n, ["link", "device", "data"]);
    this.link = new LinkState(this);
    this.device = new DeviceState(this);
    this.facts = new Map();
    i18n.addEventListener("change", () => this.update());
    setInterval(() => this.update(), TICK_MS);
    this.update();
  }

  setLink(word) {
    this.link.set(word);
    this.update();
  }

  show(state) {
    this.state = state;
    this.stateAt = performance.now();
    this.update();
  }

  // A request to the device went wrong.
  refused(reason) {
    this.lines.set("command", "bad", this.i18n.t("refused", { reason }));
    clearTimeout(this.commandTimer);
    this.commandTimer = setTimeout(() => this.lines.set("command", "bad", ""), COMMAND_MS);
  }

  // none: nothing has come yet; late: no longer; live.
  get fresh() {
    const { state } = this;
    if (!state || (state.age_ms === null && !this.feed.count)) return "none";
    if (!this.link.up || !state.serial) return "late";
    return this.silenceMs > Math.max(state.stale_ms, 2.5 * state.interval_ms) ? "late" : "live";
  }

  // Since the last sample arrived, here or there.
  get silenceMs() {
    const now = performance.now();
    const there = this.state && this.state.age_ms !== null ? this.state.age_ms + now - this.stateAt : Infinity;
    return Math.min(there, now - this.feed.arrivedAt);
  }

  update() {
    const { state, fresh } = this;
    document.body.dataset.fresh = fresh;
    this.link.show();
    this.device.show(this.link.up ? state : null);
    this.#data(fresh);
    this.#notices(fresh);
    this.#overlay(fresh);
    if (state) this.#facts(state);
    if (state) this.#foot(state);
  }

  #data(fresh) {
    const { interval_ms: interval } = this.state ?? {};
    const rate = interval ? this.i18n.t("perSecond", { n: Math.round(1000 / interval) || "< 1" }) : "";
    if (fresh === "live") this.lamps.set("data", "ok", rate);
    else this.lamps.set("data", fresh === "none" ? "none" : "bad", this.i18n.t(fresh === "none" ? "dataNone" : "dataLate"));
  }

  #notices(fresh) {
    const silent = fresh === "late" && this.link.up && this.state.serial;
    const { unsent_ms: unsent, now_ms: now } = this.state ?? {};
    this.lines.set("unsent", "bad", unsent && now - unsent < UNSENT_MS ? this.i18n.t("event_unsent") : "");
    this.lines.set("stale", "bad", silent ? this.i18n.t("noticeStaleData") : "");
  }

  #overlay(fresh) {
    const node = byId("no-data");
    node.hidden = fresh === "live" || !this.state;
    if (fresh === "none") setText(node, this.i18n.t("noDataYet"));
    else if (fresh === "late") setText(node, this.i18n.t("noDataSince", { span: span(this.silenceMs) }));
  }

  #facts(state) {
    const word = (kind, value) => (value === null ? null : this.i18n.word(kind, value));
    this.#fact("mode", word("mode", state.mode));
    this.#fact("state", word("state", state.state));
    this.#fact("battery", this.#battery(state.battery));
  }

  #battery(battery) {
    if (!battery) return null;
    const words = [battery.bat ? "onBattery" : "onMains", battery.bat85 ? "charged" : "", battery.alarm ? "batteryAlarm" : "",
      battery.prob_elec ? "mainsFault" : ""];
    return words.filter(Boolean).map((key) => this.i18n.t(key)).join(", ");
  }

  #fact(name, value) {
    if (!this.facts.has(name)) {
      const node = element("div", { class: "fact", id: `fact-${name}` }, element("dt"), element("dd"));
      this.facts.set(name, node);
      byId("facts").append(node);
    }
    const node = this.facts.get(name);
    node.hidden = value === null;
    setText(node.firstChild, this.i18n.t(name));
    setText(node.lastChild, value ?? "");
    if (name === "battery") node.dataset.bad = Boolean(this.state.battery?.alarm || this.state.battery?.prob_elec);
  }

  #foot(state) {
    const version = state.device_version === null ? "" : this.i18n.t("protocol", { version: state.device_version.toString(16).toUpperCase() });
    const browsers = this.i18n.count("clients", state.clients);
    const servers = state.servers ? this.i18n.t("tcpClients", { n: (state.servers.webui ?? 0) + (state.servers.native ?? 0) }) : "";
    const link = state.link ? this.i18n.t("lineFaults", { n: (state.link.bad_fcs ?? 0) + (state.link.unknown ?? 0) }) : "";
    const words = [this.i18n.t("clinical"), this.i18n.t("version", { version: state.version }), version, state.device, browsers, servers, link];
    setText(byId("foot-text"), words.filter(Boolean).join(" · "));
  }
}
