// One camera as large as the window, live. Arrows go to the next camera, Esc closes.

import { byId, element, setText } from "../shared/dom.js";
import { bytes, rate } from "../shared/format.js";
import { iconButton } from "../shared/icons.js";
import { Picture } from "../shared/picture.js";
import { pictures } from "./api.js";

const tool = (name, label, onclick) => iconButton(name, label, { class: `viewer-${name}`, onclick });

export class Viewer {
  constructor({ i18n, words, wall }) {
    Object.assign(this, { i18n, words, wall });
    this.dialog = byId("viewer");
    this.dialog.tabIndex = -1;
    this.id = null;
    this.#build();
    this.picture = new Picture(this.img, pictures);
    this.dialog.addEventListener("close", () => this.#closed());
    this.dialog.addEventListener("keydown", (event) => this.#key(event));
    i18n.addEventListener("change", () => this.refresh());
    i18n.translatePage();
  }

  get open() {
    return this.dialog.open;
  }

  show(id) {
    this.id = id;
    this.picture.show(this.wall.camera(id));
    if (!this.picture.live) this.picture.setLive(true);
    if (!this.open) this.dialog.showModal();
    this.dialog.focus();
    this.refresh();
  }

  // The hub has told something new.
  refresh() {
    if (!this.open) return;
    const { words } = this;
    const camera = this.wall.camera(this.id);
    if (!camera) return void this.dialog.close();
    const { video } = camera;
    const size = video.width ? video.resolution.replace("x", "×") : "";
    const facts = [size, camera.frame_bytes ? bytes(camera.frame_bytes) : "", video.current_fps ? `${rate(video.current_fps)} FPS` : ""];
    const lost = this.img.dataset.state === "lost" ? this.i18n.t("liveLost") : "";
    setText(this.name, words.name(camera.id));
    setText(this.detail, [lost || words.stateText(camera), ...facts].filter(Boolean).join(" · "));
    this.dialog.dataset.state = words.state(camera);
    this.img.alt = this.i18n.t("pictureOf", { name: words.name(camera.id), age: "" });
  }

  #build() {
    this.name = element("h2", { class: "viewer-name", id: "viewer-name" });
    this.detail = element("p", { class: "viewer-detail" });
    this.img = element("img", { class: "viewer-picture", alt: "" });
    const head = element("header", { class: "viewer-head" }, element("div", { class: "viewer-words" }, this.name, this.detail),
      tool("close", "close", () => this.dialog.close()));
    const room = element("div", { class: "viewer-room" }, this.img, tool("back", "previous", () => this.#step(-1)), tool("forth", "next", () => this.#step(1)));
    this.dialog.append(head, room);
  }

  #step(direction) {
    const camera = this.wall.neighbour(this.id, direction);
    if (camera) this.show(camera.id);
  }

  #key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.#step(step);
  }

  #closed() {
    this.id = null;
    this.picture.close();
  }
}
