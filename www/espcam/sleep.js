// A small dialog that sends one camera to sleep.

import { element, setText } from "../shared/dom.js";
import { sendToSleep } from "./api.js";
import { bare } from "./format.js";
import { nameOf } from "./words.js";

const CHOICES = [60, 300, 600, 1800, 3600, 32400, 86400];

export class SleepDialog {
  constructor({ i18n, wall }) {
    Object.assign(this, { i18n, wall });
    this.title = element("h2", { id: "sleep-title" });
    this.label = element("span");
    this.choice = element("select", { class: "field", id: "sleep-seconds" });
    this.done = element("p", { class: "sleep-done", role: "status" });
    this.go = element("button", { class: "button primary", type: "submit" });
    this.cancel = element("button", { class: "button quiet", type: "button" });
    const form = element("form", {}, this.title,
      element("label", { class: "labelled" }, this.label, this.choice), this.done,
      element("div", { class: "dialog-acts" }, this.cancel, this.go));
    this.dialog = element("dialog", { class: "dialog sleep card", id: "sleep", "aria-labelledby": "sleep-title" }, form);
    form.addEventListener("submit", (event) => this.#send(event));
    this.cancel.addEventListener("click", () => this.dialog.close());
    document.body.append(this.dialog);
  }

  open(mac) {
    const { i18n } = this;
    this.mac = mac;
    setText(this.title, i18n.t("sleepTitle", { name: nameOf(this.wall.camera(mac)) }));
    setText(this.label, i18n.t("sleepFor"));
    setText(this.go, i18n.t("sleepGo"));
    setText(this.cancel, i18n.t("cancel"));
    setText(this.done, "");
    this.go.disabled = false;
    this.choice.replaceChildren(...CHOICES.map((s) => element("option", { value: s, selected: s === 600 }, this.#words(s))));
    this.dialog.showModal();
  }

  #words(seconds) {
    if (seconds === 3600) return this.i18n.t("hour1");
    if (seconds < 3600) return this.i18n.t("minutes", { n: seconds / 60 });
    return this.i18n.t("hours", { n: seconds / 3600 });
  }

  async #send(event) {
    event.preventDefault();
    this.go.disabled = true;
    try {
      await sendToSleep(bare(this.mac), Number(this.choice.value));
      setText(this.done, this.i18n.t("sleepSent"));
    } catch (error) {
      this.go.disabled = false;
      setText(this.done, this.i18n.t("sleepFailed", { reason: error.message }));
    }
  }
}
