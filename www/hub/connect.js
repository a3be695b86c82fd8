// What a game engine or a camera needs to connect, to be copied; and the newest detection as games get it.

import { byId, element, setText } from "../shared/dom.js";
import { copyText } from "../shared/copy.js";

const SAID_MS = 2500;
const secure = location.protocol === "https:";
const EXAMPLE = { tag_id: 5, yaw: 1.5, pitch: -3, roll: 0.2, x_cm: 12.3, y_cm: -4, z_cm: 50, range_cm: 51.6, camera_name: "my-camera" };

const LINES = {
  socket: `${secure ? "wss" : "ws"}://${location.host}/websocket`,
  game: JSON.stringify({ event: "identify", data: { type: "gdevelop", name: "my-game" } }),
  camera: JSON.stringify({ event: "identify", data: { type: "esp32", auth_token: "TOKEN", camera_name: "my-camera" } }),
  post: `curl ${location.origin}/apriltag -H "Authorization: $AUTH_TOKEN" -H "Content-Type: application/json" -d '${JSON.stringify(EXAMPLE)}'`,
};

export class Connect {
  constructor({ i18n }) {
    this.i18n = i18n;
    this.rows = Object.entries(LINES).map(([name, line]) => this.#row(name, line));
    this.caption = element("h3");
    this.newest = element("pre", { class: "connect-newest", tabindex: "0" });
    byId("connect").append(...this.rows.map((row) => row.node), element("div", { class: "connect-last" }, this.caption, this.newest));
    i18n.addEventListener("change", () => this.#words());
    this.#words();
  }

  // tag: as games get it, or undefined.
  show(tag) {
    if (tag) setText(this.newest, JSON.stringify(tag, null, 1));
  }

  #row(name, line) {
    const caption = element("h3"), note = element("p", { class: "part-note" });
    const copy = element("button", { class: "button", type: "button", "data-copy": name });
    copy.addEventListener("click", () => this.#copy(copy, line));
    const node = element("div", { class: "connect-row" }, caption, note, element("div", { class: "connect-line" }, element("code", {}, line), copy));
    return { name, caption, note, copy, node };
  }

  async #copy(button, line) {
    const done = await copyText(line);
    setText(button, this.i18n.t(done ? "copied" : "copyFailed"));
    button.dataset.done = done;
    clearTimeout(button.timer);
    button.timer = setTimeout(() => setText(button, this.i18n.t("copy")), SAID_MS);
  }

  #words() {
    for (const { name, caption, note, copy } of this.rows) {
      setText(caption, this.i18n.t(`connect_${name}`));
      setText(note, this.i18n.t(`connectNote_${name}`));
      setText(copy, this.i18n.t("copy"));
      copy.title = `${this.i18n.t("copy")}: ${caption.textContent}`;
    }
    setText(this.caption, this.i18n.t("connectNewest"));
    if (!this.newest.textContent) this.newest.textContent = this.i18n.t("noTag");
  }
}
