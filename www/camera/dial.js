// One setting: a slider and a field for what is wanted, a mark and a line for what the camera has.

import { element, emit, setText } from "../shared/dom.js";
import { number } from "../shared/format.js";

// How a setting is shown. step is what the settings port of the protocol can tell apart, or more;
// auto: 0 lets the camera choose.
export const SPECS = {
  shutter: { step: 100, digits: 0, unit: "µs", auto: true },
  gain: { step: 1, digits: 0, unit: "×", auto: true },
  awb_red: { step: 0.1, digits: 1, unit: "×" },
  awb_blue: { step: 0.1, digits: 1, unit: "×" },
  contrast: { step: 0.1, digits: 1, unit: "×" },
  brightness: { step: 0.01, digits: 2, unit: "" },
};

const withUnit = (value, { digits, unit }) => [number(value, digits), unit].filter(Boolean).join(" ");

// Events: "change" (value) while it is moved.
export class Dial extends EventTarget {
  constructor({ i18n, name }) {
    super();
    Object.assign(this, { i18n, name, spec: SPECS[name] });
    const id = `set-${name}`;
    this.label = element("label", { class: "dial-name", for: id });
    this.field = element("input", { class: "field dial-field", type: "number", id: `${id}-field`, inputmode: "decimal" });
    this.unit = element("span", { class: "dial-unit", "aria-hidden": "true" }, this.spec.unit);
    this.range = element("input", { class: "dial-range", type: "range", id });
    this.mark = element("span", { class: "dial-mark", "aria-hidden": "true" });
    this.has = element("p", { class: "dial-has", id: `${id}-has` });
    this.bounds = element("p", { class: "dial-bounds" });
    this.range.setAttribute("aria-describedby", `${id}-has`);
    const head = element("div", { class: "dial-head" }, this.label, this.field, this.unit);
    const track = element("div", { class: "dial-track" }, this.range, this.mark);
    this.node = element("div", { class: "dial", "data-setting": name }, head, track, element("div", { class: "dial-foot" }, this.has, this.bounds));
    this.range.addEventListener("input", () => emit(this, "change", this.#rounded(Number(this.range.value))));
    this.field.addEventListener("input", () => this.#typed());
    this.field.addEventListener("blur", () => this.#fill());
  }

  // state: same | changed | sent
  show({ value, has, limits, standard, state, enabled }) {
    Object.assign(this, { value, limits });
    Object.assign(this.range, { min: limits.min, max: limits.max, step: this.spec.step, disabled: !enabled });
    Object.assign(this.field, { min: limits.min, max: limits.max, step: this.spec.step, disabled: !enabled });
    this.range.value = value;
    this.range.setAttribute("aria-valuetext", withUnit(value, this.spec));
    if (document.activeElement !== this.field) this.#fill();
    this.node.dataset.state = state;
    this.mark.style.setProperty("--at", (has - limits.min) / (limits.max - limits.min || 1));
    this.mark.hidden = state === "same";
    this.#words(has, standard);
  }

  get valid() {
    return this.field.value !== "" && this.value >= this.limits.min && this.value <= this.limits.max;
  }

  #words(has, standard) {
    const { i18n, name, spec, limits } = this;
    setText(this.label, i18n.t(name));
    this.field.setAttribute("aria-label", i18n.t(name));
    const seconds = name === "shutter" && has > 0 ? ` (1/${number(1e6 / has)} s)` : "";
    const auto = spec.auto && has === 0 ? ` (${i18n.t("auto")})` : "";
    setText(this.has, i18n.t("has", { value: withUnit(has, spec) + seconds + auto }));
    setText(this.bounds, i18n.t("bounds", { low: number(limits.min, spec.digits), high: withUnit(limits.max, spec), standard: number(standard, spec.digits) }));
    this.node.dataset.valid = this.valid;
  }

  #rounded(value) {
    return Number(value.toFixed(this.spec.digits));
  }

  #typed() {
    if (this.field.value !== "" && Number.isFinite(this.field.valueAsNumber)) emit(this, "change", this.field.valueAsNumber);
  }

  #fill() {
    const text = (this.#rounded(this.value) + 0).toFixed(this.spec.digits); // -0 + 0 is 0
    if (Number.isFinite(this.value) && this.field.value !== text) this.field.value = text;
  }
}
