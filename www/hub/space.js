// Points in front of a tag, and how they look from somewhere. Pure.
//
// Centimetres in the tag's frame as cameras report them: x to the right, y up, z out of the tag towards
// the camera. A view {turn, tilt} in degrees: tilt 90 looks down (x, z), tilt 0 stands in front (x, y).

const rad = (degrees) => (degrees * Math.PI) / 180;

// [right, down] on the screen, cm.
export function project({ x, y, z }, { turn, tilt }) {
  const [c, s] = [Math.cos(rad(turn)), Math.sin(rad(turn))];
  const depth = z * c - x * s;
  return [x * c + z * s, depth * Math.sin(rad(tilt)) - y * Math.cos(rad(tilt))];
}

const cross = (a, b) => ({ x: a.y * b.z - a.z * b.y, y: a.z * b.x - a.x * b.z, z: a.x * b.y - a.y * b.x });
export const add = (...terms) =>
  terms.reduce((sum, [v, k]) => ({ x: sum.x + v.x * k, y: sum.y + v.y * k, z: sum.z + v.z * k }), { x: 0, y: 0, z: 0 });

// Where a camera looks: unit vectors. Yaw is to its right, pitch upwards, roll clockwise.
export function axes({ yaw, pitch, roll }) {
  const [sy, cy, sp, cp] = [Math.sin(rad(yaw)), Math.cos(rad(yaw)), Math.sin(rad(pitch)), Math.cos(rad(pitch))];
  const forward = { x: sy * cp, y: sp, z: -cy * cp };
  const level = { x: cy, y: 0, z: sy };
  const above = cross(level, forward);
  const [s, c] = [Math.sin(rad(roll)), Math.cos(rad(roll))];
  return { forward, right: add([level, c], [above, -s]), up: add([above, c], [level, s]) };
}

// The four corners of what it sees at that distance: half as wide as far, and 3 : 2.
export function corners(pose, distance) {
  const { forward, right, up } = axes(pose);
  return [[-1, 1], [1, 1], [1, -1], [-1, -1]].map(([h, v]) =>
    add([pose, 1], [forward, distance], [right, (h * distance) / 2], [up, (v * distance) / 3]));
}

// A box of the screen that holds all the points with some room, in the shape of width x height.
// Kept as long as it fits, for one that moves all the time is unreadable.
export function frame(points, width, height, before) {
  const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = Math.max((right - left) / width, (bottom - top) / height, 60 / width) * 1.25;
  const holds = before && before.width === width && before.height === height && left > before.x && top > before.y &&
    right < before.x + width * before.scale && bottom < before.y + height * before.scale;
  if (holds && scale > 0.6 * before.scale) return before;
  const step = 1.25 ** Math.ceil(Math.log(scale) / Math.log(1.25));
  return { x: (left + right - width * step) / 2, y: (top + bottom - height * step) / 2, width, height, scale: step };
}

// Round distances for the lines of a grid, so that about `lines` fit into span.
export function gridStep(span, lines) {
  const raw = span / lines, power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].find((step) => step * power >= raw) * power;
}
