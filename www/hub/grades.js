// How good a figure is: [grade, word]. The grades are the hub's of old: best (blue), good (green),
// fair (orange), poor (red), and none for what is not known yet. Never by colour alone: the word is shown.

const graded = (value, limits, words) => {
  const at = limits.findIndex((limit) => value < limit);
  return [["best", "good", "fair", "poor"][at < 0 ? 3 : at], words[at < 0 ? 3 : at]];
};

const NONE = ["none", "gradeNone"];

export const noPictures = (video) => video.waiting || !video.total_frames;

// Of few intervals nothing can be said yet.
export function efficiency(video) {
  if (noPictures(video) || !video.steady) return NONE;
  const at = [95, 85, 70].findIndex((limit) => video.efficiency > limit);
  return [["best", "gradeOptimal"], ["good", "gradeGood"], ["fair", "gradeFair"]][at] ?? ["poor", "gradePoor"];
}

export const jitter = (video) =>
  noPictures(video) ? NONE : graded(video.jitter, [0.1, 0.3, 0.5], ["gradeExcellent", "gradeGood", "gradeOk", "gradeHigh"]);

export const processing = (video) =>
  noPictures(video) ? NONE : graded(video.avg_processing, [1, 10, 50], ["gradeFast", "gradeGood", "gradeOk", "gradeSlow"]);

// The first word of a recommendation, and whether it speaks of jitter or network, names its text.
export function recommendation(video) {
  if (noPictures(video)) return "adviceWaiting";
  if (!video.steady) return "adviceFew";
  const text = video.recommendation;
  if (text.startsWith("UNSTABLE")) return text.includes("Network") ? "adviceNetwork" : "adviceJitter";
  const word = /^[A-Z]+/.exec(text)?.[0] ?? "";
  return { OPTIMAL: "adviceOptimal", GOOD: "adviceGood", FAIR: "adviceFair", SLOW: "adviceSlow", POOR: "advicePoor" }[word] ?? "adviceWaiting";
}
