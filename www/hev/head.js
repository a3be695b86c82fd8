// Lamps, the banner over everything, state and mode: whether what is shown is of now.

import { DeviceState } from "../shared/devicestate.js";
import { byId, element, setText } from "../shared/dom.js";
import { span } from "../shared/format.js";
import { PageHead } from "../shared/pagehead.js";

const TICK_MS = 200;
const COMMAND_MS = 8000;
const UNSENT_MS = 15000;

export class Head extends PageHead {
  constructor({ i18n, feed }) {
    super(i18n, ["link", "device", "data"]);
    this.feed = feed;
    this.shownAt = 0;
    this.device = new DeviceState(this);
    this.facts = new Map();
    setInterval(() => this.update(), TICK_MS);
    this.update();
  }

  show(state) {
    this.shownAt = performance.now();
    super.show(state);
  }

  // A request to the device went wrong.
  refused(reason) {
    this.lines.brief("command", "bad", this.i18n.t("refused", { reason }), COMMAND_MS);
  }

  // none: nothing has come yet; late: no longer; live.
  get fresh() {
    const state = this.message;
    if (!state || (state.age_ms === null && !this.feed.count)) return "none";
    if (!this.link.up || !state.serial) return "late";
    return this.silenceMs > Math.max(state.stale_ms, 2.5 * state.interval_ms) ? "late" : "live";
  }

  // Since the last sample arrived, here or there.
  get silenceMs() {
    const now = performance.now();
    const there = this.message && this.message.age_ms !== null ? this.message.age_ms + now - this.shownAt : Infinity;
    return Math.min(there, now - this.feed.arrivedAt);
  }

  update() {
    const { message: state, fresh } = this;
    document.body.dataset.fresh = fresh;
    super.update();
    this.device.show(this.link.up ? state : null);
    this.#data(fresh);
    this.#notices(fresh);
    this.#overlay(fresh);
    if (state) this.#facts(state);
    if (state) this.#foot(state);
  }

  #data(fresh) {
    const { interval_ms: interval } = this.message ?? {};
    const rate = interval ? this.i18n.t("perSecond", { n: Math.round(1000 / interval) || "< 1" }) : "";
    if (fresh === "live") this.lamps.set("data", "ok", rate);
    else this.lamps.set("data", fresh === "none" ? "none" : "bad", this.i18n.t(fresh === "none" ? "dataNone" : "dataLate"));
  }

  #notices(fresh) {
    const silent = fresh === "late" && this.link.up && this.message.serial;
    const { unsent_ms: unsent, now_ms: now } = this.message ?? {};
    this.lines.set("unsent", "bad", unsent && now - unsent < UNSENT_MS ? this.i18n.t("event_unsent") : "");
    this.lines.set("stale", "bad", silent ? this.i18n.t("noticeStaleData") : "");
  }

  #overlay(fresh) {
    const node = byId("no-data");
    node.hidden = fresh === "live" || !this.message;
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
    if (name === "battery") node.dataset.bad = Boolean(this.message.battery?.alarm || this.message.battery?.prob_elec);
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
