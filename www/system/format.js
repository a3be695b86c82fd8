// Numbers as `tapline status` prints them, with the decimal sign of the page's language.

const local = (text) => (document.documentElement.lang === "de" ? text.replace(".", ",") : text);
const scaled = (value, unit) => local((value < 9.95 ? value.toFixed(1) : value.toFixed(0)) + unit);
const two = (value) => String(Math.floor(value)).padStart(2, "0");

function stepped(value, units, step, most) {
  let at = 0;
  for (; value >= most && at < units.length - 1; at++) value /= step;
  return scaled(value, units[at]);
}

export function count(n) {
  if (Number.isInteger(n) && n < 1000) return String(n);
  return stepped(n, ["", "k", "M", "G"], 1000, 999.5);
}

export const perSecond = (n) => `${count(n)}/s`;

export function bytes(n) {
  return n < 1024 ? String(n) : stepped(n, ["", "K", "M", "G", "T"], 1024, 1023.5);
}

// A time that nothing was measured for is no time.
export function micros(us) {
  if (!us) return "-";
  if (us < 1000) return `${Math.round(us)}us`;
  return us < 999500 ? scaled(us / 1e3, "ms") : scaled(us / 1e6, "s");
}

export function millis(ms) {
  const s = Math.floor(ms / 1000);
  if (s < 60) return scaled(ms / 1e3, "s");
  if (s < 3600) return `${Math.floor(s / 60)}m${two(s % 60)}s`;
  if (s < 86400) return `${Math.floor(s / 3600)}h${two((s / 60) % 60)}m`;
  return `${Math.floor(s / 86400)}d${two((s / 3600) % 24)}h`;
}

export const percent = (value) => local(`${value.toFixed(1)}%`);
export const decimals = (value, digits) => local(value.toFixed(digits));

// Nanoseconds since the epoch, as number or text, to this browser's time of day.
export function timeOfDay(ns) {
  const date = new Date(Number(ns) / 1e6);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${clock}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
