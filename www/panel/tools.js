// The controls at the right of the header.

import { byId, element } from "../shared/dom.js";
import { iconButton, setIcon } from "../shared/icons.js";
import { nameLanguage } from "../shared/page.js";

const tool = (name, onclick, label = name) => iconButton(name, label, { id: `tool-${name}`, onclick });

function slider(volume) {
  const value = Math.round(volume.level * 100);
  const attributes = { type: "range", id: "volume", class: "volume", min: 0, max: 100, step: 5, value };
  const input = element("input", { ...attributes, "data-i18n-label": "volume" });
  input.addEventListener("input", () => volume.setLevel(input.value / 100));
  return input;
}

export function buildTools({ volume, kiosk, help, i18n }) {
  const mute = tool("sound", () => volume.toggle(), "mute");
  const range = slider(volume);
  const language = tool("language", null);
  nameLanguage(language, i18n);
  const full = tool("full", () => kiosk.toggleFullscreen(), "fullscreen");
  full.hidden = !kiosk.canFullscreen;
  const kioskTool = tool("kiosk", () => kiosk.toggle());
  const helpTool = tool("help", () => help.toggle());
  byId("tools").append(mute, range, full, kioskTool, language, helpTool);

  const update = () => {
    setIcon(mute, volume.silent ? "muted" : "sound");
    mute.dataset.i18nLabel = volume.silent ? "unmute" : "mute";
    mute.title = i18n.t(mute.dataset.i18nLabel);
    mute.setAttribute("aria-label", mute.title);
    range.value = volume.silent ? 0 : Math.round(volume.level * 100);
  };
  volume.addEventListener("change", update);
  i18n.addEventListener("change", update);
  i18n.translatePage();
  update();
}
