// Draws a part of the history: three curves, each as the band between its lowest and highest values,
// the time of day below, and a line where something happened.

import { clock, clockShort, number } from "../shared/format.js";
import { fit } from "./scale.js";

const SPECS = [{ least: [0, 20] }, { least: [-30, 30], symmetric: true }, { least: [0, 400] }];
const COLOURS = ["--pressure", "--flow", "--volume"];
const GAP = 12; // px between curves
const AXIS = 18; // px for the time of day
const LABEL = 11;
const LABELS_APART = 85; // px
const NEAR_MS = 3000; // more than the newest column is old
const STEPS_S = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];

export class HistoryPicture {
  constructor(canvas) {
    this.canvas = canvas;
    this.answer = null;
  }

  show(answer, from, to) {
    Object.assign(this, { answer, from, to });
    this.draw();
  }

  draw() {
    const ratio = devicePixelRatio || 1;
    const { canvas } = this;
    Object.assign(canvas, { width: Math.round(canvas.clientWidth * ratio), height: Math.round(canvas.clientHeight * ratio) });
    if (!this.answer) return;
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    const c = canvas.getContext("2d");
    this.x = (time) => ((time - this.from) / (this.to - this.from)) * canvas.width;
    Object.assign(c, { font: `${LABEL * ratio}px ${style.fontFamily}`, lineWidth: ratio });
    this.#axis(c, colour, ratio);
    this.#events(c, colour, ratio);
    const height = (canvas.height - AXIS * ratio) / 3;
    [this.answer.p, this.answer.f, this.answer.v].forEach((curve, i) => {
      c.fillStyle = c.strokeStyle = colour(COLOURS[i]);
      const box = { muted: colour("--muted"), top: i * height + (GAP / 2) * ratio, height: height - GAP * ratio, spec: this.answer.raw ? {} : SPECS[i] };
      this.#curve(c, curve, box, ratio);
    });
  }

  // {time, values: [[low, high], ...]} at a place 0..1; null where nothing is near.
  point(part) {
    const { answer } = this;
    if (!answer?.t.length) return null;
    const time = this.from + part * (this.to - this.from) - answer.from;
    let at = answer.t.findIndex((t) => t >= time);
    if (at < 0) at = answer.t.length - 1;
    if (Math.abs(answer.t[at] - time) > Math.max(NEAR_MS, (this.to - this.from) / 50)) return null;
    const values = [answer.p, answer.f, answer.v].map((curve) => [curve.low[at] ?? NaN, (curve.high ?? curve.low)[at] ?? NaN]);
    return { time: answer.from + answer.t[at], values };
  }

  #axis(c, colour, ratio) {
    const least = ((this.to - this.from) / this.canvas.width) * LABELS_APART * ratio;
    const step = 1000 * (STEPS_S.find((s) => s * 1000 >= least) ?? STEPS_S.at(-1));
    const zone = new Date(this.to).getTimezoneOffset() * 60000;
    Object.assign(c, { strokeStyle: colour("--line"), fillStyle: colour("--muted"), textAlign: "center", textBaseline: "bottom" });
    for (let t = Math.ceil((this.from - zone) / step) * step + zone; t < this.to; t += step) {
      const x = Math.round(this.x(t)) + 0.5;
      c.beginPath();
      c.moveTo(x, 0);
      c.lineTo(x, this.canvas.height - AXIS * ratio);
      c.stroke();
      if (x > (LABELS_APART / 3) * ratio && x < this.canvas.width - (LABELS_APART / 3) * ratio) c.fillText(step < 60000 ? clock(t) : clockShort(t), x, this.canvas.height - 3 * ratio);
    }
    c.textAlign = "left";
  }

  #curve(c, { low, high = low }, { top, height, spec, muted }, ratio) {
    const known = (list) => list.filter((value) => value !== null);
    const bottom = known(low).reduce((a, b) => Math.min(a, b), Infinity);
    const peak = known(high).reduce((a, b) => Math.max(a, b), -Infinity);
    if (bottom > peak) return;
    const scale = fit(bottom, peak, spec);
    const y = (value) => top + ((scale.high - value) / (scale.high - scale.low)) * height;
    c.lineWidth = 1.5 * ratio;
    c.lineJoin = "round";
    for (const [from, to] of this.#runs(low)) this.#band(c, low, high, from, to, y);
    c.fillStyle = muted;
    for (const value of [scale.high, scale.low]) {
      c.textBaseline = value === scale.high ? "top" : "bottom";
      c.fillText(number(value), 4 * ratio, y(value));
    }
  }

  // Stretches without a hole: [first, one past the last].
  #runs(low) {
    const { t } = this.answer;
    const hole = Math.max(2500, ((this.to - this.from) / this.canvas.width) * 8);
    const runs = [];
    let from = 0;
    for (let i = 0; i <= t.length; i++) {
      if (i < t.length && low[i] !== null && (i === from || t[i] - t[i - 1] < hole)) continue;
      if (i > from) runs.push([from, i]);
      from = i < t.length && low[i] === null ? i + 1 : i;
    }
    return runs;
  }

  #band(c, low, high, from, to, y) {
    const { t, from: begin } = this.answer;
    const at = (i) => this.x(begin + t[i]);
    c.beginPath();
    for (let i = from; i < to; i++) c.lineTo(at(i), y(high[i]));
    if (low === high) return c.stroke();
    for (let i = to - 1; i >= from; i--) c.lineTo(at(i), y(low[i]));
    c.closePath();
    c.globalAlpha = 0.7;
    c.fill();
    c.globalAlpha = 1;
    c.stroke();
  }

  #events(c, colour, ratio) {
    const colours = { alarm: colour("--bad"), stale: colour("--warn"), device: colour("--warn") };
    for (const event of this.answer.events) {
      const x = Math.round(this.x(this.answer.from + event.t)) + 0.5;
      c.beginPath();
      c.moveTo(x, 0);
      c.lineTo(x, this.canvas.height);
      Object.assign(c, { strokeStyle: colours[event.kind] ?? colour("--line-strong"), lineWidth: ratio });
      c.stroke();
    }
  }
}
