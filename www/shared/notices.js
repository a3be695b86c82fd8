// What is wrong, in whole sentences. One line per trouble, gone with it.

import { element } from "./dom.js";
import { icon } from "./icons.js";

export class NoticeLines {
  constructor(box) {
    this.box = box;
    this.lines = new Map();
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
}
