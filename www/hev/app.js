// The ventilator's screen: builds the parts and joins them.

import { byId } from "../shared/dom.js";
import { I18n } from "../shared/i18n.js";
import { startPage } from "../shared/page.js";
import { PageLink } from "../shared/pagelink.js";
import { Alarms } from "./alarms.js";
import { fetchHistory } from "./api.js";
import { Control } from "./control.js";
import { Feed } from "./feed.js";
import { Head } from "./head.js";
import { History } from "./history.js";
import { Numbers } from "./numbers.js";
import { Sound } from "./sound.js";
import { texts } from "./texts.js";
import { Waves } from "./waves.js";

const SILENCE_MS = 4000; // the rules speak every second
const BEFORE_MS = 26000; // of the curves, when the page is opened

const i18n = new I18n(texts);
const link = new PageLink("/hev/ws", SILENCE_MS);
const feed = new Feed();
const waves = new Waves({ i18n, feed });
const numbers = new Numbers({ i18n });
const alarms = new Alarms({ i18n });
const sound = new Sound({ i18n });
const control = new Control({ i18n });
const head = new Head({ i18n, feed });
const history = new History({ i18n });

let waiting = null; // samples that come while the past is being fetched
let fills = 0;
let received = 0;

// The past of the curves, when the page is opened and when the link is back: the rules have it all.
async function refill() {
  const fill = ++fills;
  waiting = [];
  const past = await fetchHistory({ last: BEFORE_MS, points: 6000 }).catch(() => null); // else they begin now
  if (fill !== fills) return;
  const held = waiting;
  waiting = null;
  if (past) feed.refill(past);
  held.forEach((message) => feed.take(message));
  waves.redraw();
}

function takeSamples(message) {
  if (waiting) waiting.push(message);
  else feed.take(message);
  received += message.s.length;
  document.body.dataset.samples = received;
}

function takeState(state) {
  feed.intervalMs = state.interval_ms;
  waves.setRaw(state.raw);
  document.body.dataset.raw = state.raw;
  numbers.show(state);
  alarms.show(state);
  head.show(state);
  history.show(state);
  control.setReachable(link.word === "up" && state.serial);
  document.body.dataset.loaded = "yes";
}

link.addEventListener("message", ({ detail }) => {
  if (detail.type === "samples") takeSamples(detail);
  if (detail.type === "state") takeState(detail);
});
link.addEventListener("link", ({ detail }) => {
  head.setLink(detail);
  if (detail === "up") refill();
  else control.setReachable(false);
});
alarms.addEventListener("worst", ({ detail }) => sound.setWorst(detail));
alarms.addEventListener("failed", ({ detail }) => head.refused(detail));

control.setReachable(false);
startPage(i18n, { m: () => sound.toggle() }, () => byId("confirm").open);
link.start();
