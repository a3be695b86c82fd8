// What is wrong, in whole sentences, above the stage, and the lamps of connection and panel.

import { DeviceState } from "../shared/devicestate.js";
import { byId } from "../shared/dom.js";
import { LinkState } from "../shared/linkstate.js";
import { NoticeLines } from "../shared/notices.js";

const COMMAND_MS = 6000;
const NAMES = 6;

export class Notices {
  constructor({ i18n, lamps }) {
    Object.assign(this, { i18n, lamps });
    this.lines = new NoticeLines(byId("notices"));
    this.state = null;
    this.link = new LinkState(this);
    this.device = new DeviceState(this);
    i18n.addEventListener("change", () => this.#update());
    this.#update();
  }

  setState(state) {
    this.state = state;
    this.#update();
  }

  setLink(word) {
    this.link.set(word);
    this.#update();
  }

  commandFailed(reason) {
    this.lines.brief("command", "bad", this.i18n.t("noticeCommand", { reason }), COMMAND_MS);
  }

  #update() {
    this.link.show();
    this.device.show(this.link.up ? this.state : null);
    this.lines.set("missing", "warn", this.#missingText());
  }

  #missingText() {
    const names = this.state?.missing ?? [];
    const count = Math.max(this.state?.missing_count ?? 0, names.length);
    if (!count) return "";
    const shown = names.slice(0, NAMES).join(", ");
    const more = count > NAMES ? this.i18n.t("noticeMore", { n: count - NAMES }) : "";
    const head = this.i18n.count("noticeMissing", count);
    return `${head} ${shown} ${more}`.trim();
  }
}
