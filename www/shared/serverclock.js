// The server's clock, set by the time each of its messages tells. Base of the pages' words.

export class ServerClock {
  constructor() {
    this.skew = 0; // server's clock less ours, ms
  }

  setClock(nowMs) {
    this.skew = nowMs - Date.now();
  }

  now() {
    return Date.now() + this.skew;
  }
}
