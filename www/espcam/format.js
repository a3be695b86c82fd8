// Numbers and times in the page's language, and what addresses and fields hold.

export * from "../shared/format.js";

// What an <input type="datetime-local"> holds.
export function localInput(ms) {
  const at = new Date(ms - new Date(ms).getTimezoneOffset() * 60000);
  return at.toISOString().slice(0, 19);
}

// "24:6f:28:a1:b2:c3" as it stands in addresses.
export const bare = (mac) => mac.replaceAll(":", "");
