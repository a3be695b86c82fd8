// One camera on the wall: its picture, what it saw last, and how well it does.

import { cameraCard } from "../shared/cameracard.js";
import { element, emit, setText } from "../shared/dom.js";
import { NONE, bytes, number, rate, span } from "../shared/format.js";
import { Picture } from "../shared/picture.js";
import { pictures } from "./api.js";
import * as grades from "./grades.js";

const DOT = { on: "ok", heard: "ok", gone: "bad" };
const LATE_MS = 3000; // a picture is old when twice its interval, and this, have passed

const millis = (us) => number(us / 1000, us < 10000 ? 2 : 0);

function build() {
  const parts = {
    ...cameraCard(),
    state: element("p", { class: "cam-state" }),
    tag: element("p", { class: "cam-tag" }),
    figures: element("dl", { class: "cam-figures" }),
    advice: element("p", { class: "cam-advice" }),
  };
  parts.head.prepend(element("span", { class: "cam-colour", "aria-hidden": "true" }));
  parts.body.append(parts.state, parts.tag, parts.figures, parts.advice);
  return parts;
}

// Event: "open".
export class Card extends EventTarget {
  constructor({ i18n, words, track }) {
    super();
    Object.assign(this, { i18n, words, track });
    this.parts = build();
    this.node = this.parts.card;
    this.picture = new Picture(this.parts.img, pictures);
    this.mode = "off";
    this.inSight = false;
    this.rows = new Map();
    this.parts.open.addEventListener("click", () => emit(this, "open"));
  }

  show(camera) {
    this.camera = camera;
    if (this.mode !== "off") this.picture.show(camera.frame_ms ? camera : null);
    this.update();
  }

  // off: what was there stays, nothing is fetched; shown; live.
  setPicture(mode) {
    if (mode === this.mode) return;
    const before = this.mode;
    this.mode = mode;
    this.node.dataset.picture = mode;
    if (mode !== "off") this.picture.show(this.camera.frame_ms ? this.camera : null);
    if (mode === "live" || before === "live") this.picture.setLive(mode === "live");
  }

  // Whatever depends on language or time.
  update() {
    const { camera, parts, i18n, words } = this;
    if (!camera) return;
    const state = words.state(camera);
    this.node.dataset.state = state;
    this.node.style.setProperty("--camera", words.colour(camera.id));
    this.node.dataset.pictures = Boolean(camera.frame_ms);
    parts.dot.dataset.state = DOT[state];
    parts.advice.hidden = !camera.frame_ms || document.body.dataset.view !== "video";
    setText(parts.name, words.name(camera.id));
    setText(parts.none.lastChild, i18n.t("noPicture"));
    setText(parts.advice, i18n.t(grades.recommendation(camera.video)));
    parts.advice.dataset.grade = grades.efficiency(camera.video)[0];
    parts.open.setAttribute("aria-label", i18n.t("open", { name: words.name(camera.id) }));
    if (camera.frame_ms && camera.video.width) parts.open.style.aspectRatio = `${camera.video.width} / ${camera.video.height}`;
    this.tick();
    this.#figures();
  }

  tick() {
    const { camera, parts, words, i18n } = this;
    const age = camera.frame_ms ? words.age(camera.frame_ms) : "";
    const limit = Math.max(LATE_MS, 2000 * camera.video.avg_interval);
    const late = camera.frame_ms && words.now() - camera.frame_ms > limit;
    setText(parts.age, age && i18n.t("ago", { time: age }));
    setText(parts.veil, late ? i18n.t("noPictureSince", { time: span(words.now() - camera.frame_ms) }) : "");
    this.node.dataset.late = Boolean(late);
    setText(parts.state, [words.stateText(camera), camera.address].filter(Boolean).join(" · "));
    parts.img.alt = i18n.t("pictureOf", { name: words.name(camera.id), age });
    this.#tag();
  }

  #tag() {
    const row = this.track.newest.get(this.camera.id);
    const { camera, i18n, words } = this;
    const when = row?.at_ms ?? camera.tag_ms;
    if (!when) return setText(this.parts.tag, i18n.t("noTag"));
    const what = row ? i18n.t("sawTag", { tag: row.name }) : i18n.t("sawSome");
    const cm = row?.tag.range_cm;
    const range = Number.isFinite(cm) ? `${number(cm, 1)} cm` : "";
    setText(this.parts.tag, [what, range, i18n.t("ago", { time: words.age(when) })].filter(Boolean).join(" · "));
  }

  #figures() {
    const { camera, i18n } = this;
    const v = camera.video;
    const none = grades.noPictures(v);
    const ms = (us) => (us ? `${millis(us)} ms` : NONE);
    const pictures = (value) => (none ? NONE : value);
    this.#figure("fps", pictures(rate(v.current_fps)), i18n.t("wantedFps", { n: pictures(rate(v.target_fps)) }), "both");
    this.#figure("efficiency", pictures(v.steady ? `${number(v.efficiency, 1)} %` : NONE), grades.efficiency(v), "video");
    this.#figure("jitter", pictures(`${number(v.jitter * 1000)} ms`), grades.jitter(v), "video");
    this.#figure("processing", pictures(`${number(v.avg_processing, 2)} ms`), grades.processing(v), "video",
      none ? "" : i18n.t("most", { n: `${number(v.max_processing, 2)} ms` }));
    this.#figure("size", camera.frame_bytes ? bytes(camera.frame_bytes) : NONE, v.width ? v.resolution.replace("x", "×") : "", "video");
    this.#figure("interval", pictures(`${number(v.avg_interval * 1000)} ms`), pictures(`${number(v.min_interval * 1000)} – ${number(v.max_interval * 1000)}`), "video");
    this.#figure("total", number(v.total_frames), camera.frames_refused ? i18n.t("refusedN", { n: number(camera.frames_refused) }) : "", "video");
    this.#figure("lost", `${number(v.lost_frames)} / ${number(v.late_frames)}`, i18n.t("lostLate"), "video");
    this.#figure("tagRate", i18n.t("aSecond", { n: rate(camera.tag_rate) }), i18n.t("tagsN", { n: number(camera.tags) }), "both");
    this.#figure("hub", ms(camera.hub_us_p50), camera.hub_us_p99 ? i18n.t("p99", { n: millis(camera.hub_us_p99) }) : "", "both",
      camera.hub_us_max && document.body.dataset.view === "video" ? i18n.t("most", { n: ms(camera.hub_us_max) }) : "");
    this.#figure("delay", camera.delay_ms === null ? NONE : `${number(camera.delay_ms, 1)} ms`, camera.delay_ms === null ? "" : i18n.t("most", { n: `${number(camera.delay_ms_max, 0)} ms` }), "video");
  }

  // note: words, or a grade with its word.
  #figure(name, value, note, where, more = "") {
    if (!this.rows.has(name)) {
      const made = element("div", { "data-figure": name }, element("dt"), element("dd", { class: "figure-value" }), element("dd", { class: "figure-note" }));
      this.rows.set(name, made);
      this.parts.figures.append(made);
    }
    const node = this.rows.get(name);
    const graded = Array.isArray(note);
    node.hidden = where === "video" && document.body.dataset.view !== "video";
    node.dataset.grade = graded ? note[0] : "";
    setText(node.children[0], this.i18n.t(`figure_${name}`));
    setText(node.children[1], value);
    setText(node.children[2], [graded ? (note[0] === "none" ? "" : this.i18n.t(note[1])) : note, more].filter(Boolean).join(" · "));
    node.title = this.i18n.t(`help_${name}`);
  }
}
