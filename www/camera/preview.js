// The live picture, and whether it is of now. body.dataset.picture: none | live | late.

import { byId, emit, setText } from "../shared/dom.js";
import { number, span } from "../shared/format.js";
import { Picture } from "../shared/picture.js";
import { pictures } from "./api.js";

const LATE_MS = 3000; // several pictures a second come
const TICK_MS = 500;
const RATE_OVER_MS = 4000;

// Events: "change" when dataset.picture does.
export class Preview extends EventTarget {
  constructor({ i18n }) {
    super();
    this.i18n = i18n;
    this.img = byId("picture");
    this.picture = new Picture(this.img, pictures);
    this.times = []; // of the last seconds' pictures
    this.lastAt = -Infinity;
    this.word = "none";
    this.img.addEventListener("load", () => this.#arrived());
    byId("full").addEventListener("click", () => this.toggleFull());
    document.addEventListener("visibilitychange", () => this.picture.setLive(!document.hidden));
    i18n.addEventListener("change", () => this.#update());
  }

  start() {
    this.picture.camera = {}; // the only one
    this.picture.setLive(!document.hidden);
    setInterval(() => this.#update(), TICK_MS);
    this.#update();
  }

  toggleFull() {
    if (document.fullscreenElement) document.exitFullscreen();
    else byId("preview").requestFullscreen?.().catch(() => {});
  }

  #arrived() {
    const now = performance.now();
    this.lastAt = now;
    this.times.push(now);
    this.#update();
  }

  #update() {
    const now = performance.now();
    while (this.times.length && now - this.times[0] > RATE_OVER_MS) this.times.shift();
    const word = this.lastAt === -Infinity ? "none" : now - this.lastAt > LATE_MS ? "late" : "live";
    document.body.dataset.picture = word;
    this.#words(word, now);
    if (word === this.word) return;
    this.word = word;
    emit(this, "change", word);
  }

  #words(word, now) {
    const { i18n, img } = this;
    const age = word === "late" ? i18n.t("pictureLate", { span: span(now - this.lastAt) }) : "";
    setText(byId("picture-note"), word === "none" ? i18n.t("pictureNone") : age);
    img.alt = i18n.t(word === "live" ? "pictureAlt" : "pictureOld");
    const { length } = this.times;
    const rate = length > 1 ? ((length - 1) * 1000) / (this.times.at(-1) - this.times[0]) : 0;
    const facts = [img.naturalWidth ? `${img.naturalWidth}×${img.naturalHeight}` : "",
      word === "live" && rate ? i18n.t("pictureRate", { n: number(rate, 1) }) : ""];
    setText(byId("picture-facts"), facts.filter(Boolean).join(" · "));
  }
}
