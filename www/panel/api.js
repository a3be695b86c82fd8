// The gateway's HTTP side: state for servers that do not push it, and commands.

async function get(path) {
  const answer = await fetch(path, { cache: "no-store" });
  if (answer.ok) return answer;
  throw new Error((await answer.text()).trim().slice(0, 120) || `HTTP ${answer.status}`);
}

// The ten keys of /status, in the words of a state message.
export async function fetchStatus() {
  const status = await (await get("/status")).json();
  return {
    type: "status",
    current: status.current_button ?? null,
    lit: status.current_button ?? null,
    elapsed_ms: null,
    serial: Boolean(status.serial_connected),
    device: status.serial_port ?? null,
    cause: status.serial_connected ? "ok" : "absent",
    firmware: status.firmware ?? null,
    num_media: status.num_media,
    missing: status.missing_files ?? [],
    missing_count: status.media_missing,
    clients: status.ws_clients,
    mode: status.mode,
    version: status.version,
  };
}

export const requestPlay = (id) => get(`/test/play/${id}`);
export const requestStop = () => get("/test/stop");
