// Rates of the wires from the counters of the last statuses, and whether losses grow.

const RATE_MS = 4000; // a stage reports once a second, the status comes once a second: smoothed
const GROWTH_MS = 10000;

const gone = (wire) => (wire.lost ?? 0) + (wire.dropped ?? 0);

export class Rates {
  constructor() {
    this.wires = new Map();
    this.now = 0;
  }

  take(status, wires) {
    const at = status.uptime_ms ?? performance.now();
    if (at < this.now) this.wires.clear(); // another supervisor
    this.now = at;
    const present = new Set(wires.map((wire) => wire.key));
    for (const key of this.wires.keys()) if (!present.has(key)) this.wires.delete(key);
    for (const wire of wires) this.#add(wire, at);
  }

  // {rate, lost, queued, losing} of a wire.
  of(wire) {
    const past = this.wires.get(wire.key) ?? [];
    const last = past.at(-1);
    const first = past.find((one) => this.now - one.at <= RATE_MS + 200);
    const seconds = last && first ? (last.at - first.at) / 1000 : 0;
    const rate = seconds > 0 ? (last.count - first.count) / seconds : 0;
    const losing = past.length > 1 && last.gone > past[0].gone;
    return { rate, lost: gone(wire), queued: wire.queued ?? 0, losing };
  }

  // Counters that went back are those of a stage that has been restarted.
  #add(wire, at) {
    const past = this.wires.get(wire.key) ?? [];
    const next = { at, count: wire.received ?? wire.sent ?? 0, gone: gone(wire) };
    const last = past.at(-1);
    if (last && (next.count < last.count || next.gone < last.gone)) past.length = 0;
    past.push(next);
    while (at - past[0].at > GROWTH_MS) past.shift();
    this.wires.set(wire.key, past);
  }
}
