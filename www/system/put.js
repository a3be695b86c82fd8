// A message of one's own, published by a stage as if it were its own.

import { byId, element, setText } from "../shared/dom.js";
import { putMessage } from "./api.js";
import { endpointsIn } from "./model.js";
import { Refusal } from "./token.js";

export class Put {
  constructor({ i18n }) {
    this.i18n = i18n;
    this.refusal = new Refusal({ i18n });
    this.form = byId("put");
    this.form.append(this.refusal.node);
    this.form.addEventListener("submit", (event) => this.#submit(event));
    this.form.addEventListener("input", () => setText(byId("put-done"), ""));
  }

  take(status) {
    const names = endpointsIn(status).map((one) => one.name);
    if (names.join() === this.names) return;
    this.names = names.join();
    const select = byId("put-endpoint");
    const before = select.value;
    select.replaceChildren(...names.map((name) => element("option", {}, name)));
    if (names.includes(before)) select.value = before;
  }

  async #submit(event) {
    event.preventDefault();
    this.refusal.clear();
    setText(byId("put-done"), "");
    try {
      const topic = byId("put-topic").value.trim();
      const reply = await putMessage(byId("put-endpoint").value, topic, this.#body());
      setText(byId("put-done"), this.i18n.t("putDone", { n: reply.count ?? 1 }));
    } catch (error) {
      this.refusal.show(error);
    }
  }

  #body() {
    const text = byId("put-body").value.trim();
    try {
      return text ? JSON.parse(text) : {};
    } catch (error) {
      throw new Error(this.i18n.t("putNoJson", { reason: error.message }));
    }
  }
}
