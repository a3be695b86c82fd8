// The page of a controlled camera: builds the parts and joins them.

import { I18n } from "../shared/i18n.js";
import { startPage } from "../shared/page.js";
import { PageLink } from "../shared/pagelink.js";
import { Access } from "./access.js";
import { Head } from "./head.js";
import { Preview } from "./preview.js";
import { Processes } from "./processes.js";
import { Settings } from "./settings.js";
import { Stream } from "./stream.js";
import { texts } from "./texts.js";
import { Words } from "./words.js";

const SILENCE_MS = 4000; // the rules speak every second

const i18n = new I18n(texts);
const words = new Words(i18n);
const link = new PageLink("/camera/ws", SILENCE_MS);
const processes = new Processes({ i18n, words });
const preview = new Preview({ i18n });
const head = new Head({ i18n, words, processes, preview });
const settings = new Settings({ i18n, words });
const stream = new Stream({ i18n, words });
const access = new Access({ i18n, words });

let control = null; // whether camctl answers; null: not known

// What nobody would carry out cannot be asked for.
function updateReachable() {
  const reachable = link.word === "up" && control === true;
  settings.setReachable(reachable);
  processes.setReachable(reachable);
}

function takeState(state) {
  control = state.control;
  words.setClock(state.now_ms);
  head.show(state);
  settings.show(state);
  access.show(state);
  processes.tick();
  updateReachable();
  document.body.dataset.loaded = "yes";
}

link.addEventListener("message", ({ detail }) => {
  if (detail.type === "state") takeState(detail);
  if (detail.type === "process") [processes.show(detail.process), head.update()];
  if (detail.type === "data") stream.take(detail);
});
link.addEventListener("link", ({ detail }) => {
  head.setLink(detail);
  stream.setLink(detail);
  updateReachable();
});

updateReachable();
preview.start();
startPage(i18n, { f: () => preview.toggleFull() });
link.start();
