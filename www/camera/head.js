// Lamps, notices and foot: how the whole is.

import { byId, setText } from "../shared/dom.js";
import { PageHead } from "../shared/pagehead.js";

const RESTART_MS = 4000; // changed settings stop the programs, which is no trouble
const LAMP = { running: "ok", starting: "warn", stopped: "none" };

export class Head extends PageHead {
  constructor({ i18n, words, processes, preview }) {
    super(i18n, ["link", "control", "camera", "publisher"]);
    Object.assign(this, { words, processes });
    this.illSince = new Map(); // process -> when it was first seen not running
    preview.addEventListener("change", ({ detail }) => [(this.picture = detail), this.update()]);
    this.update();
  }

  // Everything below is hearsay when this is not true.
  get heard() {
    return this.link.up && this.message?.control === true;
  }

  update() {
    super.update();
    this.#control();
    for (const name of ["camera", "publisher"]) this.#process(name);
    this.#notices();
    if (this.message) this.#foot();
  }

  #control() {
    const control = this.link.up ? (this.message?.control ?? null) : null;
    document.body.dataset.control = control === null ? "unknown" : control ? "ok" : "lost";
    if (control === null) this.lamps.set("control", "none", this.i18n.t("unknown"));
    else this.lamps.set("control", control ? "ok" : "bad", this.i18n.t(control ? "controlOk" : "controlLost"));
  }

  #process(name) {
    const { i18n } = this;
    const process = this.heard ? this.processes.of(name) : null;
    if (process) this.lamps.set(name, LAMP[process.state] ?? "bad", i18n.word("state", process.state));
    else this.lamps.set(name, "none", i18n.t("unknown"));
  }

  #notices() {
    const { i18n } = this;
    this.lines.set("control", "bad", this.link.up && this.message?.control === false ? i18n.t("noticeControl") : "");
    this.lines.set("camera", "bad", this.#processText("camera"));
    this.lines.set("publisher", "warn", this.#processText("publisher"));
    const silent = this.heard && this.picture === "late" && this.processes.of("camera")?.state === "running";
    this.lines.set("picture", "warn", silent ? i18n.t("noticePicture") : "");
  }

  #processText(name) {
    const process = this.heard ? this.processes.of(name) : null;
    if (!process || process.state === "running") return this.illSince.delete(name), "";
    if (!this.illSince.has(name)) this.illSince.set(name, performance.now());
    const brief = ["starting", "stopped"].includes(process.state) && performance.now() - this.illSince.get(name) < RESTART_MS;
    if (brief) return "";
    const why = this.words.trouble(process) || this.i18n.word("state", process.state);
    return this.i18n.t(name === "camera" ? "noticeCamera" : "noticePublisher", { why });
  }

  #foot() {
    const { clients, version, about } = this.message;
    const source = about?.source ? this.i18n.word("from", about.source) : "";
    setText(byId("foot-text"), [this.i18n.t("version", { version }), source, this.i18n.count("clients", clients)].filter(Boolean).join(" · "));
  }
}
