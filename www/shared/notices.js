// What is wrong, in whole sentences. One line per trouble, gone with it.

import { element } from "./dom.js";
import { icon } from "./icons.js";

export class NoticeLines {
  constructor(box) {
    this.box = box;
    this.lines = new Map();
    this.timers = new Map(); // of brief ones
  }

  // kind: bad or warn; no text takes the line away.
  set(name, kind, text) {
    const before = this.lines.get(name);
    if ((before?.textContent ?? "") === text) return;
    before?.remove();
    this.lines.delete(name);
    if (!text) return;
    const attributes = { class: "notice", "data-kind": kind, "data-name": name };
    const line = element("div", attributes, icon("warning"), element("p", {}, text));
    this.lines.set(name, line);
    this.box.append(line);
  }

  // For what is over once it is told.
  brief(name, kind, text, ms) {
    this.set(name, kind, text);
    clearTimeout(this.timers.get(name));
    this.timers.set(name, setTimeout(() => this.set(name, kind, ""), ms));
  }
}
