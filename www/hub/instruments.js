// Angles and distances of one camera as instruments: an artificial horizon for pitch and roll, a dial
// for yaw, and the numbers.

import { byId, element, setText } from "../shared/dom.js";
import { NONE, number } from "../shared/format.js";

const SVG = "http://www.w3.org/2000/svg";
const STALE_MS = 4000;
const LEFT_MS = 6000;
const ANGLES = ["yaw", "pitch", "roll"];
const VALUES = [["range_cm", "cm"], ["x_cm", "cm"], ["y_cm", "cm"], ["z_cm", "cm"], ["decision_margin", ""]];
const PX_PER_DEGREE = 1.6;

function draw(width, height, markup) {
  const node = document.createElementNS(SVG, "svg");
  node.setAttribute("viewBox", `0 0 ${width} ${height}`);
  node.setAttribute("aria-hidden", "true");
  node.innerHTML = markup;
  return node;
}

// Every ten degrees a line, longer every thirty; markup of our own numbers only.
function ladder() {
  const line = (p) => `<path d="M${p % 30 ? -9 : -18} ${-p * PX_PER_DEGREE}H${p % 30 ? 9 : 18}"/>`;
  return [-60, -50, -40, -30, -20, -10, 10, 20, 30, 40, 50, 60].map(line).join("");
}

const HORIZON = `<defs><clipPath id="horizon-glass"><circle r="46"/></clipPath></defs>
<g class="dial" transform="translate(50 50)"><g clip-path="url(#horizon-glass)"><g data-part="roll"><g data-part="pitch">
<rect class="sky" x="-100" y="-200" width="200" height="200"/><rect class="earth" x="-100" y="0" width="200" height="200"/>
<path class="level" d="M-100 0H100"/><g class="ladder">${ladder()}</g></g></g></g>
<circle class="rim" r="46"/><path class="plane" d="M-28 0H-10L-5 5M28 0H10L5 5M0 -1.5V1.5"/></g>`;

function ticks() {
  let d = "";
  for (let a = -90; a <= 90; a += 15) {
    const [s, c] = [Math.sin((a * Math.PI) / 180), Math.cos((a * Math.PI) / 180)];
    const inner = a % 45 ? 41 : 37;
    d += `M${(s * inner).toFixed(1)} ${(-c * inner).toFixed(1)}L${(s * 46).toFixed(1)} ${(-c * 46).toFixed(1)}`;
  }
  return d;
}

const COMPASS = `<g class="dial" transform="translate(50 50)"><circle class="rim" r="46"/><path class="ticks" d="${ticks()}"/>
<g data-part="yaw"><path class="beam" d="M0 8L-17 -34A38 38 0 0 1 17 -34Z"/><path class="needle" d="M0 -40L4 6H-4Z"/></g><circle class="hub" r="4"/></g>`;

export class Instruments {
  constructor({ i18n, words, track }) {
    Object.assign(this, { i18n, words, track });
    this.chosen = ""; // "" stays with one as long as that sees tags
    this.followed = "";
    this.cameras = [];
    this.chips = new Map();
    this.#build();
    i18n.addEventListener("change", () => this.#words());
    setInterval(() => this.changed(), 500);
    this.#words();
  }

  show(cameras) {
    this.cameras = cameras;
    if (this.chosen && !cameras.some((camera) => camera.id === this.chosen)) this.chosen = "";
    this.#choices();
    this.changed();
  }

  choose(id) {
    this.chosen = id === this.chosen ? "" : id;
    this.#choices();
    this.changed();
  }

  changed() {
    const row = this.#row();
    const { tag } = row ?? { tag: {} };
    const stale = !row || this.words.now() - row.at_ms > STALE_MS;
    this.room.dataset.stale = stale;
    this.room.dataset.camera = row?.camera ?? "";
    this.room.style.setProperty("--camera", row ? this.words.colour(row.camera) : "");
    setText(this.title, row ? `${this.words.name(row.camera)} · Tag ${row.name}` : this.i18n.t("noTagNow"));
    setText(this.age, row ? this.i18n.t("ago", { time: this.words.age(row.at_ms) }) : "");
    this.#angles(tag);
    for (const [key, unit] of VALUES) setText(this.values[key].lastChild, Number.isFinite(tag[key]) ? `${number(tag[key], 1)} ${unit}` : NONE);
  }

  #row() {
    if (this.chosen) return this.track.newest.get(this.chosen);
    const { newest } = this.track;
    const followed = newest.get(this.followed);
    if (followed && this.words.now() - followed.at_ms < LEFT_MS) return followed;
    const latest = [...newest.values()].reduce((best, row) => (best && best.at_ms >= row.at_ms ? best : row), undefined);
    this.followed = latest?.camera ?? "";
    return latest;
  }

  #angles(tag) {
    const angle = (key) => (Number.isFinite(tag[key]) ? tag[key] : 0);
    this.parts.yaw.setAttribute("transform", `rotate(${angle("yaw")})`);
    this.parts.roll.setAttribute("transform", `rotate(${-angle("roll")})`);
    this.parts.pitch.setAttribute("transform", `translate(0 ${angle("pitch") * PX_PER_DEGREE})`);
    for (const key of ANGLES) setText(this.values[key].lastChild, Number.isFinite(tag[key]) ? `${number(tag[key], 1)}°` : NONE);
  }

  #build() {
    this.room = byId("instruments");
    this.title = element("h3", { class: "instruments-title" });
    this.age = element("p", { class: "part-note" });
    this.choice = element("div", { class: "chips", role: "group" });
    const compass = draw(100, 100, COMPASS), horizon = draw(100, 100, HORIZON);
    this.parts = Object.fromEntries([...[compass, horizon].flatMap((dial) => [...dial.querySelectorAll("[data-part]")])].map((node) => [node.dataset.part, node]));
    this.values = Object.fromEntries([...ANGLES, ...VALUES.map(([key]) => key)].map((key) => [key, element("div", { "data-value": key }, element("dt"), element("dd"))]));
    this.room.append(
      this.choice,
      element("header", { class: "instruments-head" }, this.title, this.age),
      element("div", { class: "dials" },
        element("figure", {}, compass, element("dl", {}, this.values.yaw)),
        element("figure", {}, horizon, element("dl", {}, this.values.pitch, this.values.roll))),
      element("dl", { class: "instruments-values" }, ...VALUES.map(([key]) => this.values[key])),
    );
  }

  #choices() {
    const ids = this.cameras.map((camera) => camera.id).sort((a, b) => this.words.name(a).localeCompare(this.words.name(b), undefined, { numeric: true }));
    for (const [id, node] of this.chips) if (!ids.includes(id)) [node.remove(), this.chips.delete(id)];
    ids.forEach((id, i) => {
      const node = this.chips.get(id) ?? this.#chip(id);
      setText(node.lastChild, this.words.name(id));
      node.style.setProperty("--camera", this.words.colour(id));
      node.setAttribute("aria-pressed", String(id === this.chosen));
      if (this.choice.children[i] !== node) this.choice.insertBefore(node, this.choice.children[i] ?? null);
    });
    this.choice.hidden = ids.length < 2;
  }

  #chip(id) {
    const node = element("button", { class: "chip", type: "button", onclick: () => this.choose(id) },
      element("span", { class: "cam-colour", "aria-hidden": "true" }), element("span"));
    this.chips.set(id, node);
    return node;
  }

  #words() {
    for (const [key, node] of Object.entries(this.values)) setText(node.firstChild, this.i18n.t(`value_${key}`));
    this.choice.setAttribute("aria-label", this.i18n.t("chooseCamera"));
    this.changed();
  }
}
