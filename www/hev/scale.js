// Axes that fit what is shown, in round numbers.

const STEPS = [1, 2, 2.5, 5, 10];
const SLACK = 0.02; // of the least axis: noise around its end moves nothing

function round(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * STEPS.find((one) => one >= step / power - 1e-9);
}

// {low, high, step, slack} that holds [low, high]; spec: {least: [low, high], symmetric}.
export function fit(low, high, { least, symmetric }) {
  const slack = least ? SLACK * (least[1] - least[0]) : 0;
  let [from, to] = least ? [Math.min(least[0], low + slack), Math.max(least[1], high - slack)] : [low, high];
  if (symmetric) [from, to] = [-Math.max(-from, to), Math.max(-from, to)];
  if (!(to - from > 0)) [from, to] = [from - 1, to + 1];
  const step = round((to - from) / 4);
  return { low: Math.floor(from / step + 1e-9) * step, high: Math.ceil(to / step - 1e-9) * step, step, slack };
}

export function outside(scale, value) {
  return value < scale.low - scale.slack || value > scale.high + scale.slack;
}

// Grows at once, shrinks only when much too large: an axis that moves all the time is unreadable.
export function follow(scale, low, high, spec) {
  const next = fit(low, high, spec);
  if (!scale) return next;
  const small = next.high - next.low < 0.6 * (scale.high - scale.low);
  return small || outside(scale, low) || outside(scale, high) ? next : scale;
}

export function ticks({ low, high, step }) {
  return Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => low + i * step);
}
