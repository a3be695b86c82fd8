// The three lamps of the header: connection, sound, panel.

import { byId } from "../shared/dom.js";
import { LINK_LAMP, Lamps } from "../shared/lamps.js";

export class States {
  constructor({ i18n, player, volume }) {
    Object.assign(this, { i18n, player, volume });
    this.link = "connecting";
    this.state = null;
    this.lamps = new Lamps(byId("states"), i18n, ["link", "audio", "device"]);
    const update = () => this.#update();
    i18n.addEventListener("change", update);
    player.addEventListener("unlock", update);
    player.addEventListener("blocked", update);
    volume.addEventListener("change", update);
    update();
  }

  setLink(word) {
    this.link = word;
    this.#update();
  }

  setState(state) {
    this.state = state;
    this.#update();
  }

  // What the device lamp says, also for the notices.
  cause() {
    const cause = this.state?.cause;
    const key = `cause_${cause}`;
    return this.i18n.has(key) ? this.i18n.t(key) : String(cause ?? this.i18n.t("deviceUnknown"));
  }

  #update() {
    const [linkState, linkKey] = LINK_LAMP[this.link];
    this.lamps.set("link", linkState, this.i18n.t(linkKey));
    this.#audio();
    this.#device();
  }

  #audio() {
    const { unlocked } = this.player;
    const { silent } = this.volume;
    document.body.dataset.audio = !unlocked ? "locked" : silent ? "muted" : "on";
    const key = !unlocked ? "audioLocked" : silent ? "audioMuted" : "audioOn";
    this.lamps.set("audio", !unlocked ? "bad" : silent ? "warn" : "ok", this.i18n.t(key));
  }

  #device() {
    const known = this.state && this.link === "up";
    const serial = known ? Boolean(this.state.serial) : null;
    document.body.dataset.device = serial === null ? "unknown" : serial ? "ok" : "lost";
    if (!known) this.lamps.set("device", "none", this.i18n.t("deviceUnknown"));
    else this.lamps.set("device", serial ? "ok" : "bad", serial ? this.i18n.t("cause_ok") : this.cause());
  }
}
