// One curve that sweeps over its canvas: what is new overwrites what is oldest, behind an empty bar.

import { element, setText } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { follow, outside, ticks } from "./scale.js";

const BAR = 20; // px of emptiness ahead
const LINE = 2;
const LABEL = 13;

export class Lane {
  constructor(feed, channel) {
    Object.assign(this, { feed, channel });
    this.name = element("span", { class: "lane-name" });
    this.unit = element("span", { class: "lane-unit" });
    this.value = element("output", { class: "lane-value" });
    this.grid = element("canvas", { class: "lane-grid", "aria-hidden": "true" });
    this.canvas = element("canvas", { class: "lane-curve", "aria-hidden": "true" });
    const room = element("div", { class: "lane-room" }, this.grid, this.canvas);
    const head = element("p", { class: "lane-head" }, this.name, this.unit, this.value);
    this.node = element("div", { class: "lane", "data-channel": ["pressure", "flow", "volume"][channel] }, head, room);
    this.scale = null;
    this.looked = 0; // samples whose values were looked at
    this.drawn = 0; // time up to which the curve is drawn; 0: all anew
    this.colour = "";
  }

  // spec: {name, unit, digits, least, symmetric}
  set(spec) {
    this.spec = spec;
    this.scale = null;
    this.drawn = 0;
    setText(this.name, spec.name);
    setText(this.unit, spec.unit);
  }

  resize() {
    const box = this.canvas.parentElement.getBoundingClientRect();
    const ratio = devicePixelRatio || 1;
    this.ratio = ratio;
    this.width = Math.max(1, Math.round(box.width * ratio));
    this.height = Math.max(1, Math.round(box.height * ratio));
    for (const canvas of [this.grid, this.canvas]) Object.assign(canvas, { width: this.width, height: this.height });
    const style = getComputedStyle(this.node);
    this.colour = style.getPropertyValue("--curve").trim();
    this.gridColour = style.getPropertyValue("--line").trim();
    this.textColour = style.getPropertyValue("--muted").trim();
    this.font = `${LABEL * ratio}px ${style.fontFamily}`;
    this.drawn = 0;
    if (this.scale) this.#drawGrid();
  }

  // Looks whether the axis still fits; not for every frame.
  rescale(time, spanMs) {
    const { feed } = this;
    let low = Infinity;
    let high = -Infinity;
    for (let i = feed.indexAt(time - spanMs); i < feed.count; i++) {
      const value = feed.valueOf(this.channel, i);
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (low > high) [low, high] = this.spec.least ?? [0, 1];
    const scale = follow(this.scale, low, high, this.spec);
    if (scale === this.scale && this.spanMs === spanMs) return;
    Object.assign(this, { scale, spanMs, drawn: 0 });
    this.#drawGrid();
  }

  // Whether a sample that has come since the last call does not fit the axis.
  outgrown() {
    const { feed, scale } = this;
    let found = false;
    for (let i = Math.max(feed.oldest, Math.min(this.looked, feed.count)); i < feed.count; i++) {
      found ||= outside(scale, feed.valueOf(this.channel, i));
    }
    this.looked = feed.count;
    return found;
  }

  // Draws what has come since the last call.
  draw(time, spanMs) {
    if (!this.scale || !this.width) return;
    if (!this.drawn || time - this.drawn > spanMs || time < this.drawn) {
      this.canvas.getContext("2d").clearRect(0, 0, this.width, this.height);
      this.drawn = time - spanMs * (1 - (BAR * this.ratio) / this.width);
    }
    const turn = Math.floor(time / spanMs) * spanMs; // begin of the sweep under way
    if (this.drawn < turn) {
      this.#slice(this.drawn, turn, turn - spanMs, spanMs);
      this.drawn = turn;
    }
    this.#slice(this.drawn, time, turn, spanMs);
    this.drawn = time;
  }

  showValue(time) {
    const { feed } = this;
    const value = feed.count ? feed.valueOf(this.channel, Math.min(feed.count - 1, feed.indexAt(time))) : NaN;
    setText(this.value, number(value, this.spec.digits));
  }

  #y(value) {
    const { low, high } = this.scale;
    const pad = LINE * this.ratio;
    return pad + ((high - value) / (high - low)) * (this.height - 2 * pad);
  }

  // The curve of from..to, which both lie in the sweep that began at `turn`.
  #slice(from, to, turn, spanMs) {
    const x = (time) => ((time - turn) / spanMs) * this.width;
    const left = Math.floor(x(from)) - 1;
    const right = x(to);
    const ahead = right + BAR * this.ratio;
    const c = this.canvas.getContext("2d");
    c.clearRect(left, 0, ahead - left, this.height);
    if (ahead > this.width) c.clearRect(0, 0, ahead - this.width, this.height);
    c.save();
    c.beginPath();
    c.rect(left, 0, right - left, this.height);
    c.clip();
    this.#trace(c, x, from - (3 * spanMs) / this.width, to);
    c.restore();
  }

  // The same points as in the slice before, as far as they reach into this one: no seam is seen.
  #trace(c, x, from, to) {
    const { feed, channel } = this;
    let last = null;
    c.beginPath();
    for (let i = Math.max(feed.oldest, feed.indexAt(from) - 2); i < feed.count; i++) {
      const time = feed.timeOf(i);
      const value = feed.valueOf(channel, i);
      const joined = last !== null && time - last < feed.gapMs;
      if (Number.isNaN(value)) last = null;
      else {
        c[joined ? "lineTo" : "moveTo"](x(time), this.#y(value));
        last = time;
      }
      if (time > to) break;
    }
    Object.assign(c, { lineWidth: LINE * this.ratio, lineJoin: "round", lineCap: "round", strokeStyle: this.colour });
    c.stroke();
  }

  #drawGrid() {
    const c = this.grid.getContext("2d");
    c.clearRect(0, 0, this.width, this.height);
    Object.assign(c, { strokeStyle: this.gridColour, fillStyle: this.textColour, font: this.font, lineWidth: this.ratio });
    const second = this.width / (this.spanMs / 1000);
    c.beginPath();
    for (let s = 1; s * second < this.width; s++) this.#line(c, s * second, 0, s * second, this.height);
    c.globalAlpha = 0.45;
    c.stroke();
    c.globalAlpha = 1;
    const all = ticks(this.scale);
    c.beginPath();
    for (const tick of all) this.#line(c, 0, this.#y(tick), this.width, this.#y(tick));
    c.stroke();
    all.forEach((tick, i) => {
      c.textBaseline = i === all.length - 1 ? "top" : "bottom";
      if (i === 0 || i === all.length - 1 || tick === 0) c.fillText(number(tick), 3 * this.ratio, this.#y(tick) + (i === all.length - 1 ? 3 : -2) * this.ratio);
    });
  }

  #line(c, x0, y0, x1, y1) {
    c.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
    c.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  }
}
