// What is said of a camera, on its card and in the full view.

import { ServerClock } from "../shared/serverclock.js";
import { bytes, clock, number, rate, span } from "./format.js";

export const nameOf = (camera) => camera.name ?? camera.mac;
export const shortNameOf = (camera) => camera.name ?? camera.mac.slice(-5);

export class Words extends ServerClock {
  constructor(i18n) {
    super();
    this.i18n = i18n;
  }

  age(ms) {
    const past = this.now() - ms;
    return past < 1500 ? this.i18n.t("agoNow") : this.i18n.t("ago", { time: span(past) });
  }

  // What hides behind the picture: silent, asleep, or "".
  state(camera) {
    if (camera.state === "silent") return this.i18n.t("silentFor", { time: span(this.now() - camera.heard_ms) });
    if (camera.state === "asleep") return this.i18n.t("asleepUntil", { time: clock(camera.sleeps_until_ms) });
    return camera.sleep_waits ? this.i18n.t("sleepWaits") : "";
  }

  facts(camera) {
    if (!camera.picture_ms) return [];
    const size = camera.width ? `${camera.width}×${camera.height}` : "";
    const perMin = camera.per_min ? this.i18n.t("perMin", { n: rate(camera.per_min) }) : "";
    const speed = camera.bytes_per_s ? `${bytes(camera.bytes_per_s)}/s` : "";
    return [size, bytes(camera.bytes), perMin, speed].filter(Boolean);
  }

  // [label, value] of each sensor that has told something.
  sensors(camera) {
    const of = (key, value, digits, unit) =>
      value === null ? null : [this.i18n.t(key), `${number(value, digits)} ${unit}`];
    return [
      of("battery", camera.voltage_percent, 0, "%"),
      of("temperature", camera.temperature_c, 1, "°C"),
      of("tds", camera.tds_v, 1, "V"),
    ].filter(Boolean);
  }

  verified(camera) {
    return camera.verified ? this.i18n.t(`verified_${camera.verified}`) : "";
  }

  // What vouches for the picture shown.
  proof(camera) {
    return camera.verified ? this.i18n.t(`verifiedTitle_${camera.verified}`) : "";
  }

  broken(camera) {
    if (!camera.broken) return "";
    const key = `reason_${camera.broken_reason}`;
    const reason = this.i18n.has(key) ? this.i18n.t(key) : (camera.broken_reason ?? "?");
    return this.i18n.t("lastBroken", { age: this.age(camera.broken_ms), reason });
  }
}
