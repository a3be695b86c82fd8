// What stands on a wire: its name, its rate, what is lost or waits; `short` where room is scarce.

import { count, perSecond } from "./format.js";

export function wireLabel(wire, { rate, lost, queued, losing }, i18n) {
  const parts = [{ kind: "name", text: wire.kind === "pipe" ? i18n.t("wirePipe") : wire.via }];
  parts.push({ kind: "rate", text: perSecond(Math.round(rate * 100) / 100) });
  if (lost)
    parts.push({
      kind: losing ? "losing" : "lost",
      text: i18n.t("wireLost", { n: count(lost) }),
      short: `−${count(lost)}`,
    });
  if (queued)
    parts.push({
      kind: "queue",
      text: i18n.t("wireQueue", { n: count(queued) }),
      short: `+${count(queued)}`,
    });
  const words = parts.map((part) => part.text).join(", ");
  return { parts, spoken: `${wire.from} → ${wire.to}: ${words}` };
}
