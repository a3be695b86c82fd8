// Full screen, the kiosk view (picture and thin progress only) and the wake lock.

import { byId, emit } from "../shared/dom.js";

const REST_MS = 3000; // then pointer and leave button vanish

const fullscreenElement = () => document.fullscreenElement ?? document.webkitFullscreenElement ?? null;

function enterFullscreen() {
  const root = document.documentElement;
  const enter = root.requestFullscreen ?? root.webkitRequestFullscreen;
  return Promise.resolve(enter?.call(root, { navigationUI: "hide" })).catch(() => {});
}

function leaveFullscreen() {
  const leave = document.exitFullscreen ?? document.webkitExitFullscreen;
  return Promise.resolve(fullscreenElement() && leave?.call(document)).catch(() => {});
}

export class Kiosk extends EventTarget {
  constructor() {
    super();
    this.on = false;
    this.fullByKiosk = false;
    this.timer = 0;
    this.lock = null;
    this.awake = false;
    byId("kiosk-leave").addEventListener("click", () => this.set(false));
    document.addEventListener("fullscreenchange", () => this.#fullscreenChanged());
    document.addEventListener("visibilitychange", () => this.#holdAwake());
    for (const type of ["pointermove", "pointerdown"]) document.addEventListener(type, () => this.#stir());
  }

  get canFullscreen() {
    return Boolean(document.fullscreenEnabled ?? document.webkitFullscreenEnabled);
  }

  toggle() {
    this.set(!this.on);
  }

  set(on) {
    if (on === this.on) return;
    this.on = on;
    document.body.classList.toggle("kiosk", on);
    if (on) this.fill();
    else if (this.fullByKiosk) leaveFullscreen();
    this.fullByKiosk = on && this.fullByKiosk;
    this.#stir();
    emit(this, "change", on);
  }

  // The browser only grants this inside a gesture; ?kiosk=1 asks again at the first one.
  async fill() {
    if (!this.on || !this.canFullscreen || fullscreenElement()) return;
    await enterFullscreen();
    this.fullByKiosk = Boolean(fullscreenElement());
  }

  toggleFullscreen() {
    if (fullscreenElement()) leaveFullscreen();
    else enterFullscreen();
  }

  keepAwake() {
    this.awake = true;
    this.#holdAwake();
  }

  async #holdAwake() {
    if (!this.awake || this.lock || document.visibilityState !== "visible") return;
    try {
      this.lock = (await navigator.wakeLock?.request("screen")) ?? null;
      this.lock?.addEventListener("release", () => (this.lock = null));
    } catch {
      this.lock = null;
    }
  }

  #fullscreenChanged() {
    if (!fullscreenElement() && this.fullByKiosk) this.set(false);
  }

  #stir() {
    if (!this.on) return;
    document.body.classList.remove("resting");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => document.body.classList.add("resting"), REST_MS);
  }
}
