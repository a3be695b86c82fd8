// Numbers and times in the page's language.

const language = () => document.documentElement.lang;

const formats = new Map();

// Kept, because making one costs more than a frame of the screen has.
function formatOf(digits) {
  const key = `${language()}${digits}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.NumberFormat(language(), { minimumFractionDigits: digits, maximumFractionDigits: digits }));
  }
  return formats.get(key);
}

export const NONE = "–";

export const number = (value, digits = 0) =>
  Number.isFinite(value) ? formatOf(digits).format(Math.abs(value) < 0.5 / 10 ** digits ? 0 : value) : NONE;

export function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return s % 60 && s < 600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 60)} min`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

export const clockShort = (ms) => new Date(ms).toLocaleTimeString(language(), { hour: "2-digit", minute: "2-digit" });
export const clock = (ms) => new Date(ms).toLocaleTimeString(language());
