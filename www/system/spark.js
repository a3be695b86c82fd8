// The chart where dygraphs is absent: the same rows as plain lines.

import { decimals } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600;
const HEIGHT = 180;
const CLASSES = ["spark-browser", "spark-p50", "spark-p99"];

function svg(tag, attributes, text = "") {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.textContent = text;
  return node;
}

export class SparkChart {
  constructor(root) {
    this.root = root;
  }

  draw(rows, labels, logscale) {
    const values = rows.flatMap((row) => row.slice(1)).filter((value) => value !== null);
    const most = Math.max(1, ...values) * 1.05;
    const least = logscale ? Math.max(0.001, Math.min(...values, most / 10)) : 0;
    const scale = logscale ? Math.log : Number;
    const [from, to] = [rows[0]?.[0] ?? 0, rows.at(-1)?.[0] ?? 1];
    const x = (at) => ((at - from) / (to - from || 1)) * WIDTH;
    const share = (value) =>
      (scale(Math.max(value, least)) - scale(least)) / (scale(most) - scale(least));
    const y = (value) => HEIGHT - share(value) * HEIGHT;
    const lines = CLASSES.map((name, i) => {
      const points = rows
        .filter((row) => row[i + 1] !== null)
        .map((row) => `${x(row[0]).toFixed(1)},${y(row[i + 1]).toFixed(1)}`);
      return svg("polyline", { class: name, points: points.join(" ") });
    });
    const picture = svg("svg", {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: "none",
      class: "spark",
    });
    picture.append(...lines);
    const top = document.createElement("span");
    top.className = "spark-top";
    top.textContent = `${decimals(most, most < 10 ? 1 : 0)} ms`;
    this.root.replaceChildren(picture, top);
    this.#legend(labels);
  }

  #legend(labels) {
    const items = CLASSES.map((name, i) => {
      const item = document.createElement("span");
      item.className = `${name} spark-label`;
      item.textContent = labels[i + 1];
      return item;
    });
    this.root.parentElement.querySelector(".chart-legend").replaceChildren(...items);
  }
}
