#!/usr/bin/python3
"""From the ventilator's write on the pseudo-terminal to the JSON in each TCP client's socket.

serialcat | framedecode --format hev --link | hevbcast and the floor (the least one process could
do, test/bench/hev_floor.c) take turns in one run, so the ratio holds however noisy the machine is.
Latency ends where the kernel has the bytes in the client's socket; "served" is when the last client
of a frame has them, "read" when the client has taken them out. Clients are D1: a text that a client
could not be sent because it had not read the one before is counted as superseded, a read that is
not one whole text as merged or split (test/bench/hev_clients.c).

hev.py [--clients 1,100,1000] [--frames 600] [--rate 200] [--rounds 2]
"""
import argparse
import os
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/tool"))
from hev_frames import wire  # noqa: E402
from hev_service import free_port  # noqa: E402

BUILD = Path(os.environ.get("TAPLINE_BUILD", ROOT / "build"))
WARM_UP = 40
LIMIT = 30


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def data_frame(n):
    """An A0 DATA frame whose pressure_buffer is n."""
    payload = struct.pack("<BB9H6B", 0xA0, 0, 0, 0, 0, 0, n, 145, 0, 0, 0, 0, 0, 0, 0, 1, 0)
    return wire(bytes([0x40, 0, n % 128 << 1]) + payload)


class Line:
    def __init__(self):
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        self.name = os.ttyname(self.slave)
        self.port = free_port()

    def drain(self, seconds):
        """Acknowledgements are taken, so that the line does not fill."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.master], [], [], left)[0]:
                os.read(self.master, 65536)

    def close(self):
        for p in reversed(self.processes):
            p.terminate()
        for p in self.processes:
            p.wait(LIMIT)
        os.close(self.master)
        os.close(self.slave)


class Ours(Line):
    def __init__(self, run):
        super().__init__()
        env = dict(os.environ, TAPLINE_RUN=run)
        commands = [["serialcat", "-q", "--device", self.name, "-i", "fifo:tx", "-o", "-"],
                    ["framedecode", "-q", "--format", "hev", "--link", "-i", "-", "-i", "fifo:send",
                     "-o", "fifo:tx?serial.", "-o", "-"],
                    ["hevbcast", "-q", "--webui-port", str(self.port), "--query-port", "0",
                     "--native-port", "0", "-i", "-", "-o", "fifo:send?hev.send"]]
        self.processes, source = [], subprocess.DEVNULL
        for c in commands:
            p = subprocess.Popen([BUILD / "bin" / c[0], *c[1:]], stdin=source, env=env,
                                 stdout=subprocess.PIPE)
            source = p.stdout
            self.processes.append(p)
        for p in self.processes:
            p.stdout.close()

    def parts(self):
        return [p.args[0].name for p in self.processes]


class Floor(Line):
    def __init__(self, _run):
        super().__init__()
        self.processes = [subprocess.Popen([BUILD / "bench/hev_floor", self.name, str(self.port)],
                                           stdout=subprocess.DEVNULL)]

    def parts(self):
        return ["floor"]


def connected(line, count):
    """The clients, once the server answers its port."""
    end = time.monotonic() + LIMIT
    while True:
        c = subprocess.Popen([BUILD / "bench/hev_clients", str(line.port), str(count)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
        if c.stdout.readline() == b"ready\n":
            return c
        c.wait(LIMIT)
        if time.monotonic() > end:
            sys.exit("nobody serves the port")
        time.sleep(0.02)


def send_frames(line, count, rate):
    """When each frame was written, ns since the epoch."""
    written = {}
    began = time.monotonic()
    for n in range(WARM_UP + count):
        line.drain(max(0.0, began + n / rate - time.monotonic()))
        frame = data_frame(n)
        written[n] = time.time_ns()
        os.write(line.master, frame)
        if n == WARM_UP:
            cpu = {p.pid: cpu_seconds(p.pid) for p in line.processes}
    line.drain(0.3)
    used = [cpu_seconds(p.pid) - cpu[p.pid] for p in line.processes]
    return written, used


def measure(kind, clients, args):
    with tempfile.TemporaryDirectory(prefix="tl.") as run:
        line = kind(run)
        try:
            crowd = connected(line, clients)
            line.drain(0.2)
            written, used = send_frames(line, args.frames, args.rate)
            out, _ = crowd.communicate(b"", LIMIT)
        finally:
            line.close()
    texts, merged, split = struct.unpack_from("3Q", out)
    arrived, read = {}, []
    for n, stamp, taken in struct.iter_unpack("3Q", out[24:]):
        if n >= WARM_UP:
            arrived.setdefault(n, []).append((stamp - written[n]) / 1e6)
            read.append((taken - written[n]) / 1e6)
    return dict(arrived=[v for f in arrived.values() for v in f], read=read, merged=merged,
                served=[max(f) for f in arrived.values()], split=split,
                superseded=args.frames * clients - len(read), parts=line.parts(),
                cpu=[u / args.frames * 1e6 for u in used], texts=texts)


def quantile(values, q):
    return sorted(values)[min(len(values) - 1, int(len(values) * q))] if values else float("nan")


def merge(results):
    whole = dict(results[0])
    for r in results[1:]:
        for k in ("arrived", "read", "served"):
            whole[k] = whole[k] + r[k]
        for k in ("merged", "split", "superseded", "texts"):
            whole[k] += r[k]
    whole["cpu"] = [statistics.mean(c) for c in zip(*(r["cpu"] for r in results))]
    return whole


def show(name, clients, r):
    print(f"{name:<8} {clients:>5} clients: median {quantile(r['arrived'], .5):6.3f} ms,"
          f" p99 {quantile(r['arrived'], .99):6.3f}; all served median"
          f" {quantile(r['served'], .5):6.3f}, p99 {quantile(r['served'], .99):6.3f},"
          f" max {max(r['served'], default=0):6.3f}; read p99 {quantile(r['read'], .99):6.3f};"
          f" superseded {r['superseded']}, merged {r['merged']}, split {r['split']};"
          f" CPU per frame {sum(r['cpu']):.0f} us"
          f" ({', '.join(f'{p} {c:.0f}' for p, c in zip(r['parts'], r['cpu']))})", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--clients", default="1,100,1000")
    p.add_argument("--frames", type=int, default=600)
    p.add_argument("--rate", type=float, default=200)
    p.add_argument("--rounds", type=int, default=2)
    args = p.parse_args()
    for clients in map(int, args.clients.split(",")):
        ours, floor = [], []
        for _ in range(args.rounds):
            floor.append(measure(Floor, clients, args))
            ours.append(measure(Ours, clients, args))
        f, o = merge(floor), merge(ours)
        show("floor", clients, f)
        show("tapline", clients, o)
        print(f"         {clients:>5} clients: tapline / floor: median"
              f" {quantile(o['arrived'], .5) / quantile(f['arrived'], .5):.1f}, all served"
              f" {quantile(o['served'], .5) / quantile(f['served'], .5):.1f}, CPU"
              f" {sum(o['cpu']) / max(1, sum(f['cpu'])):.1f}", flush=True)


if __name__ == "__main__":
    main()
