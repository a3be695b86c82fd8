// The full view: a camera as it is now, or one saved picture. Arrows go to the next camera, or
// through time; Esc closes; the space bar turns live on and off.

import { byId, element, setText } from "../shared/dom.js";
import { iconButton } from "../shared/icons.js";
import { Picture } from "../shared/picture.js";
import { savedUrl } from "./api.js";
import { liveButton } from "./card.js";
import { bytes, moment } from "./format.js";
import { pictures } from "./picture.js";
import { nameOf } from "./words.js";

const tool = (name, label, onclick) => iconButton(name, label, { class: `viewer-${name}`, onclick });

export class Viewer {
  constructor({ i18n, words, wall, timeline }) {
    Object.assign(this, { i18n, words, wall, timeline });
    this.dialog = byId("viewer");
    this.mac = null; // shows this camera
    this.saved = null; // shows this saved picture
    this.#build();
    this.picture = new Picture(this.img, pictures);
    this.dialog.addEventListener("close", () => this.#closed());
    this.dialog.tabIndex = -1;
    document.addEventListener("keydown", (event) => this.open && this.#key(event));
    i18n.addEventListener("change", () => this.update());
    i18n.translatePage();
    setInterval(() => this.mac && this.#caption(), 1000);
  }

  get open() {
    return this.dialog.open;
  }

  openCamera(mac) {
    this.saved = null;
    this.mac = mac;
    this.#reveal("camera");
    this.fileImg.hidden = true;
    this.picture.show(this.wall.camera(mac));
    this.update();
  }

  openSaved(picture) {
    this.mac = null;
    this.saved = picture;
    this.picture.close();
    this.#reveal("saved");
    delete this.dialog.dataset.gone;
    this.fileImg.hidden = false;
    this.fileImg.src = savedUrl(picture.name);
    this.update();
  }

  // The rules have told something new.
  refresh() {
    if (!this.open || !this.mac) return;
    const camera = this.wall.camera(this.mac);
    if (!camera) return void this.dialog.close();
    this.picture.show(camera);
    this.update();
  }

  update() {
    if (!this.open) return;
    const camera = Boolean(this.mac);
    this.live.hidden = this.ofCamera.hidden = !camera;
    this.file.hidden = camera && !this.wall.camera(this.mac)?.saved_name;
    this.file.href = savedUrl(camera ? (this.wall.camera(this.mac)?.saved_name ?? "") : this.saved.name);
    this.back.dataset.i18nLabel = camera ? "previous" : "older";
    this.forth.dataset.i18nLabel = camera ? "next" : "newer";
    this.live.setAttribute("aria-pressed", String(this.picture.live));
    this.dialog.dataset.live = this.picture.live;
    for (const node of [this.back, this.forth]) {
      node.title = this.i18n.t(node.dataset.i18nLabel);
      node.setAttribute("aria-label", node.title);
    }
    setText(this.live.lastChild, this.i18n.t("live"));
    setText(this.file, this.i18n.t("original"));
    setText(this.ofCamera, this.i18n.t("savedOf"));
    setText(this.gone, this.i18n.t("gone"));
    this.#caption();
  }

  #build() {
    this.name = element("h2", { class: "viewer-name", id: "viewer-name" });
    this.detail = element("p", { class: "viewer-detail" });
    this.stateLine = element("p", { class: "viewer-state" });
    this.img = element("img", { class: "viewer-picture", alt: "" });
    this.fileImg = element("img", { class: "viewer-picture", alt: "" });
    this.fileImg.addEventListener("error", () => this.saved && (this.dialog.dataset.gone = ""));
    this.gone = element("p", { class: "viewer-gone" });
    this.live = liveButton();
    this.live.addEventListener("click", () => this.#toggleLive());
    this.file = element("a", { class: "button quiet", target: "_blank", rel: "noopener" });
    this.ofCamera = element("button", { class: "button quiet", type: "button" });
    this.ofCamera.addEventListener("click", () => this.#showSaved());
    this.back = tool("back", "older", () => this.#step(-1));
    this.forth = tool("forth", "newer", () => this.#step(1));
    const close = tool("close", "close", () => this.dialog.close());
    const tools = element("div", { class: "viewer-tools" }, this.live, this.ofCamera, this.file, close);
    const words = element("div", { class: "viewer-words" }, this.name, this.detail, this.stateLine);
    const room = element("div", { class: "viewer-room" }, this.img, this.fileImg, this.gone, this.back, this.forth);
    this.dialog.append(element("header", { class: "viewer-head" }, words, tools), room);
  }

  #reveal(kind) {
    this.dialog.dataset.kind = kind;
    delete this.dialog.dataset.gone;
    if (this.open) return;
    this.dialog.showModal();
    this.dialog.focus();
  }

  #caption() {
    if (this.mac) this.#captionCamera(this.wall.camera(this.mac));
    else if (this.saved) this.#captionSaved(this.saved);
  }

  #captionCamera(camera) {
    if (!camera) return;
    const { words } = this;
    const age = camera.picture_ms ? [words.age(camera.picture_ms)] : [];
    const sensors = words.sensors(camera).map(([label, value]) => `${label} ${value}`);
    setText(this.name, nameOf(camera));
    setText(this.detail, [...age, ...words.facts(camera), words.verified(camera), ...sensors].filter(Boolean).join(" · "));
    const lost = this.img.dataset.state === "lost" ? this.i18n.t("liveLost") : "";
    setText(this.stateLine, lost || words.state(camera) || words.broken(camera));
    this.dialog.dataset.state = camera.state;
    this.img.alt = this.i18n.t("pictureOf", { name: nameOf(camera), age: age[0] ?? "" });
  }

  #captionSaved(picture) {
    const camera = this.wall.camera(picture.mac) ?? { mac: picture.mac, name: null };
    setText(this.name, nameOf(camera));
    setText(this.detail, [moment(picture.time_us / 1000), bytes(picture.bytes), picture.name].join(" · "));
    setText(this.stateLine, "");
    this.dialog.dataset.state = "saved";
    this.fileImg.alt = this.fileImg.title = picture.name;
  }

  // Left is the camera before, or the older picture.
  async #step(direction) {
    if (this.mac) {
      const camera = this.wall.neighbour(this.mac, direction);
      if (camera) this.openCamera(camera.mac);
    } else if (this.saved) {
      const from = this.saved;
      const picture = await this.timeline.neighbour(from.name, -direction);
      if (picture && this.saved === from) this.openSaved(picture);
    }
  }

  #toggleLive() {
    if (!this.mac) return;
    this.picture.setLive(!this.picture.live);
    this.update();
  }

  #showSaved() {
    const { mac } = this;
    this.dialog.close();
    this.timeline.choose(mac);
    byId("timeline").scrollIntoView({ block: "start" });
  }

  #key(event) {
    const act = { ArrowLeft: () => this.#step(-1), ArrowRight: () => this.#step(1), " ": () => this.#toggleLive() }[event.key];
    if (!act || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === " " && event.target.closest("button, a")) return;
    event.preventDefault();
    act();
  }

  #closed() {
    this.mac = this.saved = null;
    this.picture.close();
    this.fileImg.removeAttribute("src");
  }
}
