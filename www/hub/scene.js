// Where the cameras are, seen from the tag they look at: from above, from the front, or from anywhere
// (drag, arrow keys). Every camera is drawn with its direction and the way it has come.

import { byId, element, emit, setText } from "../shared/dom.js";
import { corners, frame, gridStep, project } from "./space.js";

const SVG = "http://www.w3.org/2000/svg";
const PLANES = { top: { turn: 0, tilt: 90 }, front: { turn: 0, tilt: 0 }, space: { turn: -28, tilt: 32 } };
const FADE_MS = 4000;
const GONE_MS = 15000;
const TAG_CM = 8; // half of a side; how large it really is nobody says
const TICK_MS = 500;
const CLICK_PX = 4;
const NAME_PX = 17; // from name to name

function svg(tag, attributes = {}) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

// Event: "choose" (a camera's id).
export class Scene extends EventTarget {
  constructor({ i18n, words, track }) {
    super();
    Object.assign(this, { i18n, words, track });
    this.room = byId("scene");
    this.view = { ...PLANES.top };
    this.tag = ""; // of this tag only
    this.drawn = new Map(); // row key: nodes
    this.dirty = false;
    this.#build();
    this.#listen();
    i18n.addEventListener("change", () => [this.#words(), this.changed()]);
    this.#words();
    this.#choose("top");
  }

  changed() {
    if (this.dirty) return;
    this.dirty = true;
    requestAnimationFrame(() => [(this.dirty = false), this.#draw()]);
  }

  #build() {
    this.picture = svg("svg", { class: "scene-picture" });
    this.grid = svg("path", { class: "scene-grid" });
    this.axes = svg("path", { class: "scene-axes" });
    this.labels = svg("g", { class: "scene-labels" });
    this.plate = svg("path", { class: "scene-tag" });
    this.plateName = svg("text", { class: "scene-tag-name" });
    this.cameras = svg("g");
    this.picture.append(this.grid, this.axes, this.labels, this.plate, this.plateName, this.cameras);
    this.none = element("p", { class: "scene-none" });
    this.room.append(this.picture, this.none);
    this.planes = Object.keys(PLANES).map((name) => element("button", { class: "button quiet", type: "button", "data-plane": name, onclick: () => this.#choose(name) }));
    byId("planes").append(...this.planes);
  }

  #listen() {
    const { room } = this;
    room.addEventListener("pointerdown", (event) => {
      this.held = { x: event.clientX, y: event.clientY, ...this.view, moved: false };
      room.setPointerCapture(event.pointerId);
    });
    room.addEventListener("pointermove", (event) => this.held && this.#drag(event));
    room.addEventListener("pointerup", (event) => this.held && !this.held.moved && this.#pick(event));
    for (const type of ["pointerup", "pointercancel"]) room.addEventListener(type, () => (this.held = null));
    room.addEventListener("keydown", (event) => this.#key(event));
    byId("space-tag").addEventListener("change", (event) => [(this.tag = event.target.value), this.changed()]);
    new ResizeObserver(() => this.changed()).observe(room);
    setInterval(() => document.body.dataset.view === "status" && !document.hidden && this.changed(), TICK_MS);
  }

  #drag(event) {
    const { held } = this;
    const right = event.clientX - held.x, down = event.clientY - held.y;
    held.moved ||= Math.hypot(right, down) > CLICK_PX;
    if (held.moved) this.#turn(held.turn - right / 3, held.tilt + down / 3);
  }

  // The room has the pointer, so what lies under it is looked up.
  #pick(event) {
    const camera = document.elementFromPoint(event.clientX, event.clientY)?.closest(".scene-camera");
    if (camera) emit(this, "choose", camera.dataset.camera);
  }

  #key(event) {
    const [turn, tilt] = { ArrowLeft: [6, 0], ArrowRight: [-6, 0], ArrowUp: [0, -6], ArrowDown: [0, 6] }[event.key] ?? [];
    if (turn === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.#turn(this.view.turn + turn, this.view.tilt + tilt);
  }

  #choose(name) {
    this.view = { ...PLANES[name] };
    this.#press(name);
  }

  #turn(turn, tilt) {
    this.view = { turn: clamp(turn, -80, 80), tilt: clamp(tilt, 0, 90) };
    this.#press("space");
  }

  #press(name) {
    this.room.dataset.plane = name;
    this.planes.forEach((node) => node.setAttribute("aria-pressed", String(node.dataset.plane === name)));
    this.changed();
  }

  #words() {
    for (const node of this.planes) setText(node, this.i18n.t(`plane_${node.dataset.plane}`));
    this.tagOptions = "";
    this.#options();
  }

  #options() {
    const tags = this.track.tags();
    if (tags.join() === this.tagOptions) return;
    this.tagOptions = tags.join();
    if (!tags.includes(this.tag)) this.tag = "";
    const option = (value, text) => element("option", { value, selected: value === this.tag }, text);
    byId("space-tag").replaceChildren(option("", this.i18n.t("allTags")), ...tags.map((tag) => option(tag, tag)));
  }

  // The newest of each camera, with a place, not too old.
  #rows() {
    const since = this.words.now() - GONE_MS;
    const rows = this.tag ? this.track.sorted().filter((row) => row.name === this.tag) : [...this.track.newest.values()];
    return rows.filter((row) => row.pose && row.at_ms > since);
  }

