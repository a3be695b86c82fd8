#!/usr/bin/python3
"""From the board's write on the pseudo-terminal to the play message in each browser's socket.

Our pipeline and `floor` (the least one process could do, test/bench/floor.c) take turns in one run
on the same machine, so the ratio holds however noisy the machine is. Times are the kernel's receive
stamps; CPU is that of the whole process tree.

panel.py [--clients 1,10,100] [--presses 300] [--rounds 3] [--spacing-ms 5]
"""
import argparse
import base64
import os
import select
import socket
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/browser"))
from pipeline import PanelPipeline, free_port  # noqa: E402

BUILD = Path(os.environ.get("TAPLINE_BUILD", ROOT / "build"))
SO_TIMESTAMPNS = 35


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
                             f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                             f"Sec-WebSocket-Key: {key}\r\n\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1)
        assert b" 101 " in head, head
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setblocking(False)
        self.stamps = []

    def read(self):
        """Stamp of each play message; everything in one segment has one stamp."""
        data, extra, _, _ = self.socket.recvmsg(65536, 128)
        sec, nsec = struct.unpack_from("qq", extra[0][2])
        i = 0
        while i < len(data):
            opcode, size = data[i] & 15, data[i + 1] & 127
            body = data[i + 2:i + 2 + size]
            i += 2 + size
            if opcode == 9:
                mask = os.urandom(4)
                self.socket.send(bytes([0x8A, 0x80 | size]) + mask +
                                 bytes(c ^ mask[k & 3] for k, c in enumerate(body)))
            elif b"play" in body:
                self.stamps.append(sec * 1_000_000_000 + nsec)


class Floor:
    def __init__(self):
        self.master, self.slave = os.openpty()
        self.port = free_port()
        self.process = subprocess.Popen([BUILD / "bench/floor", os.ttyname(self.slave), str(self.port)],
                                        stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def write(self, line):
        os.write(self.master, line)

    def close(self):
        self.process.kill()
        self.process.wait()


class Ours(PanelPipeline):
    def write(self, line):
        os.write(self.panel.master, line)


def tree(root):
    parent = {}
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent[int(p)] = int(Path(f"/proc/{p}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            pass
    found = {root}
    while more := {p for p, q in parent.items() if q in found} - found:
        found |= more
    return found


def cpu_ns(root):
    total = 0
    for p in tree(root):
        for t in Path(f"/proc/{p}/task").glob("*/schedstat"):
            try:
                total += int(t.read_text().split()[0])
            except OSError:
                pass
    return total


def measure(server, n, presses, spacing):
    clients = [Client(server.port) for _ in range(n)]
    poll = select.epoll()
    by_fd = {c.socket.fileno(): c for c in clients}
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    time.sleep(0.3)
    before, writes = cpu_ns(server.process.pid), []
    start = time.monotonic() + 0.05
    while True:
        now = time.monotonic()
        if len(writes) < presses and now >= start + len(writes) * spacing:
            writes.append(time.time_ns())
            server.write(b"PRESS %03d\n" % (len(writes) % 10 + 1))
        due = start + len(writes) * spacing - time.monotonic() if len(writes) < presses else 2
        events = poll.poll(max(0, due))
        for fd, _ in events:
            by_fd[fd].read()
        if len(writes) == presses and (not events or all(len(c.stamps) == presses for c in clients)):
            break
    cpu = (cpu_ns(server.process.pid) - before) / 1e6 / presses
    lost = sum(presses - len(c.stamps) for c in clients)
    waits = sorted((s - w) / 1e6 for c in clients for w, s in zip(writes, c.stamps))
    for c in clients:
        c.socket.close()
    time.sleep(0.1)
    return waits[len(waits) // 2], waits[int(len(waits) * 0.99)], cpu, lost


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--clients", default="1,10,100,1000")
    p.add_argument("--presses", type=int, default=300)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--spacing-ms", type=float, default=5)
    a = p.parse_args()
    print("press to browser, ms: median of rounds; x = ratio to floor in the same run")
    print(f"{'clients':>8} {'median':>16} {'p99':>16} {'CPU/press':>16} {'lost':>6}")
    for n in map(int, a.clients.split(",")):
        rows = {"ours": [], "floor": []}
        spacing = max(a.spacing_ms, n / 20) / 1000
        presses = a.presses if n <= 100 else a.presses // 3
        for _ in range(a.rounds):
            for name, make in (("ours", Ours), ("floor", Floor)):
                server = make()
                try:
                    rows[name].append(measure(server, n, presses, spacing))
                finally:
                    server.close()
        ours, floor = ([statistics.median(col) for col in zip(*rows[k])] for k in ("ours", "floor"))
        cells = [f"{o:7.3f} ({o / f:5.2f}x)" for o, f in zip(ours[:3], floor[:3])]
        print(f"{n:>8} {cells[0]:>16} {cells[1]:>16} {cells[2]:>16} {sum(r[3] for r in rows['ours']):>6}",
              flush=True)


if __name__ == "__main__":
    main()
