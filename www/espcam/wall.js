// The cards of all cameras, those with names first.

import { emit } from "../shared/dom.js";
import { CameraWall, byName } from "../shared/wall.js";
import { Card } from "./card.js";
import { nameOf } from "./words.js";

const LIVE_MOST = 4; // a browser keeps six connections to a server, and needs some for the rest
const TICK_MS = 1000;

// Events: "open" mac, "sleep" mac.
export class Wall extends CameraWall {
  constructor(parts) {
    super({ i18n: parts.i18n, tickMs: TICK_MS });
    this.parts = parts;
    this.live = []; // MACs, oldest first
  }

  keyOf(camera) {
    return camera.mac;
  }

  compare(a, b) {
    return Number(!a.name) - Number(!b.name) || byName(nameOf(a), nameOf(b));
  }

  setLive(mac, on) {
    this.live = this.live.filter((one) => one !== mac);
    if (on) this.live.push(mac);
    if (this.live.length > LIVE_MOST) this.setLive(this.live[0], false);
    this.cards.get(mac)?.setLive(on);
  }

  makeCard(mac) {
    const card = new Card(this.parts);
    card.addEventListener("open", () => emit(this, "open", mac));
    card.addEventListener("sleep", () => emit(this, "sleep", mac));
    card.addEventListener("live", (event) => this.setLive(mac, event.detail));
    return card;
  }

  removeCard(mac, card) {
    this.setLive(mac, false);
    super.removeCard(mac, card);
  }
}
