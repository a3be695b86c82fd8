// An <img> that shows the newest picture of a camera: each one fetched when it is told of, or, live,
// as it comes. The old one stays until the new one is there. dataset.state: empty | shown | live | lost.
//
// source says of a camera: id, time (ms of its newest picture, or null), newest and stream (addresses),
// saved (address of a picture that may be had when newest is not, or "").

import { readPictures } from "./multipart.js";

const RETRY_MS = 1000;
const LONGEST_MS = 8000;
const BEHIND_MS = 150; // the rules may hear of a picture before the server has it
const BEHIND_TRIES = 4;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// The server's ETag begins with the picture's time in nanoseconds, in hex.
function timeOf(answer) {
  const hex = /^"([0-9a-f]+)-/.exec(answer.headers.get("ETag") ?? "")?.[1];
  return hex ? Number(BigInt(`0x${hex}`) / 1000000n) : Infinity;
}

export class Picture {
  constructor(img, source) {
    this.img = img;
    this.source = source;
    this.camera = null;
    this.shownKey = "";
    this.loading = false;
    this.stream = null; // AbortController while live
    this.img.hidden = true;
    this.img.dataset.state = "empty";
  }

  get live() {
    return this.stream !== null;
  }

  show(camera) {
    const other = this.#id(camera) !== this.#id(this.camera);
    this.camera = camera;
    if (other) this.#forget();
    if (other && this.live) this.setLive(true);
    if (camera && !this.live) this.#load();
  }

  setLive(on) {
    this.stream?.abort();
    this.stream = null;
    this.shownKey = "";
    if (on && this.camera) this.#follow((this.stream = new AbortController()));
    else if (this.camera) this.#load();
  }

  close() {
    this.stream?.abort();
    this.stream = null;
    this.camera = null;
    this.#forget();
  }

  #id(camera) {
    return camera ? this.source.id(camera) : null;
  }

  #key(camera) {
    return `${this.#id(camera)} ${this.source.time(camera) ?? ""} ${this.source.time(camera) ? "" : this.source.saved(camera)}`;
  }

  // One request at a time; what came meanwhile is looked at afterwards.
  async #load() {
    const { camera } = this;
    const key = this.#key(camera);
    if (this.loading || key === this.shownKey) return;
    this.loading = true;
    const blob = await this.#fetch(camera);
    this.loading = false;
    if (this.live || !this.camera) return;
    if (this.#id(this.camera) !== this.#id(camera)) return this.#load();
    if (blob) this.#use(blob, "shown");
    this.shownKey = key;
    if (this.camera !== camera) this.#load();
  }

  // After a restart of the server only the saved file knows.
  async #fetch(camera) {
    const newest = this.source.newest(camera), saved = this.source.saved(camera);
    try {
      for (let i = 0; i < BEHIND_TRIES; i++) {
        const answer = await fetch(newest, { cache: "no-cache" });
        if (!answer.ok) break;
        if (i === BEHIND_TRIES - 1 || timeOf(answer) >= this.source.time(camera)) return await answer.blob();
        await pause(BEHIND_MS);
      }
      const file = saved ? await fetch(saved) : null;
      return file?.ok ? await file.blob() : null;
    } catch {
      return null; // no network: the page says so, the old picture stays
    }
  }

  async #follow(controller) {
    const url = this.source.stream(this.camera);
    let wait = RETRY_MS;
    while (this.stream === controller) {
      try {
        await readPictures(url, controller.signal, (blob) => {
          wait = RETRY_MS;
          this.#use(blob, "live");
        });
      } catch {
        // told below
      }
      if (this.stream !== controller) return;
      this.img.dataset.state = "lost";
      await pause(wait);
      wait = Math.min(2 * wait, LONGEST_MS);
    }
  }

  #use(blob, state) {
    const before = this.img.src;
    this.img.src = URL.createObjectURL(blob);
    this.img.hidden = false;
    this.img.dataset.state = state;
    this.img.dataset.count = Number(this.img.dataset.count ?? 0) + 1;
    if (before.startsWith("blob:")) URL.revokeObjectURL(before);
  }

  #forget() {
    if (this.img.src.startsWith("blob:")) URL.revokeObjectURL(this.img.src);
    this.img.removeAttribute("src");
    this.img.hidden = true;
    this.img.dataset.state = "empty";
    this.shownKey = "";
  }
}
