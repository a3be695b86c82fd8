// The pages of the tag hub, / and /video: builds the parts and joins them.

import { I18n } from "../shared/i18n.js";
import { startPage } from "../shared/page.js";
import { PageLink } from "../shared/pagelink.js";
import { Connect } from "./connect.js";
import { Detections } from "./detections.js";
import { Head } from "./head.js";
import { Help } from "./help.js";
import { Instruments } from "./instruments.js";
import { Interval } from "./interval.js";
import { Scene } from "./scene.js";
import { Sessions } from "./sessions.js";
import { texts } from "./texts.js";
import { Track } from "./track.js";
import { Viewer } from "./viewer.js";
import { Views } from "./views.js";
import { Wall } from "./wall.js";
import { Words } from "./words.js";

const SILENCE_MS = 12000; // the hub speaks every 5 s

const i18n = new I18n(texts);
const words = new Words(i18n);
const link = new PageLink("/hub/ws", SILENCE_MS);
const track = new Track(words);
const views = new Views();
const head = new Head({ i18n, words });
const wall = new Wall({ i18n, words, track });
const viewer = new Viewer({ i18n, words, wall });
const interval = new Interval({ i18n });
const scene = new Scene({ i18n, words, track });
const instruments = new Instruments({ i18n, words, track });
const detections = new Detections({ i18n, words, track });
const sessions = new Sessions({ i18n, words });
const connect = new Connect({ i18n });
new Help({ i18n });

function takeState(message) {
  words.sync(message);
  head.show(message);
  wall.show(message.cameras);
  viewer.refresh();
  interval.show(message);
  sessions.show(message);
  instruments.show(message.cameras);
  document.body.dataset.loaded = "yes";
}

function takeTags(message) {
  for (const one of message.tags) track.add(one);
  detections.changed();
  scene.changed();
  instruments.changed();
  connect.show(message.tags.at(-1)?.tag);
  document.body.dataset.tags = track.count;
}

link.addEventListener("message", ({ detail }) => {
  if (detail.type === "hub") takeState(detail);
  if (detail.type === "tags") takeTags(detail);
});
link.addEventListener("link", ({ detail }) => {
  head.setLink(detail);
  interval.setReachable(detail === "up");
});
wall.addEventListener("open", ({ detail }) => viewer.show(detail));
scene.addEventListener("choose", ({ detail }) => instruments.choose(detail));
views.addEventListener("change", () => [wall.update(), scene.changed()]);

startPage(i18n, { v: () => views.next() }, () => viewer.open);
link.start();
