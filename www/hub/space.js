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

// Pixels that a box has free around its points, for names.
const ROOM = { side: 60, top: 30, bottom: 44 };

function holds(box, [left, right, top, bottom]) {
  const x = (value) => (value - box.x) / box.scale, y = (value) => (value - box.y) / box.scale;
  return x(left) > ROOM.side / 2 && x(right) < box.width - ROOM.side / 2 && y(top) > ROOM.top / 2 && y(bottom) < box.height - ROOM.bottom;
}

// A box of the screen that holds all the points with some room, in the shape of width x height.
// Kept as long as it fits, for one that moves all the time is unreadable.
export function frame(points, width, height, before) {
  const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
  const bounds = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const [left, right, top, bottom] = bounds;
  const wide = Math.max(40, width - 2 * ROOM.side), high = Math.max(40, height - ROOM.top - ROOM.bottom);
  const scale = Math.max((right - left) / wide, (bottom - top) / high, 60 / width);
  const same = before?.width === width && before.height === height;
  if (same && scale > 0.6 * before.scale && holds(before, bounds)) return before;
  const step = 1.25 ** Math.ceil(Math.log(scale) / Math.log(1.25));
  const down = (ROOM.bottom - ROOM.top) * step;
  return { x: (left + right - width * step) / 2, y: (top + bottom + down - height * step) / 2, width, height, scale: step };
}

// Round distances for the lines of a grid, so that about `lines` fit into span.
export function gridStep(span, lines) {
  const raw = span / lines, power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].find((step) => step * power >= raw) * power;
}
