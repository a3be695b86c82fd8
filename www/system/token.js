// Where a refusal is shown, with the field for the admin token when that would help.

import { element } from "../shared/dom.js";
import { adminToken, setAdminToken } from "./api.js";

export class Refusal {
  constructor({ i18n }) {
    this.i18n = i18n;
    this.text = element("p", { class: "refusal-text", role: "alert" });
    const attributes = {
      type: "password",
      class: "field",
      autocomplete: "off",
      spellcheck: "false",
    };
    this.field = element("input", attributes);
    this.caption = element("span");
    const label = element("label", { class: "labelled" }, this.caption, this.field);
    this.node = element("div", { class: "refusal", hidden: true }, this.text, label);
    this.label = label;
    this.field.addEventListener("input", () => setAdminToken(this.field.value.trim()));
  }

  show(error) {
    this.caption.textContent = this.i18n.t("token");
    const unheard = error instanceof TypeError || error.name === "TimeoutError";
    this.text.textContent = unheard ? this.i18n.t("noAnswer") : error.message;
    this.label.hidden = !error.refused;
    this.field.value = adminToken();
    this.node.hidden = false;
  }

  clear() {
    this.node.hidden = true;
    this.text.textContent = "";
  }
}
