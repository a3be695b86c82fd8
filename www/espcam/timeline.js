// The saved pictures, newest first; older ones are fetched while one scrolls towards them. What is
// saved meanwhile is put in front, unless an earlier time was chosen.

import { byId, element, emit, setText } from "../shared/dom.js";
import { fetchSaved, savedUrl } from "./api.js";
import { bytes, clock, clockShort, date, localInput, moment } from "./format.js";
import { nameOf, shortNameOf } from "./words.js";

const PAGE = 60;
const AHEAD = "800px";
const SETTLE_MS = 400; // several cameras save at about the same time
const ms = (picture) => picture.time_us / 1000;
const hourOf = (picture) => new Date(ms(picture)).setMinutes(0, 0, 0);

// Events: "open" (picture), "change" when the list has grown.
export class Timeline extends EventTarget {
  constructor({ i18n, wall }) {
    super();
    Object.assign(this, { i18n, wall });
    this.mac = "";
    this.until = null; // microseconds, null = now
    this.total = 0;
    this.seen = "";
    this.#clear();
    this.watch = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && this.older(), {
      rootMargin: AHEAD,
    });
    this.watch.observe(byId("film-end"));
    byId("timeline-camera").addEventListener("change", (event) => this.choose(event.target.value));
    byId("timeline-until").addEventListener("change", (event) => this.#jump(event.target.value));
    byId("timeline-newest").addEventListener("click", () => this.#jump(""));
    i18n.addEventListener("change", () => this.#translate());
  }

  // What the rules tell: new cameras to choose from, new files.
  show(cameras) {
    this.#options(cameras);
    const seen = cameras.map((camera) => camera.saved_name).join();
    if (seen === this.seen) return;
    this.seen = seen;
    clearTimeout(this.settle);
    this.settle = setTimeout(() => this.#newer(), SETTLE_MS);
  }

  choose(mac) {
    this.mac = mac;
    byId("timeline-camera").value = mac;
    this.#restart();
  }

  // Older ones; answers whether there were any.
  async older() {
    if (this.busy || this.complete) return false;
    const last = this.pictures.at(-1);
    return this.#fetch({ before: last ? last.time_us : this.until, limit: PAGE }, (answer) => {
      const fresh = answer.images.filter((picture) => !this.names.has(picture.name));
      this.complete = !answer.more || fresh.length === 0;
      for (const picture of fresh) this.#append(picture);
      return fresh.length > 0;
    });
  }

  // The picture `step` places older (or newer, when negative); null at either end.
  async neighbour(name, step) {
    let at = this.pictures.findIndex((picture) => picture.name === name);
    if (at < 0) return null;
    if (at + step >= this.pictures.length) await this.older();
    return this.pictures[at + step] ?? null;
  }

  #clear() {
    this.pictures = [];
    this.names = new Set();
    this.complete = false;
    this.busy = false;
    this.hour = null;
    this.run = (this.run ?? 0) + 1;
    byId("film").replaceChildren();
  }

