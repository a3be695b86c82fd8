// Places for stages and ways for wires, from left to right; backward wires run below in lanes of
// their own. Pure: sizes in, coordinates out.

import { buildRows, components, placeRows, sortRows, splitWires } from "./layers.js";

const PORT = 15; // between wires at one side of a stage
const LANE = 26;
const TURN = 9;

// size: {node: [width, height], gap: [x, y], unit}. Answers {width, height, stages, wires}:
// stages name -> {x, y}; wires key -> {path, end: [x, y], label: {x, y}, level, backward}, `level`
// where the label stands on a level run.
export function arrange(names, wires, size) {
  const known = new Set(names);
  const drawn = wires.filter((wire) => known.has(wire.from) && known.has(wire.to));
  const out = { width: 0, height: 0, stages: new Map(), wires: new Map() };
  const alone = [];
  for (const group of components(names, drawn)) {
    const own = drawn.filter((wire) => group.includes(wire.from));
    if (own.length) stack(out, group, own, size);
    else alone.push(...group);
  }
  placeAlone(out, alone, size);
  const crowded = [...out.wires.values()].filter((wire) => !wire.level);
  spreadLabels(
    crowded.map((wire) => wire.label),
    size.unit,
  );
  return out;
}

function stack(out, group, wires, size) {
  const { forward, backward } = splitWires(wires);
  const { rows, items, chains } = buildRows(group, forward);
  sortRows(rows);
  const heightOf = (item) => (item.stage ? size.node[1] : size.node[1] / 3);
  const top = out.height ? out.height + size.gap[1] : 0;
  const height = placeRows(rows, heightOf, size.gap[1]);
  const margin = backward.length ? (backward.length + 1) * TURN * size.unit : 0;
  const left = (column) => margin + column * (size.node[0] + size.gap[0]);
  const place = { size, left, items, bottom: top + height };
  for (const item of items.values()) item.y += top;
  for (const item of items.values()) {
    if (item.stage)
      out.stages.set(item.stage, { x: left(item.column), y: item.y - size.node[1] / 2 });
  }
  const ports = portsOf(place, chains, forward, backward);
  for (const wire of forward)
    out.wires.set(wire.key, forwardWay(place, chains.get(wire.key), ports.get(wire.key)));
  const span = (wire) => items.get(wire.from).column - items.get(wire.to).column;
  [...backward]
    .sort((a, b) => span(a) - span(b))
    .forEach((wire, lane) => {
      out.wires.set(wire.key, backwardWay(place, wire, ports.get(wire.key), lane));
    });
  out.width = Math.max(out.width, left(rows.length) - size.gap[0] + margin);
  out.height =
    place.bottom + (backward.length ? backward.length * LANE * size.unit + 10 * size.unit : 0);
}

// Where each wire leaves and enters: at each side of a stage one below the other, backward last.
function portsOf({ size, items }, chains, forward, backward) {
  const sides = new Map();
  const add = (side, key, order) => sides.set(side, [...(sides.get(side) ?? []), { key, order }]);
  for (const { key, from, to } of forward) {
    const chain = chains.get(key);
    add(`out ${from}`, key, chain[1].y);
    add(`in ${to}`, key, chain.at(-2).y);
  }
  for (const { key, from, to } of backward) {
    add(`out ${from}`, key, Infinity);
    add(`in ${to}`, key, Infinity);
  }
  const ports = new Map();
  for (const [side, list] of sides) {
    const [end, name] = [side.split(" ")[0], side.slice(side.indexOf(" ") + 1)];
    list.sort((a, b) => (a.order === b.order ? 0 : a.order - b.order));
    list.forEach(({ key }, i) => {
      const y = items.get(name).y + (i - (list.length - 1) / 2) * PORT * size.unit;
      ports.set(key, { ...ports.get(key), [end]: y });
    });
  }
  return ports;
}

const curve = (x1, y1, x2, y2) => {
  const half = (x1 + x2) / 2;
  return `C${half} ${y1} ${half} ${y2} ${x2} ${y2}`;
};

function forwardWay({ size, left }, chain, port) {
  const width = size.node[0];
  let [x, y] = [left(chain[0].column) + width, port.out];
  let path = `M${x} ${y}`;
  const middle = chain.length > 2 && chain[Math.floor(chain.length / 2)];
  const label = middle
    ? { x: left(middle.column) + width / 2, y: middle.y }
    : { x: x + size.gap[0] / 2, y: (port.out + port.in) / 2 };
  chain.slice(1).forEach((item, i) => {
    const last = i === chain.length - 2;
    const [toX, toY] = [left(item.column), last ? port.in : item.y];
    path += curve(x, y, toX, toY);
    if (!last) path += `H${toX + width}`;
    [x, y] = [last ? toX : toX + width, toY];
  });
  return { path, end: [x, y], label, level: Boolean(middle), backward: false };
}

function backwardWay({ size, left, items, bottom }, wire, port, lane) {
  const { unit } = size;
  const r = TURN * unit;
  const x1 = left(items.get(wire.from).column) + size.node[0];
  const x2 = left(items.get(wire.to).column);
  const down = bottom + (lane + 1) * LANE * unit;
  const right = x1 + r * (lane + 1.4);
  const back = x2 - r * (lane + 1.8);
  const path =
    `M${x1} ${port.out}H${right - r}q${r} 0 ${r} ${r}V${down - r}q0 ${r} ${-r} ${r}` +
    `H${back + r}q${-r} 0 ${-r} ${-r}V${port.in + r}q0 ${-r} ${r} ${-r}H${x2}`;
  return {
    path,
    end: [x2, port.in],
    label: { x: (right + back) / 2, y: down },
    level: true,
    backward: true,
  };
}

// Stages without wires: side by side below the rest.
function placeAlone(out, names, size) {
  const step = size.node[0] + size.gap[1] * 1.5;
  const perLine = Math.max(1, Math.floor((Math.max(out.width, size.room) + size.gap[1]) / step));
  const top = out.height ? out.height + size.gap[1] * 1.5 : 0;
  names.forEach((name, i) => {
    const x = (i % perLine) * step;
    const y = top + Math.floor(i / perLine) * (size.node[1] + size.gap[1]);
    out.stages.set(name, { x, y });
    out.width = Math.max(out.width, x + size.node[0]);
    out.height = y + size.node[1];
  });
}

// Labels that would lie on each other are moved apart.
function spreadLabels(labels, unit) {
  const near = 60 * unit;
  const apart = 38 * unit;
  const sorted = [...labels].sort((a, b) => a.y - b.y);
  sorted.forEach((label, i) => {
    for (const other of sorted.slice(0, i)) {
      if (Math.abs(other.x - label.x) < near && label.y - other.y < apart)
        label.y = other.y + apart;
    }
  });
}
