// START and STOP: asked for twice, because a click happens.

import { byId, element, setText } from "../shared/dom.js";
import { command } from "./api.js";

export class Control {
  constructor({ i18n }) {
    this.i18n = i18n;
    this.dialog = byId("confirm");
    for (const cmd of ["start", "stop"]) byId(cmd).addEventListener("click", () => this.#ask(cmd));
    i18n.addEventListener("change", () => this.#say(this.said ?? ""));
  }

  // Without a device nothing can be asked of it.
  setReachable(reachable) {
    byId("start").disabled = byId("stop").disabled = !reachable;
  }

  #ask(cmd) {
    const { i18n } = this;
    const go = element("button", { class: "button primary", type: "submit", id: "confirm-go" }, i18n.t(`${cmd}Go`));
    const leave = element("button", { class: "button", type: "button", onclick: () => this.dialog.close() }, i18n.t("cancel"));
    const refused = element("p", { class: "refused", role: "alert" });
    const form = element("form", {},
      element("h2", { id: "confirm-title" }, i18n.t(`${cmd}Ask`)),
      element("p", {}, i18n.t(`${cmd}Means`)), refused,
      element("div", { class: "dialog-acts" }, leave, go));
    form.addEventListener("submit", (event) => this.#send(event, { cmd, go, refused }));
    this.dialog.replaceChildren(form);
    this.dialog.showModal();
    leave.focus();
  }

  async #send(event, { cmd, go, refused }) {
    event.preventDefault();
    go.disabled = true;
    setText(refused, "");
    try {
      await command(cmd.toUpperCase());
      this.dialog.close();
      this.#say(`${cmd}Sent`);
    } catch (error) {
      setText(refused, this.i18n.t("refused", { reason: error.message }));
    }
    go.disabled = false;
  }

  #say(key) {
    this.said = key;
    setText(byId("control-said"), key ? this.i18n.t(key) : "");
  }
}
