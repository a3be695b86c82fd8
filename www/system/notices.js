// What is wrong, in whole sentences, above everything. One line a trouble, gone with it.

import { byId } from "../shared/dom.js";
import { NoticeLines } from "../shared/notices.js";

const PATIENCE_MS = 1500; // a restart of the gateway is over before that

export class Notices {
  constructor({ i18n }) {
    this.i18n = i18n;
    this.lines = new NoticeLines(byId("notices"));
    this.link = "connecting";
    this.late = false;
    i18n.addEventListener("change", () => this.#update());
    this.#wait();
  }

  setLink(link, error) {
    this.link = link;
    this.error = error;
    if (link === "connecting" || link === "down") this.#wait();
    else {
      clearTimeout(this.timer);
      this.timer = null;
      this.late = false;
    }
    this.#update();
  }

  take(status) {
    const ill = status.stages.filter(
      (stage) => stage.state !== "ready" || (stage.cause && stage.cause !== "ok"),
    );
    this.ill = ill.filter((stage) => stage.cause && stage.cause !== "ok");
    this.#update();
  }

  #wait() {
    this.timer ??= setTimeout(() => {
      this.late = true;
      this.#update();
    }, PATIENCE_MS);
  }

  #update() {
    this.lines.set("link", this.link === "polling" ? "warn" : "bad", this.#linkText());
    const ill = this.ill ?? [];
    const text = ill.map((stage) => `${stage.name}: ${stage.cause_text || stage.cause}`).join("\n");
    this.lines.set("stages", "warn", this.link === "up" || this.link === "polling" ? text : "");
  }

  #linkText() {
    const { link, i18n } = this;
    if (link === "up") return "";
    if (link === "absent") return i18n.t("noticeAbsent", { error: this.error });
    if (navigator.onLine === false) return i18n.t("noticeOffline");
    if (link === "stale" || link === "polling")
      return i18n.t(link === "stale" ? "noticeStale" : "noticePolling");
    return this.late ? i18n.t("noticeLink") : "";
  }
}