  #restart() {
    this.#clear();
    this.older();
  }

  #jump(text) {
    const at = text ? new Date(text).getTime() : NaN;
    this.until = Number.isNaN(at) ? null : (at + 1000) * 1000;
    byId("timeline-until").value = this.until === null ? "" : localInput(at);
    byId("timeline-newest").disabled = this.until === null;
    this.#restart();
  }

  async #newer() {
    if (this.until !== null || this.busy) return;
    const newest = this.pictures[0];
    if (!newest) return void this.older();
    await this.#fetch({ after: newest.time_us, limit: PAGE }, (answer) => {
      if (answer.more) return this.#restart();
      const fresh = answer.images.filter((picture) => !this.names.has(picture.name));
      for (const picture of fresh.reverse()) this.#prepend(picture);
      return fresh.length > 0;
    });
  }

  async #fetch(what, use) {
    const { run } = this;
    this.busy = true;
    this.#say("loading");
    let grown = false;
    try {
      const answer = await fetchSaved({ mac: this.mac, ...what });
      if (run !== this.run) return false;
      this.busy = false;
      this.total = answer.total;
      grown = use(answer) === true;
      this.#say("");
    } catch (error) {
      if (run !== this.run) return false;
      this.busy = false;
      this.#say("savedFailed", { reason: error.message });
      return false;
    }
    if (grown) emit(this, "change");
    this.#checkEnd();
    return grown;
  }

  // The observer tells changes only: the end may be in sight still.
  #checkEnd() {
    this.watch.unobserve(byId("film-end"));
    this.watch.observe(byId("film-end"));
  }

  #append(picture) {
    this.pictures.push(picture);
    this.names.add(picture.name);
    if (hourOf(picture) !== this.hour) {
      this.hour = hourOf(picture);
      byId("film").append(this.#group(this.hour));
    }
    byId("film").lastElementChild.lastElementChild.append(this.#frame(picture));
  }

  #prepend(picture) {
    const hour = hourOf(picture);
    this.pictures.unshift(picture);
    this.names.add(picture.name);
    const film = byId("film");
    if (Number(film.firstElementChild?.dataset.hour) !== hour) film.prepend(this.#group(hour));
    film.firstElementChild.lastElementChild.prepend(this.#frame(picture));
    this.hour ??= hour;
  }

  #group(hour) {
    const title = element("h3", { class: "film-hour" }, this.#hourText(hour));
    return element("section", { class: "film-group", "data-hour": hour }, title, element("div", { class: "film-frames" }));
  }

  #hourText(hour) {
    const day = new Date(hour).setHours(0, 0, 0, 0);
    const today = new Date().setHours(0, 0, 0, 0);
    const words = day === today ? this.i18n.t("today") : today - day < 90000000 && day < today ? this.i18n.t("yesterday") : date(hour);
    return `${words}, ${clockShort(hour)}`;
  }

  #frame(picture) {
    const img = element("img", { loading: "lazy", decoding: "async", alt: "", src: savedUrl(picture.name) });
    const caption = element("span", { class: "film-caption" });
    const attributes = { class: "film-frame", type: "button", "data-name": picture.name };
    const frame = element("button", attributes, img, caption);
    img.addEventListener("error", () => (frame.dataset.gone = ""));
    frame.addEventListener("click", () => emit(this, "open", picture));
    frame.picture = picture;
    this.#caption(frame);
    return frame;
  }

  #caption(frame) {
    const { picture } = frame;
    const camera = this.wall.camera(picture.mac) ?? { mac: picture.mac, name: null };
    setText(frame.lastElementChild, `${clock(ms(picture))} ${this.mac ? "" : shortNameOf(camera)}`.trim());
    frame.title = `${nameOf(camera)}, ${moment(ms(picture))}, ${bytes(picture.bytes)}`;
  }

  #options(cameras) {
    const list = this.wall.cameras.map((camera) => [camera.mac, nameOf(camera)]);
    const text = JSON.stringify([list, this.i18n.language]);
    if (text === this.optionText || !cameras) return;
    this.optionText = text;
    const options = [["", this.i18n.t("allCameras")], ...list];
    byId("timeline-camera").replaceChildren(...options.map(([value, label]) => element("option", { value }, label)));
    byId("timeline-camera").value = this.mac;
  }

  #say(key, values) {
    const word = key || (this.pictures.length === 0 ? (this.until === null ? "noSaved" : "noSavedThere") : this.complete ? "oldest" : "");
    this.said = [word, values];
    setText(byId("film-end"), word ? this.i18n.t(word, values) : "");
    const n = this.total;
    setText(byId("timeline-note"), n === 1 ? this.i18n.t("savedTotal1") : this.i18n.t("savedTotal", { n }));
    byId("timeline").dataset.state = this.busy ? "loading" : key ? "failed" : "ready";
  }

  #translate() {
    const [word, values] = this.said ?? ["", {}];
    this.#say(word === "savedFailed" ? word : "", values);
    this.#options(this.wall.cameras);
    for (const group of byId("film").children) setText(group.firstElementChild, this.#hourText(Number(group.dataset.hour)));
    for (const frame of document.querySelectorAll(".film-frame")) this.#caption(frame);
  }
}
