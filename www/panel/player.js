// One audio element, one id at a time. Knows nothing of the wire.
// Events: "unlock", "start" {id, latencyMs, cached}, "silent" id, "progress" {time, duration},
// "pause", "resume", "end" {id, reason: ended | silent}, "blocked" id.

import { emit } from "../shared/dom.js";
import { unlockAudio } from "./unlock.js";

const SILENT_MS = 4000; // how long a picture without sound is shown
const START_MS = 10000; // a sound that has not begun by then never will
const STEP_MS = 200;

export class Player extends EventTarget {
  constructor(audio, media) {
    super();
    this.audio = audio;
    this.media = media;
    this.unlocked = false;
    this.now = null; // {id, skipMs, asked, started, silent, timer}
    this.#listen();
  }

  get paused() {
    return Boolean(this.now?.paused);
  }

  // Plays what is current at the moment the element becomes free.
  async unlock({ byGesture }) {
    if (this.unlocked) return true;
    const free = await unlockAudio(this.audio, { byGesture });
    if (free && !this.unlocked) {
      this.unlocked = true;
      emit(this, "unlock");
    }
    return free;
  }

  play(id, skipMs = 0) {
    this.stop();
    const { url, cached } = this.media.sound(id);
    this.now = { id, skipMs, cached, asked: performance.now(), started: false };
    if (this.media.result(id).sound === "missing") {
      this.#goSilent();
      return;
    }
    this.now.timer = setTimeout(() => this.#goSilent(), START_MS);
    this.audio.src = url;
    this.#run(this.now);
  }

  stop() {
    if (!this.now) return;
    clearInterval(this.now.timer);
    this.now = null;
    this.audio.pause();
  }

  toggle() {
    if (!this.now?.started) return;
    if (this.now.paused) this.#run(this.now);
    else this.audio.pause();
  }

  #run(now) {
    this.audio.play()?.catch((error) => {
      if (this.now !== now || error.name !== "NotAllowedError") return;
      this.unlocked = false;
      this.stop();
      emit(this, "blocked", now.id);
    });
  }

  #listen() {
    const on = (type, act) => this.audio.addEventListener(type, () => this.now && act(this.now));
    on("loadedmetadata", (now) => this.#skip(now));
    on("playing", (now) => this.#playing(now));
    on("timeupdate", (now) => now.started && this.#tell(this.audio.currentTime, this.audio.duration));
    on("pause", (now) => this.#paused(now));
    // An event may still come from what was stopped a moment ago; the element tells the truth.
    on("ended", (now) => this.audio.ended && !now.silent && this.#end(now, "ended"));
    on("error", () => this.audio.error && this.#goSilent());
  }

  // Joins a playback that began elsewhere.
  #skip(now) {
    if (!now.skipMs || now.silent) return;
    const target = (now.skipMs + performance.now() - now.asked) / 1000;
    now.skipMs = 0;
    if (target >= this.audio.duration) this.#end(now, "ended");
    else this.audio.currentTime = target;
  }

  #playing(now) {
    if (now.silent) return;
    if (now.paused) {
      now.paused = false;
      emit(this, "resume");
    }
    if (now.started) return;
    now.started = true;
    clearTimeout(now.timer);
    emit(this, "start", { id: now.id, latencyMs: performance.now() - now.asked, cached: now.cached });
  }

  #paused(now) {
    if (!now.started || this.audio.ended) return;
    now.paused = true;
    emit(this, "pause");
  }

  // No sound to be had: show the picture for a while, then end as if it had played.
  #goSilent() {
    const now = this.now;
    if (now.silent) return;
    clearInterval(now.timer);
    now.silent = true;
    emit(this, "silent", now.id);
    const began = performance.now() - now.skipMs;
    now.timer = setInterval(() => {
      const passed = performance.now() - began;
      this.#tell(Math.min(passed, SILENT_MS) / 1000, SILENT_MS / 1000);
      if (passed >= SILENT_MS) this.#end(now, "silent");
    }, STEP_MS);
  }

  #tell(time, duration) {
    emit(this, "progress", { time, duration: Number.isFinite(duration) ? duration : 0 });
  }

  #end(now, reason) {
    this.stop();
    emit(this, "end", { id: now.id, reason });
  }
}
