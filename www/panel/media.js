// Loads every picture and sound ahead, three at a time, and keeps what fits.
// Events: "item" id, "progress".

import { emit } from "../shared/dom.js";
import { mediaUrl, pictureName, soundName } from "./ids.js";

const AT_ONCE = 3;
const ATTEMPTS = 3;
const RETRY_MS = 700;
const FILE_MS = 30000;
const AGAIN_MS = 15000; // after all attempts failed
const KEEP_BYTES = 384 * 1024 * 1024; // beyond it the browser's own cache has to do

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Answers a blob, or null when the server has no such file (or an empty one).
async function download(name) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), FILE_MS);
  try {
    const answer = await fetch(mediaUrl(name), { signal: abort.signal });
    if (answer.status === 404 || answer.status === 403) return null;
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const blob = await answer.blob();
    return blob.size ? blob : null;
  } finally {
    clearTimeout(timer);
  }
}

export class Media extends EventTarget {
  constructor() {
    super();
    this.files = new Map(); // name → {state: wait | ok | missing | failed, url}
    this.count = 0;
    this.kept = 0;
    this.queue = [];
    this.running = 0;
    this.absent = new Set(); // names the server says it does not have
  }

  // The number of ids may only become known, or change, while running.
  setCount(count) {
    for (let id = this.count + 1; id <= count; id++) this.#enqueue(id);
    this.count = count;
    this.#fill();
  }

  // "009.mp3 (leer)" is a name too. A changed list is a reason to look again at what is not there.
  setMissing(names) {
    const absent = new Set(names.map((name) => name.slice(0, 7)));
    const same = absent.size === this.absent.size && [...absent].every((name) => this.absent.has(name));
    this.absent = absent;
    if (!same) this.retry(["missing", "failed"]);
  }

  retry(which = ["failed"]) {
    for (let id = 1; id <= this.count; id++) {
      const states = Object.values(this.result(id));
      const idle = !states.includes("wait");
      if (idle && states.some((state) => which.includes(state))) this.#enqueue(id);
    }
    this.#fill();
  }

  result(id) {
    return { picture: this.#state(pictureName(id)), sound: this.#state(soundName(id)) };
  }

  picture(id) {
    return this.#url(pictureName(id));
  }

  sound(id) {
    return this.#url(soundName(id));
  }

  progress() {
    let done = 0;
    let failed = 0;
    for (let id = 1; id <= this.count; id++) {
      const states = Object.values(this.result(id));
      if (!states.includes("wait")) done++;
      if (states.includes("failed")) failed++;
    }
    return { done, total: this.count, failed };
  }

  #state(name) {
    return this.files.get(name)?.state ?? "wait";
  }

  #url(name) {
    const url = this.files.get(name)?.url;
    return { url: url ?? mediaUrl(name), cached: Boolean(url) };
  }

  #enqueue(id) {
    for (const name of [pictureName(id), soundName(id)]) {
      if (this.#state(name) !== "ok") this.files.set(name, { state: "wait" });
    }
    this.queue.push(id);
  }

  #fill() {
    while (this.running < AT_ONCE && this.queue.length) this.#loadPair(this.queue.shift());
  }

  async #loadPair(id) {
    this.running++;
    await this.#load(pictureName(id));
    await this.#load(soundName(id));
    this.running--;
    emit(this, "item", id);
    const { done, total, failed } = this.progress();
    emit(this, "progress");
    if (done === total && failed) setTimeout(() => this.retry(), AGAIN_MS);
    this.#fill();
  }

  async #load(name) {
    if (this.#state(name) === "ok") return;
    if (this.absent.has(name)) {
      this.#store(name, null);
      return;
    }
    for (let attempt = 1; ; attempt++) {
      try {
        this.#store(name, await download(name));
        return;
      } catch {
        if (attempt === ATTEMPTS) break;
        await pause(RETRY_MS * 2 ** (attempt - 1));
      }
    }
    this.files.set(name, { state: "failed" });
  }

  #store(name, blob) {
    if (!blob) {
      this.files.set(name, { state: "missing" });
      return;
    }
    const keep = this.kept + blob.size <= KEEP_BYTES;
    if (keep) this.kept += blob.size;
    this.files.set(name, { state: "ok", url: keep ? URL.createObjectURL(blob) : undefined });
  }
}
