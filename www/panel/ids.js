// Ids are 1..num_media everywhere; people and files see three digits.

export const pad = (id) => String(id).padStart(3, "0");
export const isId = (value) => Number.isInteger(value) && value > 0;
export const pictureName = (id) => `${pad(id)}.jpg`;
export const soundName = (id) => `${pad(id)}.mp3`;
export const mediaUrl = (name) => `/media/${name}`;
