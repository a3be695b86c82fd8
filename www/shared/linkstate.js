// How the page stands to its server: data-link of the body, the lamp "link", the notice "link".

import { LINK_LAMP } from "./lamps.js";

const PATIENCE_MS = 1200; // a restart of the server is over before that

export class LinkState {
  // lamps: Lamps with one named link, or null. A language's change is seen with the next show().
  constructor({ i18n, lines, lamps = null }) {
    Object.assign(this, { i18n, lines, lamps });
    this.late = false;
    this.set("connecting");
  }

  get up() {
    return this.word === "up";
  }

  // connecting, up, down or stale, as pagelink.js says it.
  set(word) {
    this.word = word;
    document.body.dataset.link = word;
    clearTimeout(this.timer);
    if (this.up) this.late = false;
    else this.timer = setTimeout(() => [(this.late = true), this.show()], PATIENCE_MS);
    this.show();
  }

  show() {
    const [state, key] = LINK_LAMP[this.word];
    this.lamps?.set("link", state, this.i18n.t(key));
    this.lines.set("link", "bad", this.#text());
  }

  #text() {
    if (this.up) return "";
    if (navigator.onLine === false) return this.i18n.t("noticeOffline");
    if (this.word === "stale") return this.i18n.t("noticeStale");
    return this.late ? this.i18n.t("noticeLink") : "";
  }
}
