// The samples of the last minute, and which of them the screen shows now.
//
// Samples come a few at a time and not evenly; the screen is drawn evenly, a little later than they
// were taken. How much later follows the fastest messages, so that one slow message moves nothing.

const ROOM = 1 << 15; // samples; a minute at 500 a second
const DELAY_MS = 70; // messages bring 16 ms each, and the network has its moods
const CREEP = 0.002; // of a difference, per message: clocks drift
const JUMP_MS = 1000;

export class Feed {
  constructor() {
    this.t = new Float64Array(ROOM);
    this.v = [new Float32Array(ROOM), new Float32Array(ROOM), new Float32Array(ROOM)];
    this.intervalMs = 0; // between samples, as the rules say
    this.clear();
  }

  clear() {
    this.count = 0; // ever taken; sample i lies at i % ROOM
    this.offset = null; // ms of this page's clock minus the samples'
    this.head = 0;
    this.arrivedAt = -Infinity;
  }

  get oldest() {
    return Math.max(0, this.count - ROOM);
  }

  get newestTime() {
    return this.count ? this.timeOf(this.count - 1) : 0;
  }

  timeOf(i) {
    return this.t[i % ROOM];
  }

  valueOf(channel, i) {
    return this.v[channel][i % ROOM];
  }

  // {t, s: [[ms since t, three values], ...]}, as it arrives. What is known already is left out; when
  // the gateway's clock was set back, all begins anew.
  take({ t, s }, now = performance.now()) {
    if (this.count && this.newestTime - (t + s.at(-1)[0]) > JUMP_MS) this.clear();
    for (const [dt, ...values] of s) if (t + dt > this.newestTime) this.#push(t + dt, values);
    this.arrivedAt = now;
    this.#follow(now - this.newestTime);
  }

  // All that was until now, from the history. The screen goes on where it is.
  refill({ from, t, p, f, v }) {
    this.count = 0;
    t.forEach((ms, i) => this.#push(from + ms, [p.low[i], f.low[i], v.low[i]]));
  }

  // The time up to which is drawn; it never goes back.
  headTime(now) {
    if (!this.count || this.offset === null) return 0;
    const slow = this.intervalMs > 60 ? this.intervalMs * 1.25 : 0;
    const time = Math.min(now - this.offset - DELAY_MS - slow, this.newestTime);
    if (time > this.head || this.head - time > JUMP_MS) this.head = time;
    return this.head;
  }

  // Number of the first sample at or after that time.
  indexAt(time) {
    let low = this.oldest;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.timeOf(middle) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // A longer silence is a hole in the curve.
  get gapMs() {
    return Math.max(250, this.intervalMs * 4);
  }

  #push(time, values) {
    const at = this.count++ % ROOM;
    this.t[at] = time;
    values.forEach((value, i) => (this.v[i][at] = value ?? NaN));
  }

  #follow(offset) {
    if (this.offset === null || Math.abs(offset - this.offset) > JUMP_MS) this.offset = offset;
    else if (offset < this.offset) this.offset = offset;
    else this.offset += (offset - this.offset) * CREEP;
  }
}
