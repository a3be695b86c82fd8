// What the page asks the server for.

import { answerOf, postJson } from "../shared/answer.js";

// {images: [{name, mac, time_us, bytes}], more, total}, newest first.
export async function fetchSaved({ mac = "", before = null, after = null, limit }) {
  const query = new URLSearchParams({ limit });
  if (mac) query.set("mac", mac);
  if (before !== null) query.set("before", before);
  if (after !== null) query.set("after", after);
  return answerOf(await fetch(`/saved.json?${query}`, { cache: "no-store" }));
}

export const sendToSleep = (mac, seconds) => postJson(`/cameras/${mac}/sleep`, { seconds });

export const savedUrl = (name) => `/saved/${name.split("/").map(encodeURIComponent).join("/")}`;
