// Debian's dygraphs, fetched when it is there. Draws rows [ms, browser, p50, p99].

const BASE = "/vendor/dygraphs/dygraph";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function loadDygraphs() {
  const style = document.createElement("link");
  Object.assign(style, { rel: "stylesheet", href: `${BASE}.min.css` });
  const script = document.createElement("script");
  script.src = `${BASE}.min.js`;
  return new Promise((resolve, reject) => {
    script.onload = () => (window.Dygraph ? resolve() : reject(new Error("no Dygraph")));
    script.onerror = () => reject(new Error("absent"));
    document.head.append(script);
  }).then(() => document.head.append(style));
}

export class DygraphChart {
  constructor(root) {
    this.root = root;
    this.chart = null;
  }

  draw(rows, labels, logscale) {
    const file = rows.length
      ? rows.map(([at, ...values]) => [new Date(at), ...values])
      : [[new Date(), null, null, null]];
    const options = { ...this.#options(), file, labels, logscale };
    if (this.chart) this.chart.updateOptions(options);
    else this.chart = new window.Dygraph(this.root, file, options);
  }

  #options() {
    const colors = ["--accent-text", "--focus", "--warn"].map(colour);
    const [first, second, third] = this.labels ?? [];
    return {
      colors,
      gridLineColor: colour("--line"),
      axisLineColor: colour("--line-strong"),
      axisLabelFontSize: 12,
      connectSeparatedPoints: true,
      legend: "always",
      labelsDiv: this.root.parentElement.querySelector(".chart-legend"),
      ylabel: "ms",
      yRangePad: 8,
      includeZero: true,
      strokeWidth: 1.5,
      drawPoints: false,
      highlightCircleSize: 4,
      animatedZooms: false,
      axes: { y: { axisLabelWidth: 44 } },
      series: {
        [first]: { drawPoints: true, pointSize: 2 },
        [second]: {},
        [third]: { strokePattern: [5, 4] },
      },
    };
  }
}
