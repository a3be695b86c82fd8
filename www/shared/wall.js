// The cards of all cameras, kept in order, and who is whose neighbour. A page's wall extends this
// and says: keyOf(camera), compare(a, b), makeCard(key), and what removeCard(key, card) does besides.
// A card has: node, picture, show(camera), update(), tick().

import { byId } from "./dom.js";

export const byName = (a, b) => a.localeCompare(b, undefined, { numeric: true });

export class CameraWall extends EventTarget {
  constructor({ i18n, tickMs }) {
    super();
    this.cards = new Map();
    this.cameras = [];
    i18n.addEventListener("change", () => this.update());
    setInterval(() => this.each((card) => card.tick()), tickMs);
  }

  show(cameras) {
    this.cameras = [...cameras].sort((a, b) => this.compare(a, b));
    const there = new Set(cameras.map((camera) => this.keyOf(camera)));
    for (const [key, card] of this.cards) if (!there.has(key)) this.removeCard(key, card);
    this.cameras.forEach((camera, at) => this.#place(camera, at));
    byId("wall-empty").hidden = cameras.length > 0;
  }

  update() {
    this.each((card) => card.update());
  }

  camera(key) {
    return this.cameras.find((camera) => this.keyOf(camera) === key) ?? null;
  }

  // The camera `step` places behind that one, around the end.
  neighbour(key, step) {
    const at = this.cameras.findIndex((camera) => this.keyOf(camera) === key);
    return this.cameras[(at + step + this.cameras.length) % this.cameras.length] ?? null;
  }

  removeCard(key, card) {
    card.picture.close();
    card.node.remove();
    this.cards.delete(key);
  }

  each(act) {
    for (const card of this.cards.values()) act(card);
  }

  #place(camera, at) {
    const key = this.keyOf(camera), room = byId("wall");
    if (!this.cards.has(key)) this.cards.set(key, this.makeCard(key));
    const card = this.cards.get(key);
    if (room.children[at] !== card.node) room.insertBefore(card.node, room.children[at] ?? null);
    card.show(camera);
  }
}
