// The table of the newest detection of each camera and tag.

import { byId, element, setText } from "../shared/dom.js";
import { NONE, number } from "../shared/format.js";

const REDRAW_MS = 100;
const OLD_MS = 5000;
const COLUMNS = ["camera", "tag", "x_cm", "y_cm", "z_cm", "range_cm", "yaw", "pitch", "roll", "decision_margin", "via", "hub", "delay", "n", "age"];
const CELLS = {
  camera: (row, words) => words.name(row.camera),
  tag: (row) => row.name,
  via: (row, words) => words.via(row.via),
  hub: (row) => `${number(row.hub_us / 1000, 2)} ms`,
  delay: (row) => (row.delay_ms === null ? NONE : `${number(row.delay_ms, 1)} ms`),
  n: (row) => number(row.n),
  age: (row, words) => words.age(row.at_ms),
};
const value = (row, column) => (Number.isFinite(row.tag[column]) ? number(row.tag[column], 1) : NONE);

export class Detections {
  constructor({ i18n, words, track }) {
    Object.assign(this, { i18n, words, track });
    this.rows = new Map();
    this.heads = COLUMNS.map((column) => element("th", { scope: "col", "data-column": column }));
    this.body = element("tbody");
    this.none = element("p", { class: "empty" });
    byId("detections").append(element("table", {}, element("thead", {}, element("tr", {}, ...this.heads)), this.body), this.none);
    i18n.addEventListener("change", () => this.#words());
    setInterval(() => [track.forget(), this.#draw()], 500);
    this.#words();
  }

  changed() {
    this.timer ??= setTimeout(() => [(this.timer = null), this.#draw()], REDRAW_MS);
  }

  #words() {
    this.heads.forEach((node, i) => setText(node, this.i18n.t(`column_${COLUMNS[i]}`)));
    setText(this.none, this.i18n.t("noTagYet"));
    this.#draw();
  }

  #draw() {
    if (document.hidden || document.body.dataset.view !== "status") return;
    const rows = this.track.sorted();
    const keys = new Set(rows.map((row) => row.key));
    for (const [key, node] of this.rows) if (!keys.has(key)) [node.remove(), this.rows.delete(key)];
    rows.forEach((row, i) => {
      const node = this.rows.get(row.key) ?? this.#add(row);
      if (this.body.children[i] !== node) this.body.insertBefore(node, this.body.children[i] ?? null);
      this.#fill(node, row);
    });
    this.none.hidden = rows.length > 0;
    this.body.parentNode.hidden = rows.length === 0;
  }

  #add(row) {
    const node = element("tr", { "data-camera": row.camera, "data-tag": row.name }, ...COLUMNS.map((column) => element("td", { "data-column": column })));
    this.rows.set(row.key, node);
    return node;
  }

  #fill(node, row) {
    COLUMNS.forEach((column, i) => setText(node.children[i], (CELLS[column] ?? value)(row, CELLS[column] ? this.words : column)));
    node.style.setProperty("--camera", this.words.colour(row.camera));
    node.dataset.old = this.words.now() - row.at_ms > OLD_MS;
  }
}
