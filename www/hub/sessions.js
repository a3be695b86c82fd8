// When the cameras were connected, as bars on a line of time, and as a list.

import { byId, element, setText } from "../shared/dom.js";
import { clock, clockShort, locale, moment, span } from "../shared/format.js";

const MINUTE = 60000;
const SPANS = [["sess_10m", 10 * MINUTE], ["sess_1h", 60 * MINUTE], ["sess_1d", 1440 * MINUTE], ["sess_all", 0]];
const TICKS = [1, 2, 5, 10, 30, 60, 180, 360, 720, 1440, 2880, 10080].map((minutes) => minutes * MINUTE);
const ROWS_MOST = 24;
const LABEL_PX = 70;
const COLUMNS = ["camera", "address", "began", "ended", "lasted"];

const openMs = (session) => session.connect_timestamp * 1000;
const endMs = (session, now) => (session.status === "connected" ? now : session.disconnect_timestamp * 1000);
const keyOf = (session) => `${session.camera}\n${session.address}`;

export class Sessions {
  constructor({ i18n, words }) {
    Object.assign(this, { i18n, words });
    this.spanMs = 0;
    this.sessions = [];
    this.rows = new Map();
    this.axis = element("div", { class: "sessions-axis" });
    this.buttons = SPANS.map(([, ms]) => element("button", { class: "button quiet", type: "button", onclick: () => [(this.spanMs = ms), this.#draw()] }));
    byId("sessions-spans").append(...this.buttons);
    this.heads = COLUMNS.map(() => element("th", { scope: "col" }));
    this.body = element("tbody");
    byId("sessions-table").append(element("table", {}, element("thead", {}, element("tr", {}, ...this.heads)), this.body));
    i18n.addEventListener("change", () => this.#words());
    setInterval(() => document.hidden || this.#draw(), 1000);
    this.#words();
  }

  show({ history, status, now_ms }) {
    this.sessions = [...history.sessions, ...history.open_sessions];
    this.startedMs = now_ms - status.uptime_seconds * 1000;
    const seen = this.sessions.map((session) => `${session.connect_timestamp} ${session.status}`).join();
    if (seen === this.seen) return;
    this.seen = seen;
    this.#draw();
    this.#list();
  }

  #words() {
    this.buttons.forEach((node, i) => setText(node, this.i18n.t(SPANS[i][0])));
    this.heads.forEach((node, i) => setText(node, this.i18n.t(`session_${COLUMNS[i]}`)));
    this.#draw();
    this.#list();
  }

  // [from, to] in ms of the hub's clock.
  #window() {
    const to = this.words.now();
    const first = Math.min(this.startedMs ?? to, ...this.sessions.map(openMs));
    return [this.spanMs ? to - this.spanMs : Math.min(first, to - 5 * MINUTE), to];
  }

  #draw() {
    const [from, to] = this.#window();
    const groups = this.#groups(from, to);
    const room = byId("sessions-rows");
    SPANS.forEach(([, ms], i) => this.buttons[i].setAttribute("aria-pressed", String(ms === this.spanMs)));
    for (const [key, row] of this.rows) if (!groups.has(key)) [row.node.remove(), this.rows.delete(key)];
    for (const [key, sessions] of groups) this.#row(this.rows.get(key) ?? this.#add(key, room), sessions, from, to);
    if (this.axis.parentNode !== room || this.axis.nextSibling) room.append(this.axis);
    this.#marks(from, to);
    const open = this.sessions.filter((session) => session.status === "connected").length;
    setText(byId("sessions-note"), this.sessions.length ? this.i18n.t("sessionsNote", { n: open, past: this.sessions.length - open }) : this.i18n.t("sessionsNone"));
  }

  // Of each camera; the newest first when there are too many.
  #groups(from, to) {
    const groups = new Map();
    const recent = [...this.sessions].sort((a, b) => endMs(b, to) - endMs(a, to));
    for (const session of recent) {
      if (endMs(session, to) < from) continue;
      const key = keyOf(session);
      if (!groups.has(key) && groups.size < ROWS_MOST) groups.set(key, []);
      groups.get(key)?.push(session);
    }
    return new Map([...groups].sort(([a], [b]) => a.localeCompare(b, undefined, { numeric: true })));
  }

  #add(key, room) {
    const [camera, address] = key.split("\n");
    const bars = element("div", { class: "sessions-bars" });
    const row = { bars, node: element("div", { class: "sessions-row", "data-camera": camera }, element("p", { class: "sessions-name", title: address }, camera), bars) };
    this.rows.set(key, row);
    room.insertBefore(row.node, this.axis.parentNode === room ? this.axis : null);
    return row;
  }

  #row({ bars }, sessions, from, to) {
    while (bars.children.length < sessions.length) bars.append(element("span", { class: "sessions-bar", role: "img" }));
    while (bars.children.length > sessions.length) bars.lastChild.remove();
    sessions.forEach((session, i) => {
      const node = bars.children[i];
      const at = (ms) => (100 * (Math.max(from, ms) - from)) / (to - from);
      const left = at(openMs(session));
      node.style.left = `${left}%`;
      node.style.width = `${Math.max(0, at(endMs(session, to)) - left)}%`;
      node.dataset.status = session.status;
      node.title = this.#describe(session, to);
      node.setAttribute("aria-label", node.title);
    });
  }

  #describe(session, now) {
    const end = session.status === "connected" ? this.i18n.t("sessionOpen") : clock(endMs(session, now));
    return `${session.camera} (${session.address}): ${clock(openMs(session))} – ${end}, ${span(endMs(session, now) - openMs(session))}`;
  }

  #marks(from, to) {
    const wide = Math.max(2, Math.floor(this.axis.clientWidth / LABEL_PX / 1.4));
    const step = TICKS.find((ms) => (to - from) / ms <= wide) ?? TICKS.at(-1) * Math.ceil((to - from) / TICKS.at(-1) / wide);
    const zone = new Date(to).getTimezoneOffset() * MINUTE;
    const marks = [];
    for (let ms = Math.ceil((from - zone) / step) * step + zone; ms < to - (to - from) * (LABEL_PX / this.axis.clientWidth); ms += step) marks.push([ms, step >= 1440 * MINUTE ? new Date(ms).toLocaleDateString(locale(), { day: "numeric", month: "numeric" }) : clockShort(ms)]);
    while (this.axis.children.length < marks.length) this.axis.append(element("span"));
    while (this.axis.children.length > marks.length) this.axis.lastChild.remove();
    marks.forEach(([ms, text], i) => {
      this.axis.children[i].style.left = `${(100 * (ms - from)) / (to - from)}%`;
      setText(this.axis.children[i], text);
    });
  }

  #list() {
    const now = this.words.now();
    const newest = [...this.sessions].sort((a, b) => openMs(b) - openMs(a)).slice(0, 100);
    this.body.replaceChildren(...newest.map((session) => {
      const open = session.status === "connected";
      const cells = [session.camera, session.address, moment(openMs(session)), open ? this.i18n.t("sessionOpen") : moment(endMs(session, now)), open ? "" : span(session.duration_seconds * 1000)];
      return element("tr", {}, ...cells.map((text) => element("td", {}, text)));
    }));
  }
}
