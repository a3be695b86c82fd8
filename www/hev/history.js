// The last half hour: which part of it is shown, fetched when that changes and while it follows now.

import { byId, element, setText } from "../shared/dom.js";
import { clock, number } from "../shared/format.js";
import { alarmText } from "./alarms.js";
import { fetchHistory } from "./api.js";
import { HistoryPicture } from "./picture.js";

const MINUTES = [1, 5, 15, 30];
const LEAST_MS = 5000;
const REFRESH_MS = 2000;
const EVENTS = 60;

export class History {
  constructor({ i18n }) {
    this.i18n = i18n;
    this.canvas = byId("history-canvas");
    this.picture = new HistoryPicture(this.canvas);
    this.aheadMs = 0;
    this.wholeMs = 30 * 60000;
    this.spanMs = 5 * 60000;
    this.to = null; // null: now
    this.buttons = MINUTES.map((m) => element("button", { class: "button quiet", type: "button", onclick: () => this.#look(m * 60000, this.to) }, `${m} min`));
    byId("history-spans").append(...this.buttons);
    byId("history-back").addEventListener("click", () => this.#pan(-0.5));
    byId("history-forth").addEventListener("click", () => this.#pan(0.5));
    byId("history-live").addEventListener("click", () => this.#look(this.spanMs, null));
    this.#listen();
    new ResizeObserver(() => this.#fetch()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => this.picture.draw());
    i18n.addEventListener("change", () => this.#words());
    setInterval(() => this.to === null && !document.hidden && this.#fetch(), REFRESH_MS);
    this.#words();
  }

  show(state) {
    this.aheadMs = state.now_ms - Date.now();
    this.wholeMs = state.history_ms;
    if (!this.answer && !this.busy) this.#fetch();
  }

  get now() {
    return Date.now() + this.aheadMs;
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.#grab(event));
    canvas.addEventListener("pointermove", (event) => (this.grabbed ? this.#drag(event) : this.#point(event)));
    for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, () => (this.grabbed = null));
    canvas.addEventListener("pointerleave", () => this.#cursor(null));
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  #grab(event) {
    this.grabbed = { x: event.clientX, to: this.to ?? this.now };
    this.canvas.setPointerCapture(event.pointerId);
  }

  #drag(event) {
    const moved = (event.clientX - this.grabbed.x) / this.canvas.clientWidth;
    if (Math.abs(event.clientX - this.grabbed.x) > 3 || this.to !== null) this.#look(this.spanMs, this.grabbed.to - moved * this.spanMs);
  }

  // The page scrolls with the wheel; with Ctrl, or a pinch, it is a zoom.
  #wheel(event) {
    if (!event.ctrlKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;
    event.preventDefault();
    if (event.ctrlKey) this.#zoom(2 ** (event.deltaY / 200), event.offsetX / this.canvas.clientWidth);
    else this.#pan(event.deltaX / this.canvas.clientWidth);
  }

  #key(event) {
    const act = {
      ArrowLeft: () => this.#pan(-0.1), ArrowRight: () => this.#pan(0.1), PageUp: () => this.#pan(-0.9), PageDown: () => this.#pan(0.9),
      "+": () => this.#zoom(0.5, 0.5), "-": () => this.#zoom(2, 0.5), End: () => this.#look(this.spanMs, null),
      Home: () => this.#look(this.spanMs, this.now - this.wholeMs + this.spanMs),
    }[event.key];
    if (!act || event.altKey || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    act();
  }

  #pan(part) {
    this.#look(this.spanMs, (this.to ?? this.now) + part * this.spanMs);
  }

  // around: the place in the picture that stays, 0..1
  #zoom(factor, around) {
    const to = this.to ?? this.now;
    const spanMs = Math.min(this.wholeMs, Math.max(LEAST_MS, this.spanMs * factor));
    this.#look(spanMs, this.to === null && factor > 1 ? null : to + (spanMs - this.spanMs) * (1 - around));
  }

  #look(spanMs, to) {
    this.spanMs = Math.min(spanMs, this.wholeMs);
    const { now } = this;
    this.to = to === null || to >= now ? null : Math.max(to, now - this.wholeMs + this.spanMs);
    this.#words();
    this.#fetch();
  }

  // One question at a time; when the view has moved meanwhile, another.
  async #fetch() {
    if (this.busy) return void (this.again = true);
    if (!this.canvas.clientWidth) return;
    this.busy = true;
    const to = Math.ceil(this.to ?? this.now);
    try {
      const points = Math.min(2000, Math.round(this.canvas.clientWidth));
      this.answer = await fetchHistory({ from: Math.floor(to - this.spanMs), to, points: points * 2 });
      this.picture.show(this.answer, to - this.spanMs, to);
      this.#events();
      document.body.dataset.history = this.answer.t.length;
    } catch (error) {
      setText(byId("history-cursor"), this.i18n.t("historyFailed", { reason: error.message }));
    }
    this.busy = false;
    this.#words();
    if (this.again) [(this.again = false), this.#fetch()];
  }

  #point(event) {
    this.#cursor(event.offsetX / this.canvas.clientWidth);
  }

  #cursor(part) {
    const found = part === null ? null : this.picture.point(part);
    if (!found) return void setText(byId("history-cursor"), "");
    const values = found.values.map(([low, high]) => (low === high ? number(low, 1) : `${number(low, 1)}…${number(high, 1)}`));
    const names = this.answer.raw ? ["pressure_inhale", "pressure_patient", "pressure_buffer"] : ["pressure", "flow", "volume"];
    setText(byId("history-cursor"), `${clock(found.time)}: ${values.map((value, i) => `${this.i18n.t(names[i])} ${value}`).join(" · ")}`);
  }

  #words() {
    const to = this.to ?? this.now;
    setText(byId("history-span"), `${clock(to - this.spanMs)} – ${this.to === null ? this.i18n.t("now") : clock(to)}`);
    byId("history-live").setAttribute("aria-pressed", String(this.to === null));
    this.buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(this.spanMs === MINUTES[i] * 60000)));
    byId("history-forth").disabled = this.to === null;
    if (this.answer) this.#events();
  }

  #events() {
    const rows = this.answer.events.slice(-EVENTS).reverse().map((event) =>
      element("li", { class: "event", "data-kind": event.kind }, element("time", {}, clock(this.answer.from + event.t)), this.#text(event)));
    const text = rows.map((row) => row.textContent).join("|");
    if (text === this.eventText) return;
    this.eventText = text;
    byId("events").replaceChildren(...rows);
  }

  #text({ kind, text }) {
    const key = ["device", "stale"].includes(kind) ? `event_${kind}_${text}` : `event_${kind}`;
    const what = kind === "alarm" || kind === "cleared" ? alarmText(this.i18n, text) : this.i18n.word(kind, text);
    return this.i18n.has(key) ? this.i18n.t(key, { text: what }) : `${kind} ${text}`;
  }
}
