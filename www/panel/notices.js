// What is wrong, in whole sentences, above the stage. One line per trouble, gone with it.

import { byId } from "../shared/dom.js";
import { NoticeLines } from "../shared/notices.js";

const PATIENCE_MS = 1200; // a restart of the server is over before that
const COMMAND_MS = 6000;
const NAMES = 6;

export class Notices {
  constructor({ i18n, states }) {
    Object.assign(this, { i18n, states });
    this.lines = new NoticeLines(byId("notices"));
    this.state = null;
    this.link = "connecting";
    this.down = false;
    this.timer = 0;
    i18n.addEventListener("change", () => this.#update());
  }

  setState(state) {
    this.state = state;
    this.#update();
  }

  setLink(word) {
    this.link = word;
    clearTimeout(this.timer);
    if (word === "down" || word === "connecting") this.timer = setTimeout(() => this.#late(), PATIENCE_MS);
    if (word === "up") this.down = false;
    this.#update();
  }

  commandFailed(reason) {
    this.lines.set("command", "bad", this.i18n.t("noticeCommand", { reason }));
    clearTimeout(this.commandTimer);
    this.commandTimer = setTimeout(() => this.lines.set("command", "bad", ""), COMMAND_MS);
  }

  #late() {
    this.down = true;
    this.#update();
  }

  #update() {
    this.lines.set("link", "bad", this.#linkText());
    this.lines.set("device", "bad", this.#deviceText());
    this.lines.set("missing", "warn", this.#missingText());
  }

  #linkText() {
    if (this.link === "up") return "";
    if (navigator.onLine === false) return this.i18n.t("noticeOffline");
    if (this.link === "stale") return this.i18n.t("noticeStale");
    return this.down ? this.i18n.t("noticeLink") : "";
  }

  #deviceText() {
    if (!this.state || this.state.serial || this.link !== "up") return "";
    const { device } = this.state;
    const text = this.i18n.t("noticeDevice", { cause: this.states.cause(), device: device ?? "" });
    return device ? text : text.replace(" ()", "");
  }

  #missingText() {
    const names = this.state?.missing ?? [];
    const count = Math.max(this.state?.missing_count ?? 0, names.length);
    if (!count) return "";
    const shown = names.slice(0, NAMES).join(", ");
    const more = count > NAMES ? this.i18n.t("noticeMore", { n: count - NAMES }) : "";
    const head = this.i18n.t(count === 1 ? "noticeMissing1" : "noticeMissing", { n: count });
    return `${head} ${shown} ${more}`.trim();
  }
}
