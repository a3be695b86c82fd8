// Whether the device behind the page is there: data-device of the body, the lamp "device", the notice
// "device", whose text is noticeDevice with {cause} and {device}.

export class DeviceState {
  constructor({ i18n, lamps, lines }) {
    Object.assign(this, { i18n, lamps, lines });
  }

  // state: {serial, cause, device} as the rules tell it; null while nobody can know.
  show(state) {
    const word = state ? (state.serial ? "ok" : "lost") : "unknown";
    document.body.dataset.device = word;
    const cause = state?.serial ? "ok" : state?.cause;
    const text = cause ? this.i18n.word("cause", cause) : this.i18n.t("unknown");
    this.lamps.set("device", { ok: "ok", lost: "bad", unknown: "none" }[word], text);
    this.lines.set("device", "bad", word === "lost" ? this.#text(text, state.device ?? "") : "");
  }

  #text(cause, device) {
    return this.i18n.t("noticeDevice", { cause, device }).replace(" ()", "");
  }
}
