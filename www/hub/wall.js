// The cards of all cameras: those that are there first, and of them those with pictures.

import { byId, emit } from "../shared/dom.js";
import { CameraWall, byName } from "../shared/wall.js";
import { Card } from "./card.js";

const LIVE_MOST = 2; // a browser keeps six connections to a server, and needs some for the rest
const LIVE_FPS = 3; // slower ones come as soon by being fetched when the hub tells of them
const TICK_MS = 500;

// Event: "open" id.
export class Wall extends CameraWall {
  constructor(parts) {
    super({ i18n: parts.i18n, tickMs: TICK_MS });
    this.parts = parts;
    this.watch = new IntersectionObserver((entries) => this.#seen(entries));
    document.addEventListener("visibilitychange", () => this.arrange());
  }

  show(cameras) {
    super.show(cameras);
    byId("wall").style.setProperty("--count", cameras.length);
    this.arrange();
  }

  update() {
    super.update();
    this.arrange();
  }

  keyOf(camera) {
    return camera.id;
  }

  compare(a, b) {
    const { words } = this.parts;
    const rank = (camera) => (words.state(camera) === "gone" ? 2 : 0) + (camera.frame_ms ? 0 : 1);
    return rank(a) - rank(b) || byName(words.name(a.id), words.name(b.id));
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

  makeCard(id) {
    const card = new Card(this.parts);
    card.node.dataset.camera = id;
    card.addEventListener("open", () => emit(this, "open", id));
    this.watch.observe(card.node);
    return card;
  }

  removeCard(id, card) {
    this.watch.unobserve(card.node);
    super.removeCard(id, card);
  }

  #seen(entries) {
    for (const entry of entries) {
      const card = this.cards.get(entry.target.dataset.camera);
      if (card) card.inSight = entry.isIntersecting;
    }
    this.arrange();
  }
}
