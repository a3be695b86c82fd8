// Lamps, notices and the great numbers: how the whole is.

import { byId, element, setText } from "../shared/dom.js";
import { NONE, number, rate, span } from "../shared/format.js";
import { PageHead } from "../shared/pagehead.js";

const sum = (list, key) => list.reduce((all, one) => all + (one[key] ?? 0), 0);
const most = (list, key) => Math.max(0, ...list.map((one) => one[key] ?? 0));

export class Head extends PageHead {
  constructor({ i18n, words }) {
    super(i18n, ["link", "cameras", "games"]);
    this.words = words;
    this.tiles = new Map();
    this.update();
  }

  update() {
    super.update();
    this.#peers();
    if (!this.message) return;
    this.#summary(this.message);
    setText(byId("foot-text"), this.#foot(this.message));
  }

  #peers() {
    const known = this.message && this.link.up;
    const there = known ? this.message.cameras.filter((camera) => this.words.state(camera) !== "gone").length : 0;
    const games = known ? this.message.status.websocket.gdevelop_clients : 0;
    const word = (n) => (known ? number(n) : this.i18n.t("unknown"));
    this.lamps.set("cameras", there ? "ok" : known ? "warn" : "none", word(there));
    this.lamps.set("games", games ? "ok" : "none", word(games));
  }

  #summary({ status, cameras }) {
    const { websocket, detections } = status;
    const t = (key, values) => this.i18n.t(key, values);
    this.#tile("cameras", number(websocket.cameras), t("knownCameras", { n: number(cameras.length) }));
    this.#tile("games", number(websocket.gdevelop_clients), t("ofConnections", { n: number(websocket.active_connections) }));
    this.#tile("tags", number(detections.forwarded), t("aSecond", { n: rate(sum(cameras, "tag_rate")) }));
    this.#tile("refused", number(detections.refused), t("refusedNote"), detections.refused > 0);
    this.#tile("frames", number(status.frames), t("aSecond", { n: rate(cameras.reduce((all, one) => all + one.video.current_fps, 0)) }));
    this.#latency(this.message);
    this.#tile("uptime", span(status.uptime_seconds * 1000), t("ofHub"));
  }

  // Up to the games' sockets; without games at least through the rules.
  #latency({ engines, cameras }) {
    const p50 = engines?.us_p50 || most(cameras, "hub_us_p50"), p99 = engines?.us_p99 || most(cameras, "hub_us_p99");
    const name = engines?.us_p50 ? "engines" : "latency";
    this.#tile("latency", p50 ? `${number(p50 / 1000, 2)} ms` : NONE, p99 ? this.i18n.t("p99", { n: number(p99 / 1000, 2) }) : "", false, name);
  }

  #tile(name, value, note, some = false, title = name) {
    if (!this.tiles.has(name)) {
      const node = element("div", { class: "tile card", "data-tile": name }, element("dt"), element("dd", { class: "tile-value" }), element("dd", { class: "tile-note" }));
      this.tiles.set(name, node);
      byId("summary").append(node);
    }
    const node = this.tiles.get(name);
    setText(node.children[0], this.i18n.t(`tile_${title}`));
    setText(node.children[1], value);
    setText(node.children[2], note);
    node.dataset.some = some;
  }

  #foot({ version, status, uptime }) {
    const { pages } = status.websocket;
    const since = uptime.connected ? this.i18n.t("connectedFor", { time: span(uptime.uptime_seconds * 1000) }) : "";
    return [this.i18n.t("version", { version }), this.i18n.count("clients", pages), since].filter(Boolean).join(" · ");
  }
}
