// The three curves, drawn with every frame of the screen.

import { byId, element } from "../shared/dom.js";
import { load, save } from "../shared/store.js";
import { Lane } from "./lane.js";

const KEY = "tapline.hev.sweep";
const SPANS = [6, 12, 24]; // seconds
const RESCALE_MS = 400;
const VALUE_MS = 250; // faster, nobody could read it

const MEASURED = [
  { key: "pressure", unit: "cmH₂O", digits: 1, least: [0, 20] },
  { key: "flow", unit: "l/min", digits: 1, least: [-30, 30], symmetric: true },
  { key: "volume", unit: "ml", digits: 0, least: [0, 400] },
];
const RAW = ["pressure_inhale", "pressure_patient", "pressure_buffer"].map((key) => ({ key, unit: "rawUnit", digits: 0 }));

export class Waves {
  constructor({ i18n, feed }) {
    Object.assign(this, { i18n, feed });
    this.raw = null;
    this.lanes = [0, 1, 2].map((channel) => new Lane(feed, channel));
    byId("lanes").append(...this.lanes.map((lane) => lane.node));
    this.spanMs = 1000 * (SPANS.includes(load(KEY, 12)) ? load(KEY, 12) : 12);
    this.#buttons();
    this.setRaw(false);
    this.rescaledAt = this.valuesAt = 0;
    new ResizeObserver(() => this.#resize()).observe(byId("lanes"));
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => this.#resize());
    i18n.addEventListener("change", () => this.#name());
    requestAnimationFrame((now) => this.#frame(now));
  }

  // Whether the device measures, or sends what its converters read.
  setRaw(raw) {
    if (raw === this.raw) return;
    this.raw = raw;
    byId("raw-note").hidden = !raw;
    this.#name();
  }

  // The past has changed.
  redraw() {
    for (const lane of this.lanes) lane.drawn = 0;
  }

  #name() {
    const t = (key) => this.i18n.t(key);
    this.lanes.forEach((lane, i) => {
      const spec = (this.raw ? RAW : MEASURED)[i];
      lane.set({ ...spec, name: t(spec.key), unit: this.raw ? t(spec.unit) : spec.unit });
    });
    this.#resize();
  }

  #resize() {
    for (const lane of this.lanes) lane.resize();
    this.rescaledAt = 0;
  }

  #buttons() {
    const buttons = SPANS.map((s) => element("button", { class: "button quiet", type: "button", onclick: () => choose(s) }, `${s} s`));
    const choose = (seconds) => {
      this.spanMs = seconds * 1000;
      this.rescaledAt = 0;
      save(KEY, seconds);
      buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(SPANS[i] === seconds)));
    };
    byId("sweep").append(...buttons);
    choose(this.spanMs / 1000);
  }

  #frame(now) {
    requestAnimationFrame((next) => this.#frame(next));
    const time = this.feed.headTime(performance.now());
    const due = !this.rescaledAt || now - this.rescaledAt > RESCALE_MS;
    if (due) this.rescaledAt = now;
    for (const lane of this.lanes) if (due || lane.outgrown()) lane.rescale(time, this.spanMs);
    if (!time) return;
    for (const lane of this.lanes) lane.draw(time, this.spanMs);
    if (now - this.valuesAt < VALUE_MS) return;
    this.valuesAt = now;
    for (const lane of this.lanes) lane.showValue(time);
  }
}
