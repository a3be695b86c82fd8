// Lamps, notices and figures: how the whole is.

import { DeviceState } from "../shared/devicestate.js";
import { byId, element, setText } from "../shared/dom.js";
import { PageHead } from "../shared/pagehead.js";
import { bytes, number, rate } from "./format.js";
import { nameOf } from "./words.js";

const NAMES = 4;

export class Head extends PageHead {
  constructor({ i18n }) {
    super(i18n, ["link", "device"]);
    this.device = new DeviceState(this);
    this.update();
  }

  update() {
    super.update();
    this.device.show(this.link.up ? this.message : null);
    this.lines.set("silent", "warn", this.#silentText());
    this.#figures();
    this.#foot();
  }

  #silentText() {
    const silent = (this.message?.cameras ?? []).filter((camera) => camera.state === "silent");
    if (!silent.length || !this.link.up) return "";
    const names = silent.slice(0, NAMES).map(nameOf).join(", ") + (silent.length > NAMES ? ", …" : "");
    return this.i18n.count("noticeSilent", silent.length, { names });
  }

  #figures() {
    const cameras = this.message?.cameras ?? [];
    const sum = (key) => cameras.reduce((all, camera) => all + camera[key], 0);
    const silent = cameras.filter((camera) => camera.state === "silent").length;
    const rows = [
      ["figCameras", number(cameras.length)],
      ["figSilent", number(silent)],
      ["figRate", rate(sum("per_min"))],
      ["figBytes", `${bytes(sum("bytes_per_s"))}/s`],
      ["figGood", number(sum("good") + sum("unverified"))],
      ["figBroken", number(sum("broken"))],
    ];
    const box = byId("figures");
    if (!box.children.length) box.append(...rows.map(([key]) => element("div", { "data-figure": key }, element("dt"), element("dd"))));
    rows.forEach(([key, value], i) => {
      setText(box.children[i].firstChild, this.i18n.t(key));
      setText(box.children[i].lastChild, value);
    });
    box.querySelector("[data-figure=figBroken]").dataset.some = sum("broken") > 0;
    box.querySelector("[data-figure=figSilent]").dataset.some = silent > 0;
  }

  #foot() {
    if (!this.message) return;
    const { clients, version, device } = this.message;
    setText(byId("foot-text"), [this.i18n.t("version", { version }), device, this.i18n.count("clients", clients)].filter(Boolean).join(" · "));
  }
}
