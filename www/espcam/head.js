// Lamps, notices and figures: how the whole is.

import { byId, element, setText } from "../shared/dom.js";
import { LINK_LAMP, Lamps } from "../shared/lamps.js";
import { NoticeLines } from "../shared/notices.js";
import { bytes, number, rate } from "./format.js";
import { nameOf } from "./words.js";

const PATIENCE_MS = 1200; // a restart of the server is over before that
const NAMES = 4;

export class Head {
  constructor({ i18n }) {
    this.i18n = i18n;
    this.link = "connecting";
    this.late = false;
    this.message = null;
    this.lines = new NoticeLines(byId("notices"));
    this.lamps = new Lamps(byId("states"), i18n, ["link", "device"]);
    i18n.addEventListener("change", () => this.update());
    this.setLink("connecting");
  }

  setLink(word) {
    this.link = word;
    document.body.dataset.link = word;
    clearTimeout(this.timer);
    if (word === "up") this.late = false;
    else this.timer = setTimeout(() => [(this.late = true), this.update()], PATIENCE_MS);
    this.update();
  }

  show(message) {
    this.message = message;
    this.update();
  }

  update() {
    const [state, key] = LINK_LAMP[this.link];
    this.lamps.set("link", state, this.i18n.t(key));
    this.#device();
    this.#notices();
    this.#figures();
    this.#foot();
  }

  #cause() {
    const key = `cause_${this.message.cause}`;
    return this.i18n.has(key) ? this.i18n.t(key) : this.message.cause;
  }

  #device() {
    const known = this.message && this.link === "up";
    document.body.dataset.device = known ? (this.message.serial ? "ok" : "lost") : "unknown";
    if (!known) this.lamps.set("device", "none", this.i18n.t("deviceUnknown"));
    else this.lamps.set("device", this.message.serial ? "ok" : "bad", this.message.serial ? this.i18n.t("cause_ok") : this.#cause());
  }

  #notices() {
    this.lines.set("link", "bad", this.#linkText());
    this.lines.set("device", "bad", this.#deviceText());
    this.lines.set("silent", "warn", this.#silentText());
  }

  #linkText() {
    if (this.link === "up") return "";
    if (navigator.onLine === false) return this.i18n.t("noticeOffline");
    if (this.link === "stale") return this.i18n.t("noticeStale");
    return this.late ? this.i18n.t("noticeLink") : "";
  }

  #deviceText() {
    if (!this.message || this.message.serial || this.link !== "up") return "";
    const text = this.i18n.t("noticeDevice", { cause: this.#cause(), device: this.message.device });
    return text.replace(" ()", "");
  }

  #silentText() {
    const silent = (this.message?.cameras ?? []).filter((camera) => camera.state === "silent");
    if (!silent.length || this.link !== "up") return "";
    const names = silent.slice(0, NAMES).map(nameOf).join(", ") + (silent.length > NAMES ? ", …" : "");
    return this.i18n.t(silent.length === 1 ? "noticeSilent1" : "noticeSilent", { n: silent.length, names });
  }

  #figures() {
    const cameras = this.message?.cameras ?? [];
    const sum = (key) => cameras.reduce((all, camera) => all + camera[key], 0);
    const silent = cameras.filter((camera) => camera.state === "silent").length;
    const rows = [
      ["figCameras", number(cameras.length)],
      ["figSilent", number(silent)],
      ["figRate", rate(sum("per_min"))],
      ["figBytes", `${bytes(sum("bytes_per_s"))}/s`],
      ["figGood", number(sum("good") + sum("unverified"))],
      ["figBroken", number(sum("broken"))],
    ];
    const box = byId("figures");
    if (!box.children.length) box.append(...rows.map(([key]) => element("div", { "data-figure": key }, element("dt"), element("dd"))));
    rows.forEach(([key, value], i) => {
      setText(box.children[i].firstChild, this.i18n.t(key));
      setText(box.children[i].lastChild, value);
    });
    box.querySelector("[data-figure=figBroken]").dataset.some = sum("broken") > 0;
    box.querySelector("[data-figure=figSilent]").dataset.some = silent > 0;
  }

  #foot() {
    if (!this.message) return;
    const { clients, version, device } = this.message;
    const browsers = clients === 1 ? this.i18n.t("clients1") : this.i18n.t("clients", { n: clients });
    setText(byId("foot-text"), [this.i18n.t("version", { version }), device, browsers].filter(Boolean).join(" · "));
  }
}
