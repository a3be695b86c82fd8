// Where the video is, who is connected, who has shown the password or tried to.

import { byId, element, setText } from "../shared/dom.js";
import { clock, number } from "../shared/format.js";

const SAID_MS = 4000;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
const CLIENTS = ["data", "settings", "auth", "authenticated"];

// What is this machine for the server is that machine for us.
function fromHere(url) {
  const parts = /^(rtsps?:\/\/)(\[[^\]]*\]|[^:/]*)(.*)$/.exec(url);
  if (!parts || !LOOPBACK.test(parts[2]) || LOOPBACK.test(location.hostname)) return url;
  return parts[1] + location.hostname + parts[3];
}

export class Access {
  constructor({ i18n, words }) {
    Object.assign(this, { i18n, words });
    this.counts = new Map(CLIENTS.map((key) => [key, element("div", { "data-count": key }, element("dt"), element("dd"))]));
    byId("clients").append(...this.counts.values());
    byId("copy").addEventListener("click", () => this.#copy());
    byId("rtsp").addEventListener("focus", () => byId("rtsp").select());
    i18n.addEventListener("change", () => this.state && this.#update());
  }

  show(state) {
    this.state = state;
    this.#update();
  }

  #update() {
    const { about, servers, auth } = this.state;
    const url = about?.rtsp_url ? fromHere(about.rtsp_url) : "";
    if (byId("rtsp").value !== url) byId("rtsp").value = url;
    byId("copy").disabled = !url;
    const mode = about?.mode ? this.i18n.word("mode", about.mode) : "";
    const unset = about?.password === false ? this.i18n.t("noPassword") : "";
    setText(byId("access-mode"), [mode, unset].filter(Boolean).join(", "));
    for (const [key, node] of this.counts) {
      const port = about?.[`${key}_port`];
      setText(node.firstChild, this.i18n.t(`clients_${key}`) + (port ? ` :${port}` : ""));
      setText(node.lastChild, number(servers?.[key] ?? NaN));
    }
    this.#attempts(auth);
  }

  #attempts(auth) {
    const text = this.i18n.language + JSON.stringify(auth);
    if (text === this.attemptText) return;
    this.attemptText = text;
    const rows = auth.toReversed().map(({ ms, peer, ok, reason, count }) => {
      const dot = element("span", { class: "dot", "data-state": ok ? "ok" : "bad", "aria-hidden": "true" });
      const what = ok ? this.i18n.t("attemptOk") : this.i18n.word("reason", reason || "refused");
      const times = count > 1 ? ` ×${number(count)}` : "";
      return element("li", { class: "attempt", "data-ok": String(ok) }, dot, element("time", {}, clock(ms)), element("span", {}, peer), element("span", { class: "attempt-what" }, what + times));
    });
    if (!rows.length) rows.push(element("li", { class: "attempt-none" }, this.i18n.t("noAttempts")));
    byId("attempts").replaceChildren(...rows);
  }

  // Browsers have a clipboard only for https and this machine; else the selection is copied.
  async #copy() {
    const field = byId("rtsp");
    let done = true;
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      field.select();
      done = document.execCommand("copy");
    }
    setText(byId("copy-said"), this.i18n.t(done ? "copied" : "notCopied"));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => setText(byId("copy-said"), ""), SAID_MS);
  }
}
