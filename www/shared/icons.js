// The icons of icons.svg, put into the page once, so that they are there when the server is not.
// In markup: <svg class="icon" aria-hidden="true"><use href="#icon-NAME"/></svg>

import { element } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";

export async function loadIcons() {
  const answer = await fetch("/static/shared/icons.svg");
  const sprite = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement;
  sprite.setAttribute("aria-hidden", "true");
  sprite.setAttribute("class", "spoken");
  document.body.prepend(document.adoptNode(sprite));
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

// A square button with that icon; label names the text of its tooltip and spoken name.
export function iconButton(name, label, attributes = {}) {
  const all = { type: "button", "data-i18n-label": label, ...attributes };
  return element("button", { ...all, class: `button quiet square ${attributes.class ?? ""}`.trim() }, icon(name));
}

export function setIcon(node, name) {
  node.querySelector("use").setAttribute("href", `#icon-${name}`);
}
