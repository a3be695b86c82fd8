// The head of a page: its lamps, its notices, and how it stands to its server. A page's own head
// extends this, and tells in update() what else there is to tell.

import { byId } from "./dom.js";
import { Lamps } from "./lamps.js";
import { LinkState } from "./linkstate.js";
import { NoticeLines } from "./notices.js";

export class PageHead {
  // lamps: their names, "link" among them.
  constructor(i18n, lamps) {
    this.i18n = i18n;
    this.message = null; // what the rules said last
    this.lines = new NoticeLines(byId("notices"));
    this.lamps = new Lamps(byId("states"), i18n, lamps);
    this.link = new LinkState(this);
    i18n.addEventListener("change", () => this.update());
  }

  setLink(word) {
    this.link.set(word);
    this.update();
  }

  show(message) {
    this.message = message;
    this.update();
  }

  update() {
    this.link.show();
  }
}
