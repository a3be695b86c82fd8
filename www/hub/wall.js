// The cards of all cameras: those that are there first, and of them those with pictures.

import { byId, emit } from "../shared/dom.js";
import { Card } from "./card.js";

const LIVE_MOST = 2; // a browser keeps six connections to a server, and needs some for the rest
const LIVE_FPS = 3; // slower ones come as soon by being fetched when the hub tells of them

// Event: "open" id.
export class Wall extends EventTarget {
  constructor(parts) {
    super();
    this.parts = parts;
    this.cards = new Map();
    this.cameras = [];
    this.watch = new IntersectionObserver((entries) => this.#seen(entries));
    parts.i18n.addEventListener("change", () => this.update());
    document.addEventListener("visibilitychange", () => this.arrange());
    setInterval(() => this.#each((card) => card.tick()), 500);
  }

  show(cameras) {
    const { words } = this.parts;
    const rank = (camera) => (words.state(camera) === "gone" ? 2 : 0) + (camera.frame_ms ? 0 : 1);
    this.cameras = [...cameras].sort(
      (a, b) => rank(a) - rank(b) || words.name(a.id).localeCompare(words.name(b.id), undefined, { numeric: true }),
    );
    const there = new Set(cameras.map((camera) => camera.id));
    for (const [id, card] of this.cards) if (!there.has(id)) this.#remove(id, card);
    const room = byId("wall");
    this.cameras.forEach((camera, i) => {
      const card = this.cards.get(camera.id) ?? this.#add(camera.id);
      if (room.children[i] !== card.node) room.insertBefore(card.node, room.children[i] ?? null);
      card.show(camera);
    });
    byId("wall-empty").hidden = cameras.length > 0;
    room.dataset.count = cameras.length;
    this.arrange();
  }

  update() {
    this.#each((card) => card.update());
    this.arrange();
  }

  camera(id) {
    return this.cameras.find((camera) => camera.id === id) ?? null;
  }

  // The camera `step` places behind that one, around the end.
  neighbour(id, step) {
    const at = this.cameras.findIndex((camera) => camera.id === id);
    return this.cameras[(at + step + this.cameras.length) % this.cameras.length] ?? null;
  }

  // Which cards get a stream of their own, and which fetch nothing because nobody sees them.
  arrange() {
    let streams = 0;
    for (const camera of this.cameras) {
      const card = this.cards.get(camera.id);
      const visible = card.inSight && !document.hidden;
      const fast = visible && camera.video.current_fps > LIVE_FPS && streams < LIVE_MOST;
      streams += fast;
      card.setPicture(visible ? (fast ? "live" : "shown") : "off");
    }
  }

  #add(id) {
    const card = new Card(this.parts);
    this.cards.set(id, card);
    card.node.dataset.camera = id;
    card.addEventListener("open", () => emit(this, "open", id));
    this.watch.observe(card.node);
    return card;
  }

  #remove(id, card) {
    this.watch.unobserve(card.node);
    card.picture.close();
    card.node.remove();
    this.cards.delete(id);
  }

  #seen(entries) {
    for (const entry of entries) {
      const card = this.cards.get(entry.target.dataset.camera);
      if (card) card.inSight = entry.isIntersecting;
    }
    this.arrange();
  }

  #each(act) {
    for (const card of this.cards.values()) act(card);
  }
}
