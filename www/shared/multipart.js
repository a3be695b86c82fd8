// Pictures out of a multipart/x-mixed-replace answer, so that the page knows when one came, which
// an <img> does not tell.

const HEAD_MAX = 4096;
const text = (bytes) => new TextDecoder("latin1").decode(bytes);

function endOfHead(bytes) {
  for (let i = 3; i < bytes.length; i++) {
    if (bytes[i] === 10 && bytes[i - 1] === 13 && bytes[i - 2] === 10 && bytes[i - 3] === 13) return i + 1;
  }
  return -1;
}

const joined = (a, b) => {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
};

class Parts {
  constructor(onPicture) {
    this.onPicture = onPicture;
    this.head = new Uint8Array();
    this.picture = null; // being filled
    this.filled = 0;
  }

  add(bytes) {
    while (bytes.length) bytes = this.picture ? this.#fill(bytes) : this.#search(bytes);
  }

  // The head of a part: what stands in front of it is a boundary.
  #search(bytes) {
    const all = joined(this.head, bytes);
    const end = endOfHead(all);
    if (end < 0) {
      if (all.length > HEAD_MAX) throw new Error("no pictures in this stream");
      this.head = all;
      return [];
    }
    const head = text(all.subarray(0, end));
    this.type = /content-type: *(\S+)/i.exec(head)?.[1] ?? "image/jpeg";
    this.picture = new Uint8Array(Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0));
    this.filled = 0;
    this.head = new Uint8Array();
    return all.subarray(end);
  }

  #fill(bytes) {
    const n = Math.min(bytes.length, this.picture.length - this.filled);
    this.picture.set(bytes.subarray(0, n), this.filled);
    this.filled += n;
    if (this.filled === this.picture.length) {
      this.onPicture(new Blob([this.picture], { type: this.type }));
      this.picture = null;
    }
    return bytes.subarray(n);
  }
}

// Until the stream ends or signal says so; rejects when it fails.
export async function readPictures(url, signal, onPicture) {
  const response = await fetch(url, { signal, cache: "no-store" });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const reader = response.body.getReader();
  const parts = new Parts(onPicture);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    parts.add(value);
  }
}
