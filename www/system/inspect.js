// One message in full: its head, its body as a tree, binary as bytes, pictures as pictures.

import { byId, element } from "../shared/dom.js";
import { binarySize, decode, hexDump, imageUrl, isBinary, isOversize } from "./bytes.js";
import { bytes, timeOfDay } from "./format.js";

const DUMP_BYTES = 1024;
const WIDE = 16;
const SLIM = 8;
const OPEN_DEPTH = 3;
const MANY = 200;

export class Inspector {
  constructor({ i18n }) {
    this.i18n = i18n;
    this.root = byId("inspect");
    this.message = null;
    i18n.addEventListener("change", () => this.show(this.message));
    this.show(null);
  }

  show(message) {
    this.message = message;
    if (!message) {
      this.root.replaceChildren(element("p", { class: "empty" }, this.i18n.t("inspectEmpty")));
      return;
    }
    const title = element("h3", {}, message.topic);
    const words = [
      message.from,
      timeOfDay(message.time),
      `#${message.seq}`,
      `${bytes(message.bytes ?? 0)}B`,
    ];
    const head = element("p", { class: "inspect-head" }, words.join(" · "));
    this.root.replaceChildren(
      title,
      head,
      ...this.#pictures(message.body),
      this.#value(message.body, 0),
    );
    this.root.scrollTop = 0;
  }

  #pictures(body) {
    const found = Object.values(body ?? {})
      .filter(isBinary)
      .map(imageUrl)
      .filter(Boolean);
    return found.map((src) =>
      element("img", { class: "inspect-picture", src, alt: this.i18n.t("pictureAlt") }),
    );
  }

  #value(value, depth) {
    if (isBinary(value)) return this.#binary(value);
    if (isOversize(value))
      return element(
        "span",
        { class: "json-note" },
        this.i18n.t("oversize", { n: bytes(value.$size) }),
      );
    if (value !== null && typeof value === "object") return this.#branch(value, depth);
    const kind = value === null ? "null" : typeof value;
    return element("span", { class: `json-${kind}` }, JSON.stringify(value));
  }

  #branch(value, depth) {
    const entries = Object.entries(value);
    const [left, right] = Array.isArray(value) ? "[]" : "{}";
    if (!entries.length) return element("span", {}, left + right);
    const size = element("span", { class: "json-note" }, `${left}${entries.length}${right}`);
    const node = element(
      "details",
      { class: "json", open: depth < OPEN_DEPTH },
      element("summary", {}, size),
    );
    const fill = () => node.childElementCount > 1 || node.append(this.#entries(entries, depth));
    if (node.open) fill();
    else node.addEventListener("toggle", fill, { once: true });
    return node;
  }

  #entries(entries, depth) {
    const items = entries.slice(0, MANY).map(([key, value]) => {
      return element(
        "li",
        {},
        element("span", { class: "json-key" }, `${key}: `),
        this.#value(value, depth + 1),
      );
    });
    if (entries.length > MANY)
      items.push(
        element("li", { class: "json-note" }, this.i18n.t("more", { n: entries.length - MANY })),
      );
    return element("ul", {}, ...items);
  }

  #binary(value) {
    const size = binarySize(value);
    const note = element("span", { class: "json-note" }, this.i18n.t("binary", { n: bytes(size) }));
    const dump = element("pre", { class: "hex", tabindex: "0" });
    const show = (most) =>
      (dump.textContent = hexDump(decode(value, most), this.root.clientWidth < 480 ? SLIM : WIDE));
    show(DUMP_BYTES);
    const node = element("div", { class: "binary" }, note, dump);
    if (size > DUMP_BYTES) node.append(this.#moreButton(size, show));
    return node;
  }

  #moreButton(size, show) {
    const more = element(
      "button",
      { class: "button", type: "button" },
      this.i18n.t("showAll", { n: bytes(size) }),
    );
    more.addEventListener("click", () => {
      show(size);
      more.remove();
    });
    return more;
  }
}
