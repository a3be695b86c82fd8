// The data stream of the last minute as a curve, its newest value and its rate.

import { byId, element, setText } from "../shared/dom.js";
import { NONE, number } from "../shared/format.js";

const LATE_MS = 2500;
const TICK_MS = 500;
const RATE_OVER_MS = 5000;
const LABEL = 11; // px
const LEFT = 34; // px for the values
const BELOW = 18; // px for the times
const SPANS_S = [10, 60];
const KEPT_MS = 60000;
const TICKS = 5; // of the time below
const HOLE_MS = 2000;

// A round span of values that has all of them in it.
function fit(values) {
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (low >= 0) low = 0;
  if (high <= low) high = low + 1;
  const step = 10 ** Math.floor(Math.log10(high - low)) / 2;
  return { low: Math.floor(low / step) * step, high: Math.ceil(high / step) * step };
}

export class Stream {
  constructor({ i18n, words }) {
    Object.assign(this, { i18n, words });
    this.canvas = byId("stream-canvas");
    this.samples = []; // [ms of the server's clock, value]
    this.arrivedAt = -Infinity;
    this.buttons = SPANS_S.map((s) => element("button", { class: "button quiet", type: "button", onclick: () => this.#look(s) }, `${s} s`));
    byId("stream-spans").append(...this.buttons);
    this.link = "connecting";
    new ResizeObserver(() => this.#draw()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
    i18n.addEventListener("change", () => this.#update());
    setInterval(() => this.#update(), TICK_MS);
    this.#look(SPANS_S[0]);
  }

  #look(seconds) {
    this.spanMs = seconds * 1000;
    this.buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(SPANS_S[i] === seconds)));
    this.#update();
  }

  setLink(word) {
    this.link = word;
    this.#update();
  }

  // {t, s: [[ms since t, value], ...], all}
  take({ t, s, all }) {
    if (all) this.samples = [];
    for (const [dt, value] of s) this.samples.push([t + dt, value]);
    if (!s.length) return this.#update();
    this.samples.sort((a, b) => a[0] - b[0]); // the server's clock may be set back
    const newest = this.samples.at(-1)[0];
    while (newest - this.samples[0][0] > KEPT_MS) this.samples.shift();
    if (!all) this.arrivedAt = performance.now();
    document.body.dataset.values = Number(document.body.dataset.values ?? 0) + s.length;
    this.#update();
  }

  get live() {
    return this.link === "up" && performance.now() - this.arrivedAt < LATE_MS;
  }

  #update() {
    const { i18n, samples, live } = this;
    document.body.dataset.stream = live ? "live" : samples.length ? "late" : "none";
    setText(byId("stream-value"), live ? number(samples.at(-1)[1], samples.at(-1)[1] % 1 ? 2 : 0) : NONE);
    setText(byId("stream-facts"), live ? i18n.t("streamRate", { n: number(this.#rate(), 1) }) : i18n.t(samples.length ? "streamLate" : "streamNone"));
    this.canvas.setAttribute("aria-label", i18n.t("streamAlt"));
    this.#draw();
  }

  #rate() {
    const newest = this.samples.at(-1)[0];
    const first = this.samples.findIndex(([ms]) => newest - ms <= RATE_OVER_MS);
    const n = this.samples.length - 1 - first;
    return n ? (n * 1000) / (newest - this.samples[first][0]) : NaN;
  }

  #draw() {
    const ratio = devicePixelRatio || 1;
    const { canvas, samples } = this;
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    const size = { width: Math.round(canvas.clientWidth * ratio), height: Math.round(canvas.clientHeight * ratio) };
    if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
    const c = canvas.getContext("2d");
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    const box = { left: LEFT, top: 8, width: canvas.clientWidth - LEFT - 4, height: canvas.clientHeight - BELOW - 8 };
    c.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    if (box.width <= 0) return;
    const scale = fit(samples.length ? samples.map(([, value]) => value) : [0, 10]);
    const to = this.live ? samples.at(-1)[0] : this.words.now();
    const x = (ms) => box.left + (1 - (to - ms) / this.spanMs) * box.width;
    const y = (value) => box.top + ((scale.high - value) / (scale.high - scale.low)) * box.height;
    Object.assign(c, { font: `${LABEL}px ${style.fontFamily}`, lineWidth: 1, strokeStyle: colour("--line"), fillStyle: colour("--muted") });
    this.#grid(c, { box, scale, x, y, to });
    c.strokeStyle = colour(this.live ? "--focus" : "--muted");
    this.#curve(c, x, y, box);
  }

  #grid(c, { box, scale, x, y, to }) {
    const half = (scale.low + scale.high) / 2;
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const value of [scale.low, half, scale.high]) {
      c.beginPath();
      c.moveTo(box.left, Math.round(y(value)) + 0.5);
      c.lineTo(box.left + box.width, Math.round(y(value)) + 0.5);
      c.stroke();
      c.fillText(number(value, half % 1 ? 1 : 0), box.left - 6, y(value));
    }
    c.textBaseline = "alphabetic";
    for (let i = 0; i <= TICKS; i++) {
      const s = (i * this.spanMs) / TICKS / 1000;
      c.textAlign = s === 0 ? "right" : i === TICKS ? "left" : "center";
      c.fillText(s === 0 ? this.i18n.t("now") : `−${s} s`, x(to - s * 1000), box.top + box.height + BELOW - 4);
    }
  }

  // A value holds until the next one.
  #curve(c, x, y, box) {
    let before = null;
    c.save();
    c.beginPath();
    c.rect(box.left, 0, box.width, box.top + box.height + 4);
    c.clip();
    c.lineWidth = 1.5;
    c.beginPath();
    for (const [ms, value] of this.samples) {
      if (before === null || ms - before[0] > HOLE_MS) c.moveTo(x(ms), y(value));
      else [c.lineTo(x(ms), y(before[1])), c.lineTo(x(ms), y(value))];
      before = [ms, value];
    }
    c.stroke();
    c.restore();
  }
}
