// What the page asks the hub for.

const pictureOf = (camera) => `/cameras/${encodeURIComponent(camera.id)}`;

// See shared/picture.js.
export const pictures = {
  id: (camera) => camera.id,
  time: (camera) => camera.frame_ms,
  newest: (camera) => `${pictureOf(camera)}.jpg`,
  stream: (camera) => `${pictureOf(camera)}/stream`,
  saved: () => "",
};

// To every camera that is connected by WebSocket; answers {interval_ms, fps}.
export async function sendInterval(ms) {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ interval_ms: ms });
  const answer = await fetch("/set_video_interval", { method: "POST", headers, body });
  const text = await answer.text();
  let value = null;
  try {
    value = JSON.parse(text);
  } catch {
    // an error of the server itself is plain text
  }
  if (answer.ok && value) return value;
  throw new Error(value?.message ?? (text.trim().slice(0, 160) || `HTTP ${answer.status}`));
}
