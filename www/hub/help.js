// What each figure of a camera means.

import { byId, element } from "../shared/dom.js";

const FIGURES = ["fps", "efficiency", "jitter", "processing", "size", "interval", "total", "lost", "tagRate", "hub", "delay"];

export class Help {
  constructor({ i18n }) {
    const write = () =>
      byId("help").replaceChildren(
        ...FIGURES.map((name) => element("div", {}, element("dt", {}, i18n.t(`figure_${name}`)), element("dd", {}, i18n.t(`help_${name}`)))),
      );
    i18n.addEventListener("change", write);
    write();
  }
}
