// The gateway's HTTP side. What changes something needs this machine or the admin token, which is
// kept for this tab only.

const KEY = "tapline.token";
const TIMEOUT_MS = 5000;

let token = "";

export function adminToken() {
  try {
    return sessionStorage.getItem(KEY) ?? token;
  } catch {
    return token;
  }
}

export function setAdminToken(value) {
  token = value;
  try {
    if (value) sessionStorage.setItem(KEY, value);
    else sessionStorage.removeItem(KEY);
  } catch {
    // storage is forbidden: the variable lasts as long as the page
  }
}

export async function getJson(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return answer.json();
}

// Throws an Error with the server's own words; `refused` on it says that a token would help.
async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  if (adminToken()) headers.Authorization = `Bearer ${adminToken()}`;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal });
  const reply = await answer.json().catch(() => ({}));
  if (answer.ok && reply.ok !== false) return reply;
  const refused = answer.status === 401 || answer.status === 403;
  throw Object.assign(new Error(reply.error || `HTTP ${answer.status}`), { refused });
}

export const restartStage = (stage) => post("/system/restart", { stage });
export const putMessage = (endpoint, topic, body) => post("/system/put", { endpoint, topic, body });
