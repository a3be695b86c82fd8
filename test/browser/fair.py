"""What is wrong with how an open page looks and can be used, whatever it shows: wider than the window,
controls without a name, words that are hard to read or cut off."""

import time

TROUBLES = """
(() => {
  const troubles = [];
  const name = (node) => node.id ? "#" + node.id : node.tagName.toLowerCase() + (node.classList.length ? "." + [...node.classList].join(".") : "");
  const seen = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && node.getClientRects().length > 0;
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const pen = canvas.getContext("2d", { willReadFrequently: true });

  // [red, green, blue, 0..1] of any colour that CSS knows.
  function rgba(colour) {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  }
  const over = ([r, g, b, a], ground) => [r, g, b].map((v, i) => v * a + ground[i] * (1 - a));

  // What lies behind a node; null where that is a picture.
  function ground(node) {
    const layers = [];
    for (let at = node; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== "none" || at.matches(".cam-open, .film-frame, .screen, .picture-room, .viewer-room, .scene, .lanes")) return null;
      const layer = rgba(style.backgroundColor);
      if (layer[3] > 0) layers.unshift(layer);
      if (layer[3] === 1) break;
    }
    return layers.reduce((below, layer) => over(layer, below), [255, 255, 255]);
  }
  function light(colour) {
    const [r, g, b] = colour.map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
  function contrast(node) {
    const below = ground(node);
    if (!below) return null;
    const style = getComputedStyle(node);
    const [a, b] = [light(over(rgba(style.color), below)), light(below)].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    return { ratio: (a + 0.05) / (b + 0.05), least: large ? 3 : 4.5 };
  }

  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) troubles.push(`the page is ${wide} px wider than the window`);

  for (const node of document.querySelectorAll("button, a[href], input, select, textarea, [role=img], [role=slider], dialog[open], [tabindex='0']")) {
    if (!seen(node)) continue;
    const ids = node.getAttribute("aria-labelledby")?.split(" ") ?? [];
    const words = [node.getAttribute("aria-label"), ...ids.map((id) => document.getElementById(id)?.textContent),
      ...[...(node.labels ?? [])].map((label) => label.innerText), node.innerText, node.title];
    if (!words.some((word) => word?.trim())) troubles.push(`${name(node)} has no name`);
  }
  for (const node of document.images) if (seen(node) && !node.hasAttribute("alt")) troubles.push(`${name(node)} has no alt`);

  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !seen(node) || node.closest("svg, .spoken, option, noscript, :disabled")) continue;
    const words = walk.currentNode.data.trim().slice(0, 30);
    const found = contrast(node);
    if (found && found.ratio < found.least) troubles.push(`${name(node)} "${words}": contrast ${found.ratio.toFixed(2)}`);
    const style = getComputedStyle(node);
    const cut = style.overflowX === "hidden" && style.textOverflow !== "ellipsis" && node.scrollWidth > node.clientWidth + 1;
    if (cut && style.display !== "inline") troubles.push(`${name(node)} "${words}": cut off`);
  }
  return [...new Set(troubles)];
})()
""".strip()

SIZES = ((1440, 900), (1280, 800), (1024, 768), (390, 844), (320, 640))


def settled(page, seconds=5):
    """What stays: a chart, for one, takes other colours only with its next values."""
    end = time.monotonic() + seconds
    while (bad := page.js(TROUBLES)) and time.monotonic() < end:
        time.sleep(0.1)
    return bad


def troubles(page):
    """{where: [trouble]} at every size, by turns dark and light."""
    found = {}
    for i, (width, height) in enumerate(SIZES):
        page.browser.resize(width, height)
        page.browser.colours(scheme := ("dark", "light")[i % 2])
        page.wait(f"document.documentElement.clientWidth <= {width} && innerHeight === {height}"
                  f" && matchMedia('(prefers-color-scheme: {scheme})').matches")
        if bad := settled(page):
            found[f"{width}x{height} {scheme}"] = bad
    return found
