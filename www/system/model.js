// Words and lists derived from a status: which endpoints can be tapped, what a state means.

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const bare = (endpoint) => endpoint.split("?")[0];
const nameOf = (output) => (typeof output === "string" ? output : output.name);

export const endpointsOf = (stage) => [
  ...new Set(
    (stage.outputs ?? stage.report?.outputs ?? [])
      .map(nameOf)
      .map(bare)
      .filter((name) => NAME.test(name)),
  ),
];

// In the order of the stages; each {name, stage}.
export function endpointsIn(status) {
  const seen = new Map();
  for (const stage of status.stages ?? []) {
    for (const name of endpointsOf(stage)) if (!seen.has(name)) seen.set(name, stage.name);
  }
  return [...seen].map(([name, stage]) => ({ name, stage }));
}

export const hasLatency = (stage) => (stage.report?.latency_count ?? 0) > 0;

export function stageDot({ state, cause }) {
  if (state === "ready") return cause === "ok" || !cause ? "ok" : "warn";
  if (state === "starting" || state === "stopping") return "warn";
  return state === "down" ? "off" : "bad";
}

// The words of `tapline status`.
export const stageWords = ({ state, cause }) =>
  cause && cause !== "ok" ? `${state} · ${cause}` : state;

export function wireKind(via) {
  if (via === "pipe") return "pipe";
  return via.startsWith("fifo:") ? "fifo" : "nng";
}

// Wires with a key that no other wire of the pipeline has.
export function wiresIn(status) {
  const times = new Map();
  return (status.wires ?? []).map((wire) => {
    const name = `${wire.from}>${wire.to}:${wire.via}`;
    const nth = (times.get(name) ?? 0) + 1;
    times.set(name, nth);
    return { ...wire, key: nth > 1 ? `${name}#${nth}` : name, kind: wireKind(wire.via) };
  });
}

export const LEVELS = { 3: "error", 4: "warning", 6: "info", 7: "debug", 8: "trace" };
