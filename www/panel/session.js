// The rules of the page: what a play, a stop, a state and an end mean.
// Event "change": shown (id or null), waiting (true while the sound is locked).

import { emit } from "../shared/dom.js";

const SAME_MS = 2000; // the same id pressed again during a gap has another age

export class Session extends EventTarget {
  constructor(link, player) {
    super();
    this.link = link;
    this.player = player;
    this.shown = null;
    this.since = 0; // when the shown play began, by the page's clock
    this.pending = null; // {id, at, joinedMs}: waits for the unlock; joinedMs null plays from the start
    this.unsent = null; // an end that found no connection
    link.addEventListener("play", (event) => this.#play(event.detail));
    link.addEventListener("stop", () => this.#stop());
    link.addEventListener("state", (event) => this.#state(event.detail));
    player.addEventListener("end", (event) => this.#ended(event.detail.id));
    player.addEventListener("unlock", () => this.#startPending());
    player.addEventListener("blocked", (event) => this.#wait(event.detail, null));
  }

  #play(id, skipMs = null) {
    this.unsent = null;
    this.pending = null;
    this.since = performance.now() - (skipMs ?? 0);
    this.#show(id);
    const soundless = this.player.media.result(id).sound === "missing";
    if (this.player.unlocked || soundless) this.player.play(id, skipMs ?? 0);
    else this.#wait(id, skipMs);
  }

  #wait(id, joinedMs) {
    this.player.stop();
    this.pending = { id, at: performance.now(), joinedMs };
    this.#show(id);
  }

  #startPending() {
    const pending = this.pending;
    if (!pending) return;
    this.pending = null;
    const skip = pending.joinedMs === null ? 0 : pending.joinedMs + performance.now() - pending.at;
    this.#show(pending.id);
    this.player.play(pending.id, skip);
  }

  #stop() {
    this.unsent = null;
    this.#clear();
  }

  #clear() {
    this.pending = null;
    this.player.stop();
    this.#show(null);
  }

  #ended(id) {
    if (!this.link.sendEnded(id)) this.unsent = id;
    this.#clear();
  }

  // A running connection has told every play and stop already; state only ends what waits in vain.
  #state(state) {
    const { pending } = this;
    if (state.fresh) this.#catchUp(state);
    else if (pending && state.current !== pending.id && state.askedAt >= pending.at) this.#clear();
  }

  // After a gap the server knows better than the page.
  #catchUp(state) {
    if (state.elapsed_ms === null || state.elapsed_ms === undefined) return this.#catchUpBlind(state);
    if (state.current === null || state.current === undefined) return this.#stop();
    const elapsed = state.elapsed_ms + performance.now() - state.receivedAt;
    const age = performance.now() - this.since;
    if (state.current === this.shown && Math.abs(age - elapsed) < SAME_MS) return undefined;
    return this.#play(state.current, elapsed);
  }

  // An older server does not say since when: never start, only stop what is over.
  #catchUpBlind(state) {
    if (state.askedAt < this.since) return;
    const unsent = this.unsent;
    this.unsent = null;
    if (state.current === null || state.current === undefined) this.#clear();
    else if (state.current === unsent) this.link.sendEnded(unsent);
  }

  #show(id) {
    this.shown = id;
    emit(this, "change", { shown: id, waiting: this.pending !== null });
  }
}
