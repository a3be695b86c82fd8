// The panel's page: builds the parts and joins them.

import { byId, setText } from "../shared/dom.js";
import { I18n } from "../shared/i18n.js";
import { loadIcons } from "../shared/icons.js";
import { requestPlay, requestStop } from "./api.js";
import { Debug } from "./debug.js";
import { Grid } from "./grid.js";
import { Help } from "./help.js";
import { listenToKeys } from "./keys.js";
import { Kiosk } from "./kiosk.js";
import { Link } from "./link.js";
import { Media } from "./media.js";
import { Notices } from "./notices.js";
import { Player } from "./player.js";
import { Session } from "./session.js";
import { Stage } from "./stage.js";
import { States } from "./states.js";
import { texts } from "./texts.js";
import { buildTools } from "./tools.js";
import { Volume } from "./volume.js";

const i18n = new I18n(texts);
const media = new Media();
const player = new Player(byId("audio"), media);
const volume = new Volume(byId("audio"));
const link = new Link();
const session = new Session(link, player);
const stage = new Stage({ session, player, media, i18n });
const grid = new Grid({ media, i18n });
const states = new States({ i18n, player, volume });
const notices = new Notices({ i18n, lamps: states.lamps });
const debug = new Debug({ i18n });
const help = new Help({ i18n });
const kiosk = new Kiosk();
const MOST_IDS = 999; // three digits
let state = null;

async function command(request) {
  player.unlock({ byGesture: true });
  try {
    await request();
  } catch (error) {
    notices.commandFailed(error.message);
    debug.add("ERR", error.message);
  }
}

const choose = (id) => command(() => requestPlay(id));
const stop = () => command(requestStop);

function unlock() {
  player.unlock({ byGesture: true });
  kiosk.fill();
}

function showFoot() {
  if (!state) return;
  const parts = [
    i18n.t("version", { version: state.version ?? "?" }),
    state.mode && i18n.word("mode", state.mode),
    state.firmware,
    i18n.count("clients", state.clients ?? "?"),
  ];
  setText(byId("foot-text"), parts.filter(Boolean).join(" · "));
}

function showPreload() {
  const { done, total, failed } = media.progress();
  const note = byId("preload");
  note.hidden = total === 0 || (done === total && failed === 0);
  setText(note, done < total ? i18n.t("loading", { done, total }) : i18n.t("loadFailed", { n: failed }));
  document.body.dataset.preload = done < total ? "loading" : "done";
}

function applyState(next) {
  state = next;
  media.setMissing(next.missing ?? []);
  const count = Math.min(Number(next.num_media) || 0, MOST_IDS);
  if (count > 0 && count !== grid.count) {
    grid.setCount(count);
    media.setCount(count);
  }
  grid.setLit(next.lit ?? null);
  notices.setState(next);
  showFoot();
}

function applyLink(word) {
  notices.setLink(word);
  debug.add("LINK", word);
  if (word === "up" && media.progress().failed) media.retry();
}

function traceEvents() {
  const trace = (target, type, kind, text) =>
    target.addEventListener(type, (event) => debug.add(kind, text(event.detail)));
  link.addEventListener("received", ({ detail }) => detail.type !== "state" && debug.add("RX", JSON.stringify(detail)));
  trace(link, "sent", "TX", JSON.stringify);
  trace(link, "fault", "ERR", String);
  trace(player, "end", "END", ({ id, reason }) => `${id}: ${reason}`);
  trace(player, "silent", "ERR", (id) => `${id}: no sound`);
  trace(stage, "nopicture", "ERR", (id) => `${id}: no picture`);
  player.addEventListener("start", (event) => debug.started(event.detail));
}

function joinParts() {
  link.addEventListener("state", (event) => applyState(event.detail));
  link.addEventListener("link", (event) => applyLink(event.detail));
  session.addEventListener("change", (event) => grid.setCurrent(event.detail.shown));
  player.addEventListener("unlock", () => kiosk.keepAwake());
  media.addEventListener("progress", showPreload);
  i18n.addEventListener("change", () => [showFoot(), showPreload()]);
  grid.addEventListener("choose", (event) => choose(event.detail));
  byId("unlock").addEventListener("click", unlock);
  byId("screen").addEventListener("click", () => player.unlocked || unlock());
  byId("pause").addEventListener("click", () => player.toggle());
  byId("stop").addEventListener("click", stop);
}

listenToKeys({
  pause: () => (player.unlocked ? player.toggle() : unlock()),
  digit: (id) => id <= grid.count && choose(id),
  stop,
  escape: () => (help.open ? help.close() : stop()),
  fullscreen: () => kiosk.toggleFullscreen(),
  kiosk: () => kiosk.toggle(),
  mute: () => volume.toggle(),
  language: () => i18n.next(),
  debug: () => debug.toggle(),
  help: () => help.toggle(),
});

loadIcons().catch(() => debug.add("ERR", "no icons"));
joinParts();
traceEvents();
buildTools({ volume, kiosk, help, i18n });
kiosk.set(new URLSearchParams(location.search).get("kiosk") === "1");
player.unlock({ byGesture: false }); // some browsers and kiosks allow it at once
link.start();
