// The keyboard shortcuts, in a dialog.

import { byId, element } from "../shared/dom.js";
import { icon } from "../shared/icons.js";

const ROWS = [
  [["space"], "helpPause"],
  [["1", "…", "9", "0"], "helpDigits"],
  [["← ↑ ↓ →"], "helpArrows"],
  [["S", "Esc"], "helpStop"],
  [["M"], "helpMute"],
  [["F"], "helpFull"],
  [["K"], "helpKiosk"],
  [["L"], "helpLanguage"],
  [["D"], "helpDebug"],
  [["?"], "helpHelp"],
];

export class Help {
  constructor({ i18n }) {
    this.i18n = i18n;
    this.dialog = byId("help");
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.close());
    i18n.addEventListener("change", () => this.#fill());
    this.#fill();
  }

  get open() {
    return this.dialog.hasAttribute("open");
  }

  toggle() {
    if (this.open) this.close();
    else if (this.dialog.showModal) this.dialog.showModal();
    else this.dialog.setAttribute("open", "");
  }

  close() {
    if (this.dialog.close) this.dialog.close();
    else this.dialog.removeAttribute("open");
  }

  #fill() {
    const { i18n } = this;
    const title = element("h2", { id: "help-title" }, i18n.t("helpTitle"));
    const head = element("header", { class: "help-head" }, title, this.#closeButton());
    const rows = ROWS.map(([keys, text]) => this.#row(keys, text));
    this.dialog.replaceChildren(head, element("dl", { class: "help-list" }, ...rows));
  }

  #closeButton() {
    const close = element("button", { class: "button quiet square", type: "button" }, icon("close"));
    close.setAttribute("aria-label", this.i18n.t("close"));
    close.addEventListener("click", () => this.close());
    return close;
  }

  #row(keys, text) {
    const terms = element("dt", {}, ...keys.map((name) => this.#key(name)));
    return element("div", { class: "help-row" }, terms, element("dd", {}, this.i18n.t(text)));
  }

  #key(name) {
    if (name === "…") return " … ";
    return element("kbd", {}, this.i18n.has(name) ? this.i18n.t(name) : name);
  }
}
