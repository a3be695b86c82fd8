// What is said of a camera, in all places alike. Its clock is the hub's.

import { number, span } from "../shared/format.js";
import { ServerClock } from "../shared/serverclock.js";

const HEARD_MS = 10000; // a camera without a connection (HTTP, UDP) sends every two seconds
const COLOURS = 8;

export const nameOf = (camera) => camera.name || camera.id;

export class Words extends ServerClock {
  constructor(i18n) {
    super();
    this.i18n = i18n;
    this.colours = new Map();
    this.names = new Map();
    this.ended = new Map(); // "name address": when its last connection ended
  }

  sync(message) {
    this.setClock(message.now_ms);
    for (const camera of message.cameras) this.#name(camera, message.cameras);
    this.ended = new Map();
    for (const { camera, address, disconnect_timestamp: end } of message.history.sessions) this.ended.set(`${camera} ${address}`, end * 1000);
  }

  // Two cameras may call themselves the same.
  #name(camera, all) {
    const name = nameOf(camera);
    const alone = all.every((other) => other === camera || nameOf(other) !== name);
    this.names.set(camera.id, alone ? name : `${name} (${camera.id})`);
    if (!this.colours.has(camera.id)) this.colours.set(camera.id, this.colours.size % COLOURS);
  }

  name(id) {
    return this.names.get(id) ?? id;
  }

  // A camera keeps its colour as long as the page is open.
  colour(id) {
    return `var(--camera-${this.colours.get(id) ?? 0})`;
  }

  // on: by WebSocket; heard: lately, in another way, so after its last connection's end; gone.
  state(camera) {
    if (camera.connections > 0) return "on";
    const ended = this.ended.get(`${camera.name} ${camera.address}`) ?? 0;
    return camera.heard_ms > ended && this.now() - camera.heard_ms < HEARD_MS ? "heard" : "gone";
  }

  stateText(camera) {
    const { i18n } = this;
    const state = this.state(camera);
    if (state === "on") return camera.since_ms ? i18n.t("onSince", { time: span(this.now() - camera.since_ms) }) : i18n.t("on");
    if (state === "heard") return i18n.t("heardBy", { via: this.via(camera.via) });
    return camera.heard_ms ? i18n.t("goneSince", { time: span(this.now() - camera.heard_ms) }) : i18n.t("gone");
  }

  via(word) {
    return { ws: "WebSocket", http: "HTTP", udp: "UDP" }[word] ?? "HTTP";
  }

  // Seconds with a decimal while they are few.
  age(ms) {
    const past = Math.max(0, this.now() - ms);
    return past < 9950 ? `${number(past / 1000, 1)} s` : span(past);
  }
}
