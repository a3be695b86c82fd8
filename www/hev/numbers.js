// The figures of the last breath, each with its unit, what is set, and where it comes from.

import { byId, element, setText } from "../shared/dom.js";
import { NONE, number } from "../shared/format.js";

const TILES = [
  { key: "pip", unit: "cmH₂O", digits: 1, kind: "pressure" },
  { key: "peep", unit: "cmH₂O", digits: 1, kind: "pressure" },
  { key: "plateau", unit: "cmH₂O", digits: 1, kind: "pressure" },
  { key: "rr", unit: "/min", digits: 0, kind: "flow" },
  { key: "vte", unit: "ml", digits: 0, kind: "volume" },
  { key: "vti", unit: "ml", digits: 0, kind: "volume" },
  { key: "mve", unit: "l/min", digits: 1, kind: "volume" },
  { key: "fio2", unit: "%", digits: 0, kind: "gas" },
  { key: "ie", unit: "", digits: 1, kind: "flow" },
];

class Tile {
  constructor({ key, unit, digits, kind }) {
    Object.assign(this, { key, digits });
    this.name = element("span");
    this.value = element("output", { class: "tile-value" }, NONE);
    this.note = element("span", { class: "tile-note" });
    const name = element("dt", {}, this.name, element("span", { class: "tile-unit" }, unit));
    const amount = element("dd", {}, this.value, this.note);
    this.node = element("dl", { class: "tile card", "data-kind": kind, "data-number": key }, name, amount);
  }

  show(i18n, found, target) {
    const text = found ? number(found[0], this.digits) : NONE;
    const set = target === undefined ? "" : i18n.t("target", { value: number(target, this.digits % 2) });
    const from = found?.[1] === "breaths" ? i18n.t("computed") : "";
    setText(this.name, i18n.t(this.key));
    this.name.title = i18n.t(`${this.key}Long`);
    setText(this.value, found && this.key === "ie" ? `1:${text}` : text);
    setText(this.note, [set, from].filter(Boolean).join(" · "));
    this.node.dataset.known = Boolean(found);
  }
}

export class Numbers {
  constructor({ i18n }) {
    this.i18n = i18n;
    this.tiles = TILES.map((tile) => new Tile(tile));
    this.state = null;
    byId("numbers").append(...this.tiles.map((tile) => tile.node));
    i18n.addEventListener("change", () => this.#update());
    this.#update();
  }

  show(state) {
    this.state = state;
    this.#update();
  }

  #update() {
    const { numbers = {}, targets = {} } = this.state ?? {};
    for (const tile of this.tiles) tile.show(this.i18n, numbers[tile.key], targets[tile.key]);
  }
}
