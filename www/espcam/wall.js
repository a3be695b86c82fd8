// The cards of all cameras, those with names first.

import { byId, emit } from "../shared/dom.js";
import { Card } from "./card.js";
import { nameOf } from "./words.js";

const LIVE_MOST = 4; // a browser keeps six connections to a server, and needs some for the rest

const order = (a, b) =>
  Number(!a.name) - Number(!b.name) || nameOf(a).localeCompare(nameOf(b), undefined, { numeric: true });

// Events: "open" mac, "sleep" mac.
export class Wall extends EventTarget {
  constructor(parts) {
    super();
    this.parts = parts;
    this.cards = new Map();
    this.cameras = [];
    this.live = []; // MACs, oldest first
    parts.i18n.addEventListener("change", () => this.#each((card) => card.update()));
    setInterval(() => this.#each((card) => card.tick()), 1000);
  }

  show(cameras) {
    this.cameras = [...cameras].sort(order);
    const there = new Set(cameras.map((camera) => camera.mac));
    for (const [mac, card] of this.cards) if (!there.has(mac)) this.#remove(mac, card);
    const room = byId("wall");
    this.cameras.forEach((camera, i) => {
      const card = this.cards.get(camera.mac) ?? this.#add(camera.mac);
      if (room.children[i] !== card.node) room.insertBefore(card.node, room.children[i] ?? null);
      card.show(camera);
    });
    byId("wall-empty").hidden = cameras.length > 0;
  }

  camera(mac) {
    return this.cameras.find((camera) => camera.mac === mac) ?? null;
  }

  // The camera `step` places behind that one, around the end.
  neighbour(mac, step) {
    const at = this.cameras.findIndex((camera) => camera.mac === mac);
    return this.cameras[(at + step + this.cameras.length) % this.cameras.length] ?? null;
  }

  setLive(mac, on) {
    this.live = this.live.filter((one) => one !== mac);
    if (on) this.live.push(mac);
    if (this.live.length > LIVE_MOST) this.setLive(this.live[0], false);
    this.cards.get(mac)?.setLive(on);
  }

  #add(mac) {
    const card = new Card(this.parts);
    this.cards.set(mac, card);
    card.addEventListener("open", () => emit(this, "open", mac));
    card.addEventListener("sleep", () => emit(this, "sleep", mac));
    card.addEventListener("live", (event) => this.setLive(mac, event.detail));
    return card;
  }

  #remove(mac, card) {
    this.setLive(mac, false);
    card.picture.close();
    card.node.remove();
    this.cards.delete(mac);
  }

  #each(act) {
    for (const card of this.cards.values()) act(card);
  }
}
