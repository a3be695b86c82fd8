// Numbers and times in the page's language.

const language = () => document.documentElement.lang;

export const number = (value, digits = 0) =>
  value.toLocaleString(language(), { minimumFractionDigits: digits, maximumFractionDigits: digits });

// As much as is needed: 0.25, 4.3, 31.
export const rate = (value) => number(value, value < 1 ? 2 : value < 10 ? 1 : 0);

const UNITS = ["B", "KB", "MB", "GB", "TB"];

export function bytes(value) {
  let at = 0;
  for (; value >= 999.5 && at < UNITS.length - 1; at++) value /= 1024;
  return `${number(value, at > 0 && value < 9.95 ? 1 : 0)} ${UNITS[at]}`;
}

export function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return s < 600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

export const clock = (ms) => new Date(ms).toLocaleTimeString(language());
export const clockShort = (ms) =>
  new Date(ms).toLocaleTimeString(language(), { hour: "2-digit", minute: "2-digit" });
export const date = (ms) =>
  new Date(ms).toLocaleDateString(language(), { weekday: "short", day: "numeric", month: "long", year: "numeric" });
export const moment = (ms) => `${date(ms)}, ${clock(ms)}`;

// What an <input type="datetime-local"> holds.
export function localInput(ms) {
  const at = new Date(ms - new Date(ms).getTimezoneOffset() * 60000);
  return at.toISOString().slice(0, 19);
}

// "24:6f:28:a1:b2:c3" as it stands in addresses.
export const bare = (mac) => mac.replaceAll(":", "");
