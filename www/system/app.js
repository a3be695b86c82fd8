// The system page: builds the parts and joins them.

import { byId, element, setText } from "../shared/dom.js";
import { I18n } from "../shared/i18n.js";
import { startPage } from "../shared/page.js";
import { Clock } from "./clock.js";
import { Detail } from "./detail.js";
import { Feed } from "./feed.js";
import { millis } from "./format.js";
import { Graph } from "./graph.js";
import { Latency } from "./latency.js";
import { Logs } from "./logs.js";
import { endpointsOf } from "./model.js";
import { Notices } from "./notices.js";
import { Put } from "./put.js";
import { Restart } from "./restart.js";
import { Processes } from "./table.js";
import { Tap } from "./tap.js";
import { texts } from "./texts.js";

const i18n = new I18n(texts);
const clock = new Clock();
const feed = new Feed();
const notices = new Notices({ i18n });
const graph = new Graph({ i18n });
const detail = new Detail({ i18n });
const processes = new Processes({ i18n, clock });
const tap = new Tap({ i18n });
const put = new Put({ i18n });
const latency = new Latency({ i18n, clock });
const logs = new Logs({ i18n });
const restart = new Restart({ i18n });
const parts = [notices, graph, processes, detail, tap, put, latency, logs];
const LAMP = {
  up: "ok",
  polling: "warn",
  connecting: "warn",
  stale: "bad",
  absent: "bad",
  down: "bad",
};
let status = null;
let selected = null;
let wasUp = false;

function select(name) {
  selected = name === selected ? null : name;
  graph.select(selected);
  processes.select(selected);
  detail.select(selected);
}

function showPart(id) {
  const smooth = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  byId(id).scrollIntoView({ behavior: smooth ? "smooth" : "auto", block: "start" });
}

function showLogs(stage) {
  logs.only(stage);
  showPart("log-part");
}

function tapStage(name) {
  tap.use(endpointsOf(status.stages.find((stage) => stage.name === name)));
  showPart("tap-part");
}

function showHead() {
  const { link } = feed;
  document.body.dataset.link = link;
  byId("link-dot").dataset.state = LAMP[link];
  setText(byId("link-word"), i18n.t(`link_${link}`));
  if (!status) return;
  document.title = `${status.pipeline} – tapline`;
  setText(byId("pipeline"), status.pipeline);
  const up = i18n.t("upFor", { time: millis(status.uptime_ms) });
  const words = [status.description, status.state, up, status.version];
  setText(byId("pipeline-words"), words.filter(Boolean).join(" · "));
}

function take(next) {
  status = next;
  document.body.dataset.loaded = "true";
  for (const part of parts) part.take(status);
  if (selected && !status.stages.some((stage) => stage.name === selected)) select(selected);
  showHead();
}

function applyLink(link) {
  notices.setLink(link, feed.error);
  showHead();
  if (link !== "up") return;
  logs.load();
  if (wasUp) for (const part of [tap, latency]) part.renew(); // what was open may be dead
  wasUp = true;
}

function joinParts() {
  feed.addEventListener("status", (event) => take(event.detail));
  feed.addEventListener("log", (event) => logs.add(event.detail));
  feed.addEventListener("link", (event) => applyLink(event.detail));
  for (const part of [graph, processes])
    part.addEventListener("select", (event) => select(event.detail));
  detail.addEventListener("close", () => select(selected));
  for (const part of [processes, detail]) {
    part.addEventListener("restart", (event) => restart.ask(event.detail));
    part.addEventListener("logs", (event) => showLogs(event.detail));
  }
  detail.addEventListener("tap", (event) => tapStage(event.detail));
}

function drawLegend() {
  for (const kind of ["pipe", "fifo", "nng"]) {
    const sample = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    sample.innerHTML = '<path class="wire-line" d="M1 4H33"/>';
    sample.setAttribute("class", "wire wire-sample");
    sample.dataset.kind = kind;
    const words = element("span", { "data-i18n": `kind_${kind}` }, i18n.t(`kind_${kind}`));
    byId("legend").append(element("li", {}, sample, words));
  }
}

joinParts();
drawLegend();
showHead();
i18n.addEventListener("change", showHead);
startPage(i18n);
clock.start();
feed.start();
