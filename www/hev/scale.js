// Axes that fit what is shown, in round numbers.

const STEPS = [1, 2, 2.5, 5, 10];

function round(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * STEPS.find((one) => one >= step / power - 1e-9);
}

// {low, high, step} that holds [low, high]; spec: {least: [low, high], symmetric}.
export function fit(low, high, { least, symmetric }) {
  let [from, to] = least ? [Math.min(least[0], low), Math.max(least[1], high)] : [low, high];
  if (symmetric) [from, to] = [-Math.max(-from, to), Math.max(-from, to)];
  if (!(to - from > 0)) [from, to] = [from - 1, to + 1];
  const step = round((to - from) / 4);
  return { low: Math.floor(from / step + 1e-9) * step, high: Math.ceil(to / step - 1e-9) * step, step };
}

// Grows at once, shrinks only when much too large: an axis that moves all the time is unreadable.
export function follow(scale, low, high, spec) {
  const next = fit(low, high, spec);
  if (!scale) return next;
  const outside = low < scale.low || high > scale.high;
  const small = next.high - next.low < 0.6 * (scale.high - scale.low);
  return outside || small ? next : scale;
}

export function ticks({ low, high, step }) {
  return Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => low + i * step);
}
