// An <img> that shows the newest picture of a camera: each one fetched when it is told of, or, live,
// as it comes. The old one stays until the new one is there. dataset.state: empty | shown | live | lost.

import { savedUrl } from "./api.js";
import { bare } from "./format.js";
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
  constructor(img) {
    this.img = img;
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
    const other = camera?.mac !== this.camera?.mac;
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

  // One request at a time; what came meanwhile is looked at afterwards.
  async #load() {
    const { camera } = this;
    const key = `${camera.mac} ${camera.picture_ms ?? ""} ${camera.picture_ms ? "" : camera.saved_name}`;
    if (this.loading || key === this.shownKey) return;
    this.loading = true;
    const blob = await this.#fetch(camera);
    this.loading = false;
    if (this.live || !this.camera) return;
    if (this.camera.mac !== camera.mac) return this.#load();
    if (blob) this.#use(blob, "shown");
    this.shownKey = key;
    if (this.camera !== camera) this.#load();
  }

  // After a restart of the server only the saved file knows.
  async #fetch(camera) {
    const newest = `/cameras/${bare(camera.mac)}.jpg`;
    try {
      for (let i = 0; i < BEHIND_TRIES; i++) {
        const answer = await fetch(newest, { cache: "no-cache" });
        if (!answer.ok) break;
        if (i === BEHIND_TRIES - 1 || timeOf(answer) >= camera.picture_ms) return await answer.blob();
        await pause(BEHIND_MS);
      }
      const file = camera.saved_name ? await fetch(savedUrl(camera.saved_name)) : null;
      return file?.ok ? await file.blob() : null;
    } catch {
      return null; // no network: the page says so, the old picture stays
    }
  }

  async #follow(controller) {
    const url = `/cameras/${bare(this.camera.mac)}/stream`;
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
