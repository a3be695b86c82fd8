// One camera on the wall.

import { cameraCard } from "../shared/cameracard.js";
import { element, emit, setText } from "../shared/dom.js";
import { Picture } from "../shared/picture.js";
import { pictures } from "./picture.js";
import { nameOf } from "./words.js";

const DOT = { live: "ok", silent: "bad", asleep: "none" };

export const liveButton = () =>
  element("button", { class: "button cam-live", type: "button", "aria-pressed": "false" },
    element("span", { class: "live-dot", "aria-hidden": "true" }), element("span"));

function build() {
  const parts = {
    ...cameraCard(),
    mac: element("p", { class: "cam-mac" }),
    facts: element("p", { class: "cam-facts" }),
    sensors: element("dl", { class: "cam-sensors" }),
    counts: element("p", { class: "cam-counts" }),
    unproven: element("p", { class: "cam-unproven" }),
    broken: element("p", { class: "cam-broken" }),
    live: liveButton(),
    sleep: element("button", { class: "button quiet cam-sleep", type: "button" }),
  };
  const tools = element("div", { class: "cam-tools" }, parts.live, parts.sleep);
  parts.body.append(parts.facts, parts.sensors, parts.counts, parts.unproven, parts.broken, parts.mac, tools);
  return parts;
}

// Events: "open", "live" (on), "sleep".
export class Card extends EventTarget {
  constructor({ i18n, words }) {
    super();
    Object.assign(this, { i18n, words });
    this.parts = build();
    this.node = this.parts.card;
    this.picture = new Picture(this.parts.img, pictures);
    this.parts.open.addEventListener("click", () => emit(this, "open"));
    this.parts.live.addEventListener("click", () => emit(this, "live", !this.picture.live));
    this.parts.sleep.addEventListener("click", () => emit(this, "sleep"));
  }

  setLive(on) {
    if (on !== this.picture.live) this.picture.setLive(on);
    this.update();
  }

  show(camera) {
    this.camera = camera;
    this.picture.show(camera);
    this.update();
  }

  // Whatever depends on language or time.
  update() {
    const { camera, parts, i18n, words } = this;
    if (!camera) return;
    this.node.dataset.mac = camera.mac;
    this.node.dataset.state = camera.state;
    this.node.dataset.live = this.picture.live;
    parts.dot.dataset.state = DOT[camera.state] ?? "none";
    setText(parts.name, nameOf(camera));
    setText(parts.mac, camera.name ? camera.mac : "");
    this.tick();
    setText(parts.facts, words.facts(camera).join(" · "));
    setText(parts.none.lastChild, i18n.t("noPicture"));
    this.#sensors();
    this.#counts();
    this.#tools();
  }

  tick() {
    const { camera, parts, words, i18n } = this;
    const age = camera.picture_ms ? words.age(camera.picture_ms) : "";
    setText(parts.age, age);
    setText(parts.veil, words.state(camera));
    setText(parts.broken, words.broken(camera));
    parts.img.alt = i18n.t("pictureOf", { name: nameOf(camera), age });
  }

  #sensors() {
    const rows = this.words.sensors(this.camera);
    const text = JSON.stringify(rows);
    if (this.sensorText === text) return;
    this.sensorText = text;
    this.parts.sensors.replaceChildren(
      ...rows.map(([label, value]) => element("div", {}, element("dt", {}, label), element("dd", {}, value))),
    );
  }

  #counts() {
    const { camera, parts, i18n, words } = this;
    const some = [
      [camera.good, "countGood"],
      [camera.unverified, "countUnverified"],
      [camera.broken, "countBroken"],
    ].filter(([n], i) => n || i === 0);
    setText(parts.counts, some.map(([n, key]) => `${n} ${i18n.t(key)}`).join(" · "));
    parts.counts.title = parts.unproven.title = words.proof(camera);
    setText(parts.unproven, camera.verified === "none" ? i18n.t("unproven") : "");
    this.node.dataset.broken = camera.broken;
  }

  #tools() {
    const { parts, i18n, picture } = this;
    setText(parts.live.lastChild, i18n.t("live"));
    parts.live.title = i18n.t(picture.live ? "liveOn" : "liveOff");
    parts.live.setAttribute("aria-pressed", String(picture.live));
    setText(parts.sleep, i18n.t("sleep"));
    parts.open.setAttribute("aria-label", i18n.t("open", { name: nameOf(this.camera) }));
  }
}
