// What the page asks the server for.

async function answerOf(response) {
  const text = await response.text();
  let value = null;
  try {
    value = JSON.parse(text);
  } catch {
    // an error of the server itself is plain text
  }
  if (response.ok && value) return value;
  throw new Error(value?.error ?? (text.trim().slice(0, 160) || `HTTP ${response.status}`));
}

// {images: [{name, mac, time_us, bytes}], more, total}, newest first.
export async function fetchSaved({ mac = "", before = null, after = null, limit }) {
  const query = new URLSearchParams({ limit });
  if (mac) query.set("mac", mac);
  if (before !== null) query.set("before", before);
  if (after !== null) query.set("after", after);
  return answerOf(await fetch(`/saved.json?${query}`, { cache: "no-store" }));
}

export async function sendToSleep(mac, seconds) {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ seconds });
  return answerOf(await fetch(`/cameras/${mac}/sleep`, { method: "POST", headers, body }));
}

export const savedUrl = (name) => `/saved/${name.split("/").map(encodeURIComponent).join("/")}`;
