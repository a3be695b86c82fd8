// An audible alarm for whoever wants one: three tones for medium, five for high priority, again and
// again while such an alarm stands. Off until somebody turns it on.

import { byId } from "../shared/dom.js";
import { setIcon } from "../shared/icons.js";
import { load, save } from "../shared/store.js";

const KEY = "tapline.hev.sound";
const TONE_S = 0.16;
const PATTERN = {
  high: { tones: [988, 784, 659, 988, 784], every: 8000 },
  medium: { tones: [659, 587, 659], every: 15000 },
  low: { tones: [523], every: 30000 },
};

export class Sound {
  constructor({ i18n }) {
    this.i18n = i18n;
    this.on = load(KEY, false) === true;
    this.worst = "none";
    this.timer = 0;
    byId("sound").addEventListener("click", () => this.toggle());
    i18n.addEventListener("change", () => this.#show());
    // A page that was loaded with the sound on may not make any before somebody touches it.
    for (const type of ["pointerdown", "keydown"]) addEventListener(type, () => this.on && this.#wake());
    this.#show();
  }

  toggle() {
    this.on = !this.on;
    save(KEY, this.on);
    if (this.on) this.#wake();
    this.#show();
    this.#schedule(0);
  }

  // priority of the most urgent alarm
  setWorst(priority) {
    if (priority === this.worst) return;
    this.worst = priority;
    this.#schedule(0);
  }

  #wake() {
    this.context ??= new AudioContext();
    if (this.context.state === "suspended") this.context.resume().then(() => this.#show());
  }

  #schedule(wait) {
    clearTimeout(this.timer);
    const pattern = PATTERN[this.worst];
    if (!this.on || !pattern) return;
    this.timer = setTimeout(() => {
      this.#play(pattern.tones);
      this.#schedule(pattern.every);
    }, wait);
  }

  #play(tones) {
    const { context } = this;
    if (context?.state !== "running") return;
    tones.forEach((frequency, i) => {
      const start = context.currentTime + i * (TONE_S + 0.06) + (i > 2 ? 0.15 : 0);
      const gain = new GainNode(context, { gain: 0 });
      const tone = new OscillatorNode(context, { frequency, type: "triangle" });
      gain.gain.setTargetAtTime(0.25, start, 0.01);
      gain.gain.setTargetAtTime(0, start + TONE_S, 0.02);
      tone.connect(gain).connect(context.destination);
      tone.start(start);
      tone.stop(start + TONE_S + 0.2);
    });
  }

  #show() {
    const button = byId("sound");
    button.setAttribute("aria-pressed", String(this.on));
    const heard = this.context?.state === "running";
    button.dataset.blocked = this.on && !heard;
    button.dataset.i18nLabel = !this.on ? "soundOff" : heard ? "soundOn" : "soundBlocked";
    button.title = this.i18n.t(button.dataset.i18nLabel);
    button.setAttribute("aria-label", button.title);
    setIcon(button, this.on ? "sound" : "muted");
  }
}
