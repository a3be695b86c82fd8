// What the page asks the server for.

import { answerOf, postJson } from "../shared/answer.js";

const request = (message) => postJson("/hev/request", message);

export const command = (cmd) => request({ type: "cmd", cmdtype: "GENERAL", cmd, param: null });
// The one that is shown: latched at that time. One that came anew meanwhile is not acknowledged with it.
export const acknowledge = (name, sinceMs) => request({ type: "alarm", ack: name, since_ms: sinceMs });

// {from, to, first, exact, raw, t, p: {low, high?}, f, v, events}: times in ms since `from`.
export async function fetchHistory(query) {
  const options = { cache: "no-store", signal: AbortSignal.timeout(5000) };
  return answerOf(await fetch(`/hev/history.json?${new URLSearchParams(query)}`, options));
}
