// Numbers and times in the page's language.

const formats = new Map();

// The page's language as this browser's user writes it: en-GB has 24 hours, en alone has not.
export function locale() {
  const { lang } = document.documentElement;
  return navigator.languages?.find((tag) => tag.split("-")[0] === lang) ?? lang;
}

// Kept, because making one costs more than using it.
function formatOf(digits) {
  const key = `${locale()} ${digits}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }));
  }
  return formats.get(key);
}

export const NONE = "–";

// No -0; what is no number is a dash. A true minus is as wide as a plus and does not look like a dash.
export function number(value, digits = 0) {
  if (!Number.isFinite(value)) return NONE;
  return formatOf(digits).format(Math.abs(value) < 0.5 / 10 ** digits ? 0 : value).replace("-", "−");
}

// As much as is needed: 0, 0.25, 4.3, 31.
export const rate = (value) => number(value, !value || value >= 10 ? 0 : value < 1 ? 2 : 1);

const UNITS = ["B", "KB", "MB", "GB", "TB"];

export function bytes(value) {
  let at = 0;
  for (; value >= 999.5 && at < UNITS.length - 1; at++) value /= 1024;
  return `${number(value, at > 0 && value < 9.95 ? 1 : 0)} ${UNITS[at]}`;
}

export function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return s % 60 && s < 600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

export const clock = (ms) => new Date(ms).toLocaleTimeString(locale());
export const clockShort = (ms) =>
  new Date(ms).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" });
export const date = (ms) =>
  new Date(ms).toLocaleDateString(locale(), { weekday: "short", day: "numeric", month: "long", year: "numeric" });
export const moment = (ms) => `${date(ms)}, ${clock(ms)}`;