  #draw() {
    if (document.body.dataset.view !== "status") return;
    this.#options();
    const rows = this.#rows();
    const { clientWidth: width, clientHeight: height } = this.room;
    if (!width || !height) return;
    this.none.hidden = rows.length > 0;
    setText(this.none, this.i18n.t("sceneNone"));
    this.room.dataset.cameras = rows.length;
    this.#fit(rows, width, height);
    this.#ground(rows);
    this.#cameras(rows);
  }

  #fit(rows, width, height) {
    const origin = { x: 0, y: 0, z: 0 };
    const points = [origin, { x: 0, y: 0, z: 60 }, ...rows.flatMap((row) => [row.pose, ...row.trail.map((one) => one.pose)])];
    const seen = points.map((point) => project(point, this.view));
    const turned = this.box?.turn !== this.view.turn || this.box?.tilt !== this.view.tilt;
    this.box = { ...frame(seen, width, height, turned ? null : this.box), ...this.view };
    this.picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.far = Math.max(80, ...points.map((point) => point.z));
    this.wide = Math.max(60, ...points.map((point) => Math.abs(point.x)));
  }

  // Pixels.
  #at(point) {
    const [x, y] = project(point, this.view);
    return [(x - this.box.x) / this.box.scale, (y - this.box.y) / this.box.scale];
  }

  #line(points, closed = false) {
    const d = points.map((point, i) => `${i ? "L" : "M"}${this.#at(point).map((v) => v.toFixed(1)).join(" ")}`).join("");
    return closed ? `${d}Z` : d;
  }

  // The floor through the tag's middle; from the front, where it is but a line, the wall instead.
  #ground() {
    const floor = this.view.tilt > 12;
    const step = gridStep(Math.max(this.far, 2 * this.wide), 7);
    const wide = Math.ceil(this.wide / step) * step, far = floor ? Math.ceil(this.far / step) * step : Math.ceil(60 / step) * step;
    const from = floor ? 0 : -far;
    const point = (x, v) => (floor ? { x, y: 0, z: v } : { x, y: v, z: 0 });
    let grid = "";
    for (let x = -wide; x <= wide + 1e-6; x += step) grid += this.#line([point(x, from), point(x, far)]);
    for (let v = from; v <= far + 1e-6; v += step) grid += this.#line([point(-wide, v), point(wide, v)]);
    this.grid.setAttribute("d", grid);
    this.axes.setAttribute("d", this.#line([point(-wide, 0), point(wide, 0)]) + this.#line([point(0, from), point(0, far)]));
    this.#marks(step, wide, from, far, point);
    this.#tag();
  }

  #marks(step, wide, from, far, point) {
    const marks = [];
    for (let v = from; v <= far + 1e-6; v += step) if (Math.abs(v) > 1e-6) marks.push([point(wide, v), Math.round(v), "start"]);
    for (let x = -wide; x <= wide - step / 2; x += step) marks.push([point(x, far), Math.round(x), "middle"]);
    while (this.labels.children.length < marks.length) this.labels.append(svg("text"));
    while (this.labels.children.length > marks.length) this.labels.lastChild.remove();
    const flat = this.view.turn === 0 && [0, 90].includes(this.view.tilt); // then the edge will do, where the grid is wider
    marks.forEach(([at, value, anchor], i) => {
      const [x, y] = this.#at(at);
      const node = this.labels.children[i];
      const right = anchor === "start" ? x + 4 : x, down = anchor === "start" ? y + 4 : y + 14;
      node.setAttribute("x", flat && anchor === "start" ? Math.min(right, this.box.width - 30) : right);
      node.setAttribute("y", flat && anchor === "middle" ? Math.min(down, this.box.height - 6) : down);
      node.style.textAnchor = anchor;
      setText(node, `${value}`);
    });
  }

  #tag() {
    const square = [[-1, 1], [1, 1], [1, -1], [-1, -1]].map(([h, v]) => ({ x: h * TAG_CM, y: v * TAG_CM, z: 0 }));
    const [x, y] = this.#at({ x: 0, y: TAG_CM, z: 0 });
    this.plate.setAttribute("d", this.#line(square, true));
    this.plateName.setAttribute("x", x);
    this.plateName.setAttribute("y", y - 8);
    setText(this.plateName, this.tag ? `Tag ${this.tag}` : "Tag");
  }

  #cameras(rows) {
    const there = new Set(rows.map((row) => row.key));
    for (const [key, parts] of this.drawn) if (!there.has(key)) [parts.group.remove(), this.drawn.delete(key)];
    this.taken = [];
    for (const row of rows) this.#camera(row, this.drawn.get(row.key) ?? this.#add(row));
  }

  #add(row) {
    const group = svg("g", { class: "scene-camera", "data-camera": row.camera, "data-tag": row.name });
    const parts = { group, trail: svg("path", { class: "scene-trail" }), sight: svg("path", { class: "scene-sight" }), body: svg("path", { class: "scene-body" }), name: svg("text") };
    group.append(parts.trail, parts.sight, parts.body, parts.name);
    this.drawn.set(row.key, parts);
    this.cameras.append(group);
    return parts;
  }

  // Down to the floor, where one could not tell how high a camera is without.
  #plumb(pose) {
    return this.view.tilt > 12 && this.view.tilt < 80 ? this.#line([pose, { ...pose, y: 0 }]) : "";
  }

  // Below the camera, or below the names that stand there already.
  #place(name, x, y) {
    const at = { x: clamp(x, 50, this.box.width - 50), y: Math.min(y + 22, this.box.height - 8) };
    const covered = () => this.taken.some((other) => Math.abs(other.x - at.x) < 90 && Math.abs(other.y - at.y) < NAME_PX);
    for (let tries = 0; tries < 8 && covered(); tries++) at.y += NAME_PX;
    this.taken.push(at);
    name.setAttribute("x", at.x);
    name.setAttribute("y", at.y);
  }

  #camera(row, { group, trail, sight, body, name }) {
    const { pose } = row;
    const size = 26 * this.box.scale;
    const [a, b, c, d] = corners(pose, size);
    const age = this.words.now() - row.at_ms;
    group.style.setProperty("--camera", this.words.colour(row.camera));
    group.style.opacity = age < FADE_MS ? 1 : Math.max(0.3, 1 - (age - FADE_MS) / GONE_MS);
    trail.setAttribute("d", row.trail.length > 1 ? this.#line(row.trail.map((one) => one.pose)) : "");
    sight.setAttribute("d", this.#line([pose, { x: 0, y: 0, z: 0 }]) + this.#plumb(pose));
    body.setAttribute("d", this.#line([pose, a, b], true) + this.#line([pose, b, c], true) + this.#line([pose, c, d], true) + this.#line([pose, d, a], true));
    this.#place(name, ...this.#at(pose));
    setText(name, this.tag ? this.words.name(row.camera) : `${this.words.name(row.camera)} · ${row.name}`);
  }
}
