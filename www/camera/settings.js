// The six settings: what the camera has, what is wanted instead, and the way from one to the other.
//
// limits.applied is what the camera program that runs was started with, null while none runs;
// settings is what is stored, and what the next one gets.

import { byId, setText } from "../shared/dom.js";
import { clock } from "../shared/format.js";
import { setSettings } from "./api.js";
import { Dial, SPECS } from "./dial.js";

const NAMES = Object.keys(SPECS);
const CONFIRM_MS = 6000;
const NEAR = 1e-6;

export class Settings {
  constructor({ i18n, words }) {
    Object.assign(this, { i18n, words });
    this.has = this.stored = null;
    this.limits = null; // {applied, limits, defaults}
    this.wanted = new Map(); // name -> value, of those that differ
    this.sent = null; // values that wait for their confirmation
    this.busy = this.reachable = false;
    this.dials = new Map(NAMES.map((name) => [name, new Dial({ i18n, name })]));
    byId("dials").append(...[...this.dials.values()].map((dial) => dial.node));
    for (const [name, dial] of this.dials) dial.addEventListener("change", ({ detail }) => this.#want(name, detail));
    byId("settings").addEventListener("submit", (event) => this.#apply(event));
    byId("settings").addEventListener("keydown", (event) => event.key === "Escape" && this.#reset());
    byId("reset").addEventListener("click", () => this.#reset());
    byId("defaults").addEventListener("click", () => this.#defaults());
    i18n.addEventListener("change", () => this.#update());
  }

  setReachable(reachable) {
    if (reachable === this.reachable) return;
    this.reachable = reachable;
    this.#update();
  }

  show({ settings, limits }) {
    this.stored = settings;
    this.has = limits?.applied ?? settings;
    this.limits = limits;
    this.#confirm();
    this.#update();
  }

  #want(name, value) {
    if (Math.abs(value - this.has[name]) < NEAR) this.wanted.delete(name);
    else this.wanted.set(name, value);
    if (!this.busy) this.#say("");
    this.#update();
  }

  #reset() {
    this.wanted.clear();
    this.#say("");
    document.activeElement?.blur?.();
    this.#update();
  }

  #defaults() {
    for (const name of NAMES) this.#want(name, this.limits.defaults[name]);
  }

  async #apply(event) {
    event.preventDefault();
    if (byId("apply").disabled) return;
    const values = Object.fromEntries(this.wanted);
    this.busy = true;
    this.#say("settingsSending");
    this.#update();
    try {
      await setSettings(values);
      this.sent = values;
      this.#say("settingsSent");
      this.timer = setTimeout(() => this.#giveUp(), CONFIRM_MS);
      this.#confirm();
    } catch (error) {
      this.#say("settingsRefused", error.name === "TimeoutError" ? this.i18n.t("noAnswer") : error.message);
    }
    this.busy = false;
    this.#update();
  }

  // The camera has what was sent; what has been moved meanwhile stays wanted.
  #confirm() {
    for (const [name, value] of this.wanted) if (Math.abs(value - this.has?.[name]) < NEAR) this.wanted.delete(name);
    const holds = (values) => values && Object.entries(this.sent).every(([name, value]) => Math.abs(value - values[name]) < NEAR);
    if (this.sent && holds(this.limits?.applied)) this.#settle("settingsDone");
  }

  // Without a camera that runs they are stored, and that is all.
  #giveUp() {
    if (!this.sent) return;
    const stored = Object.entries(this.sent).every(([name, value]) => Math.abs(value - this.stored?.[name]) < NEAR);
    this.#settle(stored && !this.limits?.applied ? "settingsStored" : "settingsUnconfirmed");
  }

  #settle(key) {
    clearTimeout(this.timer);
    this.sent = null;
    this.#say(key);
    this.#update();
  }

  #say(key, reason = "") {
    this.said = { key, reason };
    byId("settings-said").dataset.said = key;
    setText(byId("settings-said"), key ? this.i18n.t(key, { reason }) : "");
  }

  #update() {
    const known = Boolean(this.has && this.limits);
    document.body.dataset.settings = !known ? "unknown" : this.wanted.size ? "changed" : "same";
    byId("dials").hidden = !known;
    byId("apply").disabled = !known || !this.reachable || this.busy || !this.wanted.size || !this.#valid();
    byId("reset").disabled = !this.wanted.size || this.busy;
    byId("defaults").disabled = !known || this.busy;
    this.#say(this.said?.key ?? "", this.said?.reason);
    if (known) this.#dials();
    if (known) this.#source();
  }

  // Of dials that have been shown: what is out of bounds is not sent.
  #valid() {
    return [...this.wanted].every(([name, value]) => value >= this.limits.limits[name].min && value <= this.limits.limits[name].max);
  }

  #dials() {
    for (const [name, dial] of this.dials) {
      const wanted = this.wanted.has(name);
      dial.show({ value: wanted ? this.wanted.get(name) : this.has[name], has: this.has[name], limits: this.limits.limits[name],
        standard: this.limits.defaults[name], state: wanted ? (this.sent ? "sent" : "changed") : "same", enabled: !this.busy });
    }
  }

  #source() {
    const { source, changed } = this.stored;
    setText(byId("settings-source"), source ? this.i18n.t(`source_${source}`, { time: clock(changed / 1e6) }) : "");
  }
}
