// What the cards of cameras have in common: name and age, the picture that opens large, and what is
// wrong with it, on it.

import { element } from "./dom.js";
import { icon } from "./icons.js";

export function cameraCard() {
  const parts = {
    dot: element("span", { class: "dot", "aria-hidden": "true" }),
    name: element("h3", { class: "cam-name" }),
    age: element("p", { class: "cam-age" }),
    img: element("img", { class: "cam-picture", alt: "" }),
    none: element("p", { class: "cam-none" }, icon("nopicture"), element("span")),
    veil: element("p", { class: "cam-veil" }),
    open: element("button", { class: "cam-open", type: "button" }),
    body: element("div", { class: "cam-body" }),
  };
  parts.open.append(parts.img, parts.none, parts.veil);
  const head = element("header", { class: "cam-head" }, parts.dot, parts.name, parts.age);
  return { ...parts, head, card: element("article", { class: "cam card" }, head, parts.open, parts.body) };
}
