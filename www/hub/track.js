// The detections of the last minute: the newest of each camera and tag, and the way a camera took.

const KEPT_MS = 60000;
const TRAIL_MS = 12000;
const TRAIL_MOST = 150; // at 25 messages a second half of it, in 12 s; a line needs no more
const ROWS_MOST = 200;
const FAR_CM = 1e5; // what says more is no measurement

const finite = (value) => (typeof value === "number" && Math.abs(value) < FAR_CM ? value : null);

function poseOf(tag) {
  const [x, y, z] = ["x_cm", "y_cm", "z_cm"].map((key) => finite(tag[key]));
  const [yaw, pitch, roll] = ["yaw", "pitch", "roll"].map((key) => finite(tag[key]));
  return x === null || z === null ? null : { x, y: y ?? 0, z, yaw: yaw ?? 0, pitch: pitch ?? 0, roll: roll ?? 0 };
}

export const tagName = (tag) => (["number", "string"].includes(typeof tag.tag_id) ? String(tag.tag_id) : "?");

// What another detection of the same camera moved from; too little to be drawn.
const still = (a, b) => Math.abs(a.x - b.x) + Math.abs(a.y - b.y) + Math.abs(a.z - b.z) < 0.2;

export class Track {
  constructor(words) {
    this.words = words;
    this.rows = new Map(); // "camera tag": {key, camera, name, at_ms, via, hub_us, delay_ms, tag, pose, trail, n}
    this.newest = new Map(); // camera: its row
    this.count = 0;
  }

  add({ camera, via, at_ms, hub_us, delay_ms, tag }) {
    const name = tagName(tag);
    const key = `${camera} ${name}`;
    const row = this.rows.get(key) ?? { key, camera, name, trail: [], n: 0 };
    Object.assign(row, { at_ms, via, hub_us, delay_ms, tag, pose: poseOf(tag) });
    row.n++;
    this.#follow(row, this.newest.get(camera) !== row);
    this.rows.set(key, row);
    this.newest.set(camera, row);
    this.count++;
    if (this.rows.size > ROWS_MOST) this.forget();
  }

  // again: another tag was seen in between, so the way there is not known.
  #follow(row, again) {
    const { trail, pose, at_ms } = row;
    if (again) trail.length = 0;
    if (pose && !(trail.length && still(trail.at(-1).pose, pose))) trail.push({ pose, at_ms });
    while (trail.length > TRAIL_MOST || (trail.length && at_ms - trail[0].at_ms > TRAIL_MS)) trail.shift();
  }

  // What is old, and, when there are too many, what is oldest. True when something went.
  forget() {
    const before = this.rows.size;
    const since = this.words.now() - KEPT_MS;
    const old = [...this.rows.values()].sort((a, b) => b.at_ms - a.at_ms).filter((row, i) => row.at_ms < since || i >= ROWS_MOST);
    for (const row of old) {
      this.rows.delete(row.key);
      if (this.newest.get(row.camera) === row) this.newest.delete(row.camera);
    }
    return this.rows.size !== before;
  }

  // By camera and tag, so that rows keep their places.
  sorted() {
    return [...this.rows.values()].sort((a, b) => a.key.localeCompare(b.key, undefined, { numeric: true }));
  }

  tags() {
    return [...new Set(this.sorted().map((row) => row.name))].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  }
}
