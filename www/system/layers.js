// Which wires run backward, which column each stage stands in, and in which order within it.
// Pure functions on {from, to, kind} and names.

const SWEEPS = 6;

function reaches(next, from, to) {
  const seen = new Set();
  const open = [from];
  while (open.length) {
    const at = open.pop();
    if (at === to) return true;
    if (seen.has(at)) continue;
    seen.add(at);
    open.push(...(next.get(at) ?? []));
  }
  return false;
}

// A wire is backward when it would close a circle; pipes are looked at first, so that they run
// forward.
export function splitWires(wires) {
  const next = new Map();
  const forward = [];
  const backward = [];
  const rank = { pipe: 0, nng: 1, fifo: 2 };
  for (const wire of [...wires].sort((a, b) => rank[a.kind] - rank[b.kind])) {
    if (reaches(next, wire.to, wire.from)) {
      backward.push(wire);
      continue;
    }
    forward.push(wire);
    next.set(wire.from, [...(next.get(wire.from) ?? []), wire.to]);
  }
  return { forward, backward };
}

// Stages that wires join, as lists of names in the given order.
export function components(names, wires) {
  const group = new Map(names.map((name) => [name, name]));
  const top = (name) => (group.get(name) === name ? name : top(group.get(name)));
  for (const { from, to } of wires) group.set(top(to), top(from));
  const lists = new Map();
  for (const name of names) lists.set(top(name), [...(lists.get(top(name)) ?? []), name]);
  return [...lists.values()];
}

// Longest way from a source; a source stands right before what it feeds.
export function columnsOf(names, forward) {
  const column = new Map(names.map((name) => [name, 0]));
  for (let again = true, left = names.length; again && left >= 0; left--) {
    again = false;
    for (const { from, to } of forward) {
      if (column.get(to) > column.get(from)) continue;
      column.set(to, column.get(from) + 1);
      again = true;
    }
  }
  const fed = new Set(forward.map((wire) => wire.to));
  for (const name of names) {
    const feeds = forward.filter((wire) => wire.from === name).map((wire) => column.get(wire.to));
    if (!fed.has(name) && feeds.length) column.set(name, Math.min(...feeds) - 1);
  }
  return column;
}

// Items of each column: stages, and bends where a long wire passes: {id, stage?, before, after}.
export function buildRows(names, forward) {
  const column = columnsOf(names, forward);
  const rows = Array.from({ length: Math.max(...column.values()) + 1 }, () => []);
  const items = new Map();
  const add = (id, at, stage) => {
    const item = { id, stage, column: at, before: [], after: [] };
    items.set(id, item);
    rows[at].push(item);
    return item;
  };
  for (const name of names) add(name, column.get(name), name);
  const chains = new Map();
  for (const wire of forward) {
    const chain = [items.get(wire.from)];
    for (let at = column.get(wire.from) + 1; at < column.get(wire.to); at++) {
      chain.push(add(`${wire.key}@${at}`, at));
    }
    chain.push(items.get(wire.to));
    chain.slice(1).forEach((item, i) => {
      item.before.push(chain[i]);
      chain[i].after.push(item);
    });
    chains.set(wire.key, chain);
  }
  return { rows, items, chains };
}

const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length;

// Each column sorted by where its neighbours stand, there and back.
export function sortRows(rows) {
  const index = () => rows.forEach((row) => row.forEach((item, i) => (item.at = i)));
  index();
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const side = sweep % 2 ? "after" : "before";
    for (const row of sweep % 2 ? [...rows].reverse() : rows) {
      const wish = (item) => (item[side].length ? mean(item[side].map((one) => one.at)) : item.at);
      const wishes = new Map(row.map((item) => [item, wish(item)]));
      row.sort((a, b) => wishes.get(a) - wishes.get(b) || a.at - b.at);
      row.forEach((item, i) => (item.at = i));
    }
  }
}

// Middle heights: near the neighbours, in order, never closer than the two need.
export function placeRows(rows, heightOf, gap) {
  const need = (a, b) => (heightOf(a) + heightOf(b)) / 2 + gap;
  for (const row of rows) {
    row.forEach(
      (item, i) => (item.y = i ? row[i - 1].y + need(row[i - 1], item) : heightOf(item) / 2),
    );
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const row of sweep % 2 ? rows : [...rows].reverse()) pull(row, need);
  }
  const all = rows.flat();
  const top = Math.min(...all.map((item) => item.y - heightOf(item) / 2));
  for (const item of all) item.y -= top;
  return Math.max(...all.map((item) => item.y + heightOf(item) / 2));
}

function pull(row, need) {
  for (const item of row) {
    const near = [...item.before, ...item.after];
    if (near.length) item.y = mean(near.map((one) => one.y));
  }
  const middle = mean(row.map((item) => item.y));
  for (let i = 1; i < row.length; i++) {
    row[i].y = Math.max(row[i].y, row[i - 1].y + need(row[i - 1], row[i]));
  }
  const shift = middle - mean(row.map((item) => item.y)); // pushed down only: back to the middle
  for (const item of row) item.y += shift;
}
