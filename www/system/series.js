// The last minutes of latency: single messages at the browser, p50 and p99 of stages each second.

const SPAN_MS = 5 * 60000;
const MOST = 3000;

export class Series {
  constructor() {
    this.samples = [];
    this.stages = []; // {at, of: Map name -> [p50, p99] in ms}
  }

  addSample(sample) {
    this.samples.push(sample);
    this.#trim(this.samples, sample.at);
  }

  addStatus(status, at) {
    const of = new Map();
    for (const { name, report } of status.stages) {
      const p50 = report?.latency_p50_us;
      if (p50) of.set(name, [p50 / 1e3, report.latency_p99_us / 1e3]);
    }
    this.stages.push({ at, of });
    this.#trim(this.stages, at);
  }

  clearSamples() {
    this.samples = [];
  }

  // Rows [ms, browser, p50, p99] in order of time; null where nothing was measured.
  rows(stage) {
    const rows = this.samples.map(({ at, ms }) => [at, ms, null, null]);
    for (const { at, of } of this.stages) {
      if (of.has(stage)) rows.push([at, null, ...of.get(stage)]);
    }
    return rows.sort((a, b) => a[0] - b[0]);
  }

  // {count, last, p50, p99, most} of the messages at the browser; null when there were none.
  get figures() {
    if (!this.samples.length) return null;
    const sorted = this.samples.map((sample) => sample.ms).sort((a, b) => a - b);
    const quantile = (share) =>
      sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    const last = this.samples.at(-1).ms;
    return {
      count: sorted.length,
      last,
      p50: quantile(0.5),
      p99: quantile(0.99),
      most: sorted.at(-1),
    };
  }

  #trim(list, now) {
    while (list.length > MOST || now - list[0].at > SPAN_MS) list.shift();
  }
}
