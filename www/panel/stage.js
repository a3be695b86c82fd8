// The stage: number, picture, progress, what is being waited for.

import { byId, emit, setText } from "../shared/dom.js";
import { setIcon } from "../shared/icons.js";
import { pad } from "./ids.js";

const clock = (seconds) => {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

export class Stage extends EventTarget {
  constructor({ session, player, media, i18n }) {
    super();
    Object.assign(this, { session, player, media, i18n });
    this.picture = byId("picture");
    this.pictureMissing = false;
    this.silent = false;
    this.second = "";
    session.addEventListener("change", () => this.#changed());
    player.addEventListener("progress", (event) => this.#progress(event.detail));
    player.addEventListener("silent", () => this.#update((this.silent = true)));
    media.addEventListener("progress", () => this.#message(session.shown));
    for (const type of ["start", "pause", "resume", "unlock"]) {
      player.addEventListener(type, () => this.#update());
    }
    i18n.addEventListener("change", () => this.#update());
    this.picture.addEventListener("load", () => this.#loaded(true));
    this.picture.addEventListener("error", () => this.#loaded(false));
    this.#update();
  }

  #changed() {
    this.silent = false;
    const { shown } = this.session;
    this.pictureMissing = shown !== null && this.media.result(shown).picture === "missing";
    this.#progress({ time: 0, duration: 0 });
    this.picture.hidden = true;
    if (shown === null || this.pictureMissing) this.picture.removeAttribute("src");
    else this.picture.src = this.media.picture(shown).url;
    this.#update();
  }

  #loaded(found) {
    if (this.session.shown === null) return;
    this.picture.hidden = !found;
    this.pictureMissing = !found;
    if (!found) emit(this, "nopicture", this.session.shown);
    this.#update();
  }

  #word() {
    if (this.session.shown === null) return "idle";
    if (this.session.pending) return "pending";
    if (this.player.paused) return "paused";
    return this.silent ? "silent" : "playing";
  }

  #update() {
    const { shown } = this.session;
    const word = this.#word();
    document.body.dataset.play = word;
    setText(byId("stage-id"), shown === null ? "---" : pad(shown));
    setText(byId("stage-state"), this.i18n.t(word));
    this.picture.alt = shown === null ? "" : this.i18n.t("pictureAlt", { id: pad(shown) });
    this.#message(shown);
    this.#unlock(shown);
    this.#pause(word);
  }

  #message(shown) {
    const { i18n } = this;
    byId("message").hidden = shown !== null && !this.pictureMissing;
    byId("message").dataset.kind = this.pictureMissing ? "missing" : "waiting";
    setIcon(byId("message"), this.pictureMissing ? "nopicture" : "tap");
    setText(byId("message-text"), i18n.t(this.pictureMissing ? "noPicture" : "waiting"));
    setText(byId("message-detail"), shown === null ? this.#detail() : "");
  }

  #detail() {
    const { done, total } = this.media.progress();
    if (done < total) return this.i18n.t("loading", { done, total });
    return this.player.unlocked ? "" : this.i18n.t("waitingLocked");
  }

  #unlock(shown) {
    byId("unlock").hidden = this.player.unlocked;
    byId("unlock").dataset.over = shown === null ? "nothing" : "picture";
    const key = this.session.pending ? "unlockPending" : "unlock";
    setText(byId("unlock-text"), this.i18n.t(key, { id: shown === null ? "" : pad(shown) }));
  }

  #pause(word) {
    byId("pause").disabled = word !== "playing" && word !== "paused";
    setIcon(byId("pause"), word === "paused" ? "play" : "pause");
    setText(byId("pause-text"), this.i18n.t(word === "paused" ? "resume" : "pause"));
  }

  #progress({ time, duration }) {
    const share = duration ? Math.min(1, time / duration) : 0;
    byId("progress-fill").style.transform = `scaleX(${share})`;
    const text = `${clock(time)} / ${clock(Math.round(duration))}`;
    if (text === this.second) return;
    this.second = text;
    setText(byId("time"), text);
    byId("progress").setAttribute("aria-valuenow", Math.round(share * 100));
    byId("progress").setAttribute("aria-valuetext", text);
  }
}
