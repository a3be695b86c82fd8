// What the server answers, as a value; what it refuses, as an Error with its reason.

const PATIENCE_MS = 5000;

export async function answerOf(response) {
  const text = await response.text();
  let value = null;
  try {
    value = JSON.parse(text);
  } catch {
    // an error of the server itself is plain text
  }
  if (response.ok && value) return value;
  throw new Error(value?.error ?? value?.message ?? (text.trim().slice(0, 160) || `HTTP ${response.status}`));
}

export async function postJson(url, value) {
  const headers = { "Content-Type": "application/json" };
  const options = { method: "POST", headers, body: JSON.stringify(value), signal: AbortSignal.timeout(PATIENCE_MS) };
  return answerOf(await fetch(url, options));
}
