// Where the pictures of a camera are.

import { savedUrl } from "./api.js";
import { bare } from "./format.js";

export const pictures = {
  id: (camera) => camera.mac,
  time: (camera) => camera.picture_ms,
  newest: (camera) => `/cameras/${bare(camera.mac)}.jpg`,
  stream: (camera) => `/cameras/${bare(camera.mac)}/stream`,
  saved: (camera) => (camera.saved_name ? savedUrl(camera.saved_name) : ""),
};
