/* taghub.js: a game's connection to the tag hub. Plain JavaScript for browsers and everything built on
 * them; no dependencies. Include it with <script src="taghub.js"></script> and write
 *
 *     const hub = new TagHub("ws://192.168.4.1:5000/websocket", {name: "my game"});
 *     hub.onTag = (tag) => moveTo(tag.x_cm, tag.z_cm);       // each detection, as soon as it comes
 *     hub.onState = (connected) => showLamp(connected);
 *     // or, once a frame of the game:
 *     const tag = hub.latest({maxAge: 0.5});                 // null: nothing was seen of late
 *
 * A detection has the camera's fields (tag_id, yaw, pitch, roll, x_cm, y_cm, z_cm, range_cm,
 * decision_margin, camera_name, timestamp ...), server_timestamp of the hub, and from here
 *   received   seconds, performance.now() / 1000 when it came
 *   replayed   true: the hub has repeated the latest one because we have just come
 */
"use strict";

class TagHub {
  /* name: how the hub's log calls this game. quiet: seconds without anything from the hub after
   * which the connection counts as dead (a browser does not tell when a cable is pulled). */
  constructor(url, {name = "game", quiet = 10} = {}) {
    this.url = url;
    this.name = name;
    this.quiet = quiet;
    this.connected = false;
    this.received = 0;
    this.onTag = () => {};
    this.onState = () => {};
    this.tags = new Map(); // camera and tag -> the latest detection
    this.pause = 0.5; // seconds until the next try; doubles up to 8
    this.open();
  }

  /* The latest detection; of one camera or one tag if these are given, not older than maxAge
   * seconds. Returns null when there is none. */
  latest({camera, tag, maxAge = Infinity} = {}) {
    const now = performance.now() / 1000;
    let best = null;
    for (const t of this.tags.values()) {
      const fits = (camera === undefined || t.camera_name === camera) &&
        (tag === undefined || t.tag_id === tag) && now - t.received <= maxAge;
      if (fits && (!best || t.received > best.received))
        best = t;
    }
    return best;
  }

  /* Every tag as every camera saw it last. */
  all() {
    return [...this.tags.values()];
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    clearInterval(this.watch);
    this.socket?.close(1000);
  }

  // ---- its own ----

  open() {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.heard = performance.now();
    socket.onopen = () => {
      this.say({event: "identify", data: {type: "gdevelop", name: this.name}});
    };
    socket.onmessage = (e) => this.take(e.data);
    socket.onclose = () => this.ended(socket);
    this.watch ??= setInterval(() => this.look(), 1000);
  }

  say(what) {
    if (this.socket.readyState === WebSocket.OPEN)
      this.socket.send(JSON.stringify(what));
  }

  take(text) {
    let message;
    this.heard = performance.now();
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (message.event === "identify_success") {
      this.fresh = true;
      this.pause = 0.5;
      this.setState(true);
    } else if (message.event === "apriltag_data") {
      this.takeTag(message);
    }
  }

  takeTag(tag) {
    const key = `${tag.camera_name}/${tag.tag_id}`;
    tag.received = performance.now() / 1000;
    // The first one behind identify_success may be old: it is what the hub saw last.
    tag.replayed = this.fresh && Date.now() / 1000 - tag.server_timestamp > 1;
    this.fresh = false;
    if (!this.tags.has(key) && this.tags.size >= 1000)
      this.tags.delete(this.tags.keys().next().value);
    this.tags.set(key, tag);
    this.onTag(tag);
  }

  /* Once a second. The hub's own pings are answered by the browser without our seeing them. */
  look() {
    const silent = (performance.now() - this.heard) / 1000;
    if (silent > this.quiet) {
      this.socket.close();
      this.ended(this.socket); // a dead peer would let us wait for its close frame
    } else if (silent > this.quiet / 2) {
      this.say({event: "ping"});
    }
  }

  ended(socket) {
    if (socket !== this.socket || this.closed)
      return;
    socket.onmessage = socket.onclose = null;
    this.heard = Infinity; // nothing to watch until the next try
    this.setState(false);
    this.timer = setTimeout(() => this.open(), 1000 * this.pause * (0.75 + Math.random() / 2));
    this.pause = Math.min(2 * this.pause, 8);
  }

  setState(connected) {
    if (connected === this.connected)
      return;
    this.connected = connected;
    this.onState(connected);
  }
}
