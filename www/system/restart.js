// Asks before a stage is restarted, and shows why it was refused.

import { byId, element } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { restartStage } from "./api.js";
import { Refusal } from "./token.js";

export class Restart {
  constructor({ i18n }) {
    this.i18n = i18n;
    this.dialog = byId("restart");
    this.refusal = new Refusal({ i18n });
    this.dialog.addEventListener(
      "click",
      (event) => event.target === this.dialog && this.dialog.close(),
    );
  }

  ask(stage) {
    const { i18n } = this;
    this.stage = stage;
    this.refusal.clear();
    this.go = element(
      "button",
      { class: "button primary", type: "submit", id: "restart-go" },
      icon("restart"),
      i18n.t("restart"),
    );
    const leave = element(
      "button",
      { class: "button", type: "button", onclick: () => this.dialog.close() },
      i18n.t("cancel"),
    );
    const acts = element("div", { class: "dialog-acts" }, leave, this.go);
    const title = element("h2", { id: "restart-title" }, i18n.t("restartAsk", { stage }));
    const form = element(
      "form",
      {},
      title,
      element("p", {}, i18n.t("restartMeans")),
      this.refusal.node,
      acts,
    );
    form.addEventListener("submit", (event) => this.#submit(event));
    this.dialog.replaceChildren(form);
    if (!this.dialog.open) this.dialog.showModal();
    this.go.focus();
  }

  async #submit(event) {
    event.preventDefault();
    this.go.disabled = true;
    try {
      await restartStage(this.stage);
      this.dialog.close();
    } catch (error) {
      this.refusal.show(error);
    }
    this.go.disabled = false;
  }
}
