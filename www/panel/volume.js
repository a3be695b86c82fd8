// Volume and mute, remembered. Event "change".

import { load, save } from "../shared/store.js";
import { emit } from "../shared/dom.js";

const VOLUME = "tapline.panel.volume";
const MUTED = "tapline.panel.muted";

export class Volume extends EventTarget {
  constructor(audio) {
    super();
    this.audio = audio;
    const level = Number(load(VOLUME, 1));
    audio.volume = level >= 0 && level <= 1 ? level : 1;
    audio.muted = load(MUTED, false) === true;
  }

  get level() {
    return this.audio.volume;
  }

  get silent() {
    return this.audio.muted || this.audio.volume === 0;
  }

  setLevel(level) {
    this.audio.volume = Math.min(1, Math.max(0, level));
    this.audio.muted = false;
    this.#keep();
  }

  toggle() {
    this.audio.muted = !this.silent;
    if (!this.audio.muted && this.audio.volume === 0) this.audio.volume = 0.5;
    this.#keep();
  }

  #keep() {
    save(VOLUME, this.audio.volume);
    save(MUTED, this.audio.muted);
    emit(this, "change");
  }
}
