// A WebSocket that comes back by itself: back-off with jitter, at once when the network returns.
// Events: "open", "close" {retryMs}, "message" (parsed JSON object), "sent" (object).

import { emit } from "./dom.js";

const FIRST_MS = 250;
const LONGEST_MS = 5000;
const CONNECT_MS = 6000;
const SETTLED_MS = 3000;

export const socketUrl = (path) =>
  `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}${path}`;

function parse(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

export class ReconnectingSocket extends EventTarget {
  constructor(url) {
    super();
    this.url = url;
    this.socket = null;
    this.failures = 0;
    this.timer = 0;
    addEventListener("online", () => this.retryNow());
    addEventListener("pagehide", () => this.#drop());
    addEventListener("pageshow", (event) => event.persisted && this.retryNow());
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  // Bytes the network has not taken yet; more than none for long means a dead link.
  get unsent() {
    return this.socket?.bufferedAmount ?? 0;
  }

  open() {
    this.#drop();
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.timer = setTimeout(() => this.#lost(socket), CONNECT_MS);
    socket.onopen = () => this.#opened(socket);
    socket.onclose = () => this.#lost(socket);
    socket.onmessage = (event) => {
      const message = typeof event.data === "string" ? parse(event.data) : null;
      if (message) emit(this, "message", message);
    };
  }

  send(message) {
    if (!this.isOpen) return false;
    this.socket.send(JSON.stringify(message));
    emit(this, "sent", message);
    return true;
  }

  // Gives up a link that looks open but is dead.
  restart() {
    this.#lost(this.socket);
  }

  retryNow() {
    if (!this.socket) this.open();
  }

  #opened(socket) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.failures = 0), SETTLED_MS);
    if (socket === this.socket) emit(this, "open");
  }

  // A dead link would keep the browser waiting for a closing handshake, so it is left behind.
  #drop() {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onclose = socket.onmessage = null;
    socket.close();
  }

  #lost(socket) {
    if (socket !== this.socket) return;
    this.#drop();
    const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.failures++);
    const retryMs = Math.round(wait * (0.75 + Math.random() * 0.25));
    this.timer = setTimeout(() => this.open(), retryMs);
    emit(this, "close", { retryMs });
  }
}
