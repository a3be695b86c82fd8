// The three lamps of the header: connection, sound, panel. Of these, sound is told here.

import { byId } from "../shared/dom.js";
import { Lamps } from "../shared/lamps.js";

export class States {
  constructor({ i18n, player, volume }) {
    Object.assign(this, { i18n, player, volume });
    this.lamps = new Lamps(byId("states"), i18n, ["link", "audio", "device"]);
    const update = () => this.#audio();
    i18n.addEventListener("change", update);
    player.addEventListener("unlock", update);
    player.addEventListener("blocked", update);
    volume.addEventListener("change", update);
    update();
  }

  #audio() {
    const { unlocked } = this.player;
    const { silent } = this.volume;
    document.body.dataset.audio = !unlocked ? "locked" : silent ? "muted" : "on";
    const key = !unlocked ? "audioLocked" : silent ? "audioMuted" : "audioOn";
    this.lamps.set("audio", !unlocked ? "bad" : silent ? "warn" : "ok", this.i18n.t(key));
  }
}
