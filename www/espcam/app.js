// The page of the cameras: builds the parts and joins them.

import { I18n } from "../shared/i18n.js";
import { startPage } from "../shared/page.js";
import { PageLink } from "../shared/pagelink.js";
import { Head } from "./head.js";
import { SleepDialog } from "./sleep.js";
import { texts } from "./texts.js";
import { Timeline } from "./timeline.js";
import { Viewer } from "./viewer.js";
import { Wall } from "./wall.js";
import { Words } from "./words.js";

const SILENCE_MS = 12000; // the rules speak every 5 s

const i18n = new I18n(texts);
const words = new Words(i18n);
const link = new PageLink("/cameras/ws", SILENCE_MS);
const head = new Head({ i18n });
const wall = new Wall({ i18n, words });
const timeline = new Timeline({ i18n, wall });
const viewer = new Viewer({ i18n, words, wall, timeline });
const sleep = new SleepDialog({ i18n, wall });

link.addEventListener("link", (event) => head.setLink(event.detail));
link.addEventListener("message", ({ detail }) => {
  if (detail.type !== "cameras") return;
  words.setClock(detail.now_ms);
  head.show(detail);
  wall.show(detail.cameras);
  timeline.show(detail.cameras);
  viewer.refresh();
  document.body.dataset.loaded = "yes";
});
wall.addEventListener("open", (event) => viewer.openCamera(event.detail));
wall.addEventListener("sleep", (event) => sleep.open(event.detail));
timeline.addEventListener("open", (event) => viewer.openSaved(event.detail));

startPage(i18n);
link.start();
