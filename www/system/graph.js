// The pipeline as a picture: stages as buttons, wires in SVG behind them; one below the other where
// there is no room. Event "select" with a stage's name.

import { byId, element, emit } from "../shared/dom.js";
import { wireLabel } from "./wirelabel.js";
import { arrange } from "./layout.js";
import { splitWires } from "./layers.js";
import { wiresIn } from "./model.js";
import { Rates } from "./rates.js";
import { StageCard } from "./stagecard.js";

const SVG = "http://www.w3.org/2000/svg";
const NODE = [144, 92];
const NODE_WIDE = 200;
const GAP = [76, 26];
const GAP_WIDE = 170;
const EDGE = 4; // its padding, and what rounding may add
const NARROW = 700; // below, a graph that does not fit becomes a list

function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export class Graph extends EventTarget {
  constructor({ i18n }) {
    super();
    this.i18n = i18n;
    this.root = byId("graph");
    this.rates = new Rates();
    this.cards = new Map();
    this.drawn = new Map();
    this.shape = "";
    this.selected = null;
    i18n.addEventListener("change", () => this.#show());
    new ResizeObserver(() => requestAnimationFrame(() => this.#show())).observe(
      this.root.parentElement,
    );
  }

  take(status) {
    this.status = status;
    this.wires = wiresIn(status);
    this.rates.take(status, this.wires);
    this.#show();
  }

  select(name) {
    this.selected = name;
    for (const [stage, card] of this.cards) card.select(stage === name);
  }

  #show() {
    if (!this.status) return;
    const unit = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const room = this.root.clientWidth - 2 * EDGE;
    const names = this.status.stages.map((stage) => stage.name);
    const shape = JSON.stringify([names, this.wires.map((wire) => wire.key), room, unit]);
    if (shape !== this.shape) this.#build(names, room, unit);
    this.shape = shape;
    for (const stage of this.status.stages) this.cards.get(stage.name).update(stage, this.i18n);
    for (const wire of this.wires) this.#updateWire(wire);
  }

  // As wide as there is room for, within reason.
  #fit(names, room, unit) {
    const size = (node, gap) => ({
      node: [node, NODE[1] * unit],
      gap: [gap, GAP[1] * unit],
      unit,
      room,
    });
    const least = arrange(names, this.wires, size(NODE[0] * unit, GAP[0] * unit));
    const most = arrange(names, this.wires, size(NODE_WIDE * unit, GAP_WIDE * unit));
    const share = Math.max(0, Math.min(1, (room - least.width) / (most.width - least.width || 1)));
    const between = (a, b) => Math.floor((a + (b - a) * share) * unit);
    const place = arrange(
      names,
      this.wires,
      size(between(NODE[0], NODE_WIDE), between(GAP[0], GAP_WIDE)),
    );
    return { place, nodeWidth: between(NODE[0], NODE_WIDE), tooWide: least.width > room };
  }

  #build(names, room, unit) {
    const focused = document.activeElement?.closest?.("#graph .node")?.dataset.stage;
    const { place, nodeWidth, tooWide } = this.#fit(names, room, unit);
    this.cards = new Map(
      names.map((name) => [name, new StageCard(name, (stage) => emit(this, "select", stage))]),
    );
    this.drawn.clear();
    const asList = tooWide && room < NARROW * unit;
    this.root.dataset.view = asList ? "list" : "graph";
    this.root.replaceChildren(asList ? this.#list(names) : this.#picture(place, nodeWidth, unit));
    this.select(this.selected);
    if (focused) this.cards.get(focused)?.node.focus();
  }

  #picture(place, nodeWidth, unit) {
    const size = { width: place.width, height: place.height };
    const lines = svg("svg", {
      ...size,
      viewBox: `0 0 ${size.width} ${size.height}`,
      role: "list",
    });
    for (const wire of this.wires) {
      if (place.wires.has(wire.key)) lines.append(this.#drawWire(wire, place.wires.get(wire.key)));
    }
    const style = `width:${size.width}px;height:${size.height}px`;
    const box = element("div", { class: "graph-box", style }, lines);
    for (const [name, { x, y }] of place.stages) {
      const { node } = this.cards.get(name);
      node.style.cssText = `left:${x}px;top:${y}px;width:${nodeWidth}px;height:${NODE[1] * unit}px`;
      box.append(node);
    }
    return box;
  }

  #drawWire(wire, { path, end: [x, y], label, backward, level }) {
    const text = svg("text", { x: label.x, y: label.y, "text-anchor": "middle" });
    const line = svg("path", { d: path, class: "wire-line" });
    const title = svg("title");
    const arrow = svg("path", { d: `M${x + 1} ${y}l-9 -5v10z`, class: "wire-arrow" });
    const attributes = {
      class: "wire",
      role: "listitem",
      "data-wire": wire.key,
      "data-kind": wire.kind,
    };
    const group = svg("g", { ...attributes, "data-backward": backward }, title, line, arrow, text);
    this.drawn.set(wire.key, {
      group,
      line,
      title,
      write: (parts) => this.#writeLabel(text, parts, level),
    });
    return group;
  }

  // Over a level run in one line, between two stages in several.
  #writeLabel(text, parts, inLine) {
    const x = text.getAttribute("x");
    const spans = parts.map(({ kind, text: words, short }, i) => {
      const place = inLine
        ? { dx: i ? "0.5em" : 0, dy: i ? 0 : "0.3em" }
        : { x, dy: i ? "1.15em" : `${-0.15 - (parts.length - 1) * 0.35}em` };
      const span = svg("tspan", { class: `wire-${kind}`, ...place });
      span.textContent = inLine ? words : (short ?? words);
      return span;
    });
    text.replaceChildren(...spans);
  }

  // Stages from the first to the last, under each the wires that leave it.
  #list(names) {
    const order = names.flatMap((name) => {
      const leaving = this.wires.filter((wire) => wire.from === name);
      const rows = leaving.map((wire) => this.#wireRow(wire));
      const wires = rows.length ? [element("ul", { class: "flow-wires" }, ...rows)] : [];
      return [element("li", { class: "flow-stage" }, this.cards.get(name).node, ...wires)];
    });
    return element("ol", { class: "flow" }, ...order);
  }

  #wireRow(wire) {
    const back = splitWires(this.wires).backward.some((one) => one.key === wire.key);
    const arrow = element("span", { class: "flow-arrow", "aria-hidden": "true" }, back ? "↩" : "↓");
    const words = element("span", { class: "flow-words" });
    const sample = svg(
      "svg",
      { class: "flow-line", width: 28, height: 8, "aria-hidden": "true" },
      svg("path", { d: "M0 4H28", class: "wire-line" }),
    );
    const attributes = {
      class: "wire flow-wire",
      "data-wire": wire.key,
      "data-kind": wire.kind,
      "data-backward": back,
    };
    const group = element("li", attributes, arrow, sample, element("b", {}, wire.to), words);
    const write = (parts) => {
      words.replaceChildren(
        ...parts.map(({ kind, text }) => element("span", { class: `wire-${kind}` }, text)),
      );
    };
    this.drawn.set(wire.key, { group, line: null, write });
    return group;
  }

  #updateWire(wire) {
    const drawn = this.drawn.get(wire.key);
    if (!drawn) return;
    const figures = this.rates.of(wire);
    const { parts, spoken } = wireLabel(wire, figures, this.i18n);
    const now = `${spoken} ${figures.losing}`;
    if (drawn.now === now) return;
    drawn.now = now;
    drawn.group.setAttribute("aria-label", spoken);
    drawn.title?.replaceChildren(spoken);
    drawn.group.dataset.rate = figures.rate.toFixed(2);
    drawn.group.dataset.flowing = figures.rate > 0;
    drawn.group.dataset.losing = figures.losing;
    drawn.line?.setAttribute("stroke-width", (2 + Math.log10(1 + figures.rate)).toFixed(2));
    drawn.write(parts);
  }
}
