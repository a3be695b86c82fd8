// Binary in a body: {"$bin": base64}, or {"$size": n} where it was too large to be sent.

const IMAGES = [
  ["/9j/", "image/jpeg"],
  ["iVBORw0KGgo", "image/png"],
];

export const isBinary = (value) => typeof value?.$bin === "string";
export const isOversize = (value) => typeof value?.$size === "number";

export function binarySize({ $bin }) {
  const padding = $bin.endsWith("==") ? 2 : $bin.endsWith("=") ? 1 : 0;
  return Math.max(0, Math.floor(($bin.length * 3) / 4) - padding);
}

// A data: address when the bytes are a picture, else null.
export function imageUrl({ $bin }) {
  const type = IMAGES.find(([start]) => $bin.startsWith(start))?.[1];
  return type ? `data:${type};base64,${$bin}` : null;
}

export function decode({ $bin }, most) {
  const text = atob($bin.slice(0, Math.ceil(most / 3) * 4));
  return Uint8Array.from(text.slice(0, most), (char) => char.charCodeAt(0));
}

const hex = (byte) => byte.toString(16).padStart(2, "0");
const printable = (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".");

// Offset, bytes, ASCII; `width` bytes a line.
export function hexDump(bytes, width) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += width) {
    const part = [...bytes.subarray(at, at + width)];
    const cells = part
      .map(hex)
      .join(" ")
      .padEnd(width * 3 - 1);
    lines.push(`${at.toString(16).padStart(6, "0")}  ${cells}  ${part.map(printable).join("")}`);
  }
  return lines.join("\n");
}

// A body in one line, for the list: binary as its size, long text cut.
export function preview(body, most = 240) {
  const text = JSON.stringify(body, (key, value) => {
    if (isBinary(value)) return `‹${binarySize(value)} B›`;
    if (isOversize(value)) return `‹${value.$size} B›`;
    return typeof value === "string" && value.length > most ? `${value.slice(0, most)}…` : value;
  });
  return (text ?? "").slice(0, most);
}
