// What the page asks the server for.

import { postJson } from "../shared/answer.js";

export const setSettings = (values) => postJson("/camera/settings", values);
export const restartProcess = (name) => postJson("/camera/restart", { name });

// See shared/picture.js.
export const pictures = {
  id: () => "camera",
  time: () => null,
  newest: () => "/camera/picture.jpg",
  stream: () => "/camera/stream",
  saved: () => "",
};
