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

async function request(message) {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify(message);
  const options = { method: "POST", headers, body, signal: AbortSignal.timeout(5000) };
  return answerOf(await fetch("/hev/request", options));
}

export const command = (cmd) => request({ type: "cmd", cmdtype: "GENERAL", cmd, param: null });
export const acknowledge = (name) => request({ type: "alarm", ack: name });

// {from, to, first, exact, raw, t, p: {low, high?}, f, v, events}: times in ms since `from`.
export async function fetchHistory(query) {
  const options = { cache: "no-store", signal: AbortSignal.timeout(5000) };
  return answerOf(await fetch(`/hev/history.json?${new URLSearchParams(query)}`, options));
}
