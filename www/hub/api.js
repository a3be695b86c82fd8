// What the page asks the hub for.

import { postJson } from "../shared/answer.js";

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
export const sendInterval = (ms) => postJson("/set_video_interval", { interval_ms: ms });
