// The three lamps of the header: connection, sound, panel. Label, word and shape, never colour alone.

import { byId, element, setText } from "../shared/dom.js";

const LINK = {
  up: ["ok", "linkUp"],
  connecting: ["warn", "linkConnecting"],
  stale: ["warn", "linkStale"],
  down: ["bad", "linkDown"],
};

function lamp(name) {
  const dot = element("span", { class: "dot", "aria-hidden": "true" });
  const label = element("span", { class: "lamp-label" });
  const word = element("span", { class: "lamp-word" });
  const item = element("li", { class: "lamp", id: `state-${name}` }, dot, label, word);
  return { item, dot, label, word };
}

export class States {
  constructor({ i18n, player, volume }) {
    Object.assign(this, { i18n, player, volume });
    this.link = "connecting";
    this.state = null;
    this.lamps = { link: lamp("link"), audio: lamp("audio"), device: lamp("device") };
    byId("states").append(...Object.values(this.lamps).map((one) => one.item));
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
    const [linkState, linkKey] = LINK[this.link];
    this.#set("link", linkState, this.i18n.t(linkKey));
    this.#audio();
    this.#device();
  }

  #audio() {
    const { unlocked } = this.player;
    const { silent } = this.volume;
    document.body.dataset.audio = !unlocked ? "locked" : silent ? "muted" : "on";
    const key = !unlocked ? "audioLocked" : silent ? "audioMuted" : "audioOn";
    this.#set("audio", !unlocked ? "bad" : silent ? "warn" : "ok", this.i18n.t(key));
  }

  #device() {
    const known = this.state && this.link === "up";
    const serial = known ? Boolean(this.state.serial) : null;
    document.body.dataset.device = serial === null ? "unknown" : serial ? "ok" : "lost";
    if (!known) this.#set("device", "none", this.i18n.t("deviceUnknown"));
    else this.#set("device", serial ? "ok" : "bad", serial ? this.i18n.t("cause_ok") : this.cause());
  }

  #set(name, state, word) {
    const { item, dot, label, word: node } = this.lamps[name];
    dot.dataset.state = state;
    setText(label, this.i18n.t(name));
    setText(node, word);
    item.title = `${label.textContent}: ${word}`;
  }
}
