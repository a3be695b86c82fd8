// How often the cameras send a picture: chosen here, sent only when one says so, told to all cameras
// that are connected by WebSocket. Beside it what was told last, and what really comes.

import { byId, element, setText } from "../shared/dom.js";
import { NONE, number, rate } from "../shared/format.js";
import { sendInterval } from "./api.js";

const LEAST = 100, MOST = 10000, STEP = 100;
const STEPS = [-500, -100, 100, 500];
const PRESETS = [500, 1000, 2000, 5000];
const clamp = (ms) => Math.min(MOST, Math.max(LEAST, ms));

export class Interval {
  constructor({ i18n }) {
    this.i18n = i18n;
    this.wanted = 1000;
    this.touched = false;
    this.reachable = false;
    this.message = null;
    this.#build();
    i18n.addEventListener("change", () => this.update());
    this.update();
  }

  show(message) {
    this.message = message;
    if (!this.touched) this.wanted = this.#usual(message);
    this.update();
  }

  // What was told last, else about what comes.
  #usual({ interval_ms, cameras }) {
    const comes = cameras.find((camera) => camera.connections && !camera.video.waiting)?.video.avg_interval ?? 1;
    return clamp(interval_ms || Math.round((1000 * comes) / STEP) * STEP);
  }

  setReachable(on) {
    this.reachable = on;
    this.update();
  }

  #build() {
    const button = (text, act) => element("button", { class: "button", type: "button", onclick: act }, text);
    this.slider = element("input", { class: "interval-slider", type: "range", min: LEAST, max: MOST, step: STEP, id: "interval-ms" });
    this.slider.addEventListener("input", () => this.#choose(Number(this.slider.value)));
    this.value = element("output", { class: "interval-value", for: "interval-ms" });
    this.steps = STEPS.map((d) => button(`${d < 0 ? "−" : "+"}${Math.abs(d)}`, () => this.#choose(this.wanted + d)));
    this.presets = PRESETS.map((ms) => button(`${ms} ms`, () => this.#choose(ms)));
    this.go = element("button", { class: "button primary", id: "interval-go", type: "submit" });
    this.now = element("p", { class: "interval-now" });
    this.said = element("p", { class: "interval-said", role: "status" });
    const [less, more] = [this.steps.slice(0, 2), this.steps.slice(2)];
    const form = element("form", { class: "interval-form" },
      element("div", { class: "interval-line" }, ...less, this.slider, ...more),
      element("div", { class: "interval-line" }, ...this.presets, this.value, this.go), this.now, this.said);
    form.addEventListener("submit", (event) => this.#send(event));
    byId("interval").append(form);
  }

  #choose(ms) {
    this.wanted = clamp(ms);
    this.touched = true;
    setText(this.said, "");
    this.update();
  }

  update() {
    const { i18n, wanted } = this;
    const cameras = this.message?.status.websocket.cameras ?? 0;
    const can = this.reachable && cameras > 0;
    this.slider.value = wanted;
    this.slider.setAttribute("aria-label", i18n.t("interval"));
    this.slider.setAttribute("aria-valuetext", `${wanted} ms`);
    setText(this.value, `${number(wanted)} ms = ${rate(1000 / wanted)} FPS`);
    this.presets.forEach((node, i) => node.setAttribute("aria-pressed", String(PRESETS[i] === wanted)));
    for (const node of [this.slider, this.go, ...this.steps, ...this.presets]) node.disabled = !can;
    setText(this.go, i18n.count("intervalGo", cameras));
    setText(this.now, this.#nowText(cameras));
  }

  #nowText(cameras) {
    if (!this.message) return "";
    if (!cameras) return this.i18n.t("intervalNobody");
    const told = this.message.interval_ms ? `${number(this.message.interval_ms)} ms` : this.i18n.t("intervalNever");
    const real = this.message.cameras.filter((one) => one.connections && !one.video.waiting).map((one) => `${number(one.video.avg_interval * 1000)} ms`);
    return this.i18n.t("intervalNow", { told, real: real.slice(0, 4).join(", ") || NONE });
  }

  async #send(event) {
    event.preventDefault();
    this.go.disabled = true;
    try {
      const answer = await sendInterval(this.wanted);
      this.touched = false;
      setText(this.said, this.i18n.t("intervalSent", { ms: number(answer.interval_ms), fps: rate(answer.fps) }));
    } catch (error) {
      setText(this.said, this.i18n.t("intervalFailed", { reason: error.message }));
    }
    this.update();
  }
}
