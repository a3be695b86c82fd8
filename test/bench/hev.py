#!/usr/bin/python3
"""From the ventilator's write on the pseudo-terminal to the JSON in each TCP client's socket.

serialcat | framedecode --format hev --link | hevbcast and the floor (the least one process could
do, test/bench/hev_floor.c) take turns in one run, so the ratio holds however noisy the machine is.
Each frame's time is told in parts, as medians in ms from the write on:

  first    the kernel has it in the first client's socket: the way through the programs
  sending  from there until it is in the last client's: the server's send() to each
  served   it is in the last client's socket
  read     the last client has taken it out: beyond "served" it is the clients' time

Clients are D1: a text is superseded when a newer one took its place, "for all" when the server was
not done with the frame before, else because that client had not read the one before. A read that is
not one whole text is counted as merged or split (test/bench/hev_clients.c). All clients are one
process; when the server's and the clients' CPU time together fill the machine, frames queue up, the
more so at the floor, which leaves none out. Others' work counts too: `chrt -r 5 test/bench/hev.py`
takes precedence over it.

hev.py [--clients 1,100,1000] [--frames 600] [--rate 200] [--rounds 2] [--within 6]
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


def cpu_us(process):
    """CPU time of a process so far; the clock is the one that clock_getcpuclockid(3) tells."""
    return time.clock_gettime_ns(~process.pid << 3 | 2) / 1000


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


def send_frames(line, crowd, count, rate):
    """When each frame was written, ns since the epoch; CPU us of the processes, clients last.

    A line has no two frames closer together: who writes one late writes the next later, too.
    """
    written = {}
    processes = [*line.processes, crowd]
    due = time.monotonic()
    for n in range(WARM_UP + count):
        line.drain(max(0.0, due - time.monotonic()))
        due = max(due, time.monotonic()) + 1 / rate
        if n == WARM_UP:
            cpu = [cpu_us(p) for p in processes]
        frame = data_frame(n)
        written[n] = time.time_ns()
        os.write(line.master, frame)
    line.drain(0.3)
    return written, [cpu_us(p) - before for p, before in zip(processes, cpu)]


def frame_times(texts, written):
    """Of each frame that anybody got: when clients had it, when they had read it; ms."""
    frames = {}
    for n, stamp, taken in texts:
        if n >= WARM_UP:
            sent = written[n]
            frames.setdefault(n, []).append(((stamp - sent) / 1e6, (taken - sent) / 1e6))
    return [list(zip(*f)) for f in frames.values()]


def summary(frames):
    return dict(text=[v for had, _ in frames for v in had],
                first=[min(had) for had, _ in frames],
                sending=[max(had) - min(had) for had, _ in frames],
                served=[max(had) for had, _ in frames],
                read=[max(read) for _, read in frames])


def measure(kind, clients, args):
    with tempfile.TemporaryDirectory(prefix="tl.") as run:
        line = kind(run)
        try:
            crowd = connected(line, clients)
            line.drain(0.2)
            written, used = send_frames(line, crowd, args.frames, args.rate)
            out, _ = crowd.communicate(b"", LIMIT)
        finally:
            line.close()
    _, merged, split = struct.unpack_from("3Q", out)
    frames = frame_times(struct.iter_unpack("3Q", out[24:]), written)
    times = summary(frames)
    return dict(times, frames=args.frames, texts=len(times["text"]), merged=merged, split=split,
                span_ms=(written[WARM_UP + args.frames - 1] - written[WARM_UP]) // 1000000,
                skipped=args.frames - len(frames), parts=line.parts(),
                in_time=sum(len(had) == clients and max(had) <= args.within for had, _ in frames),
                cpu=[u / args.frames for u in used])


def quantile(values, q):
    return sorted(values)[min(len(values) - 1, int(len(values) * q))] if values else float("nan")


def merge(results):
    whole = {}
    for k, v in results[0].items():
        if isinstance(v, int):
            whole[k] = sum(r[k] for r in results)
        elif k == "cpu":
            whole[k] = [statistics.mean(c) for c in zip(*(r[k] for r in results))]
        else:
            whole[k] = v if k == "parts" else [x for r in results for x in r[k]]
    return whole


def times_line(r):
    parts = [f"{k} {quantile(r[k], .5):.3f}" for k in ("first", "sending", "served", "read")]
    return (f"{', '.join(parts)} ms; p99 served {quantile(r['served'], .99):.3f},"
            f" read {quantile(r['read'], .99):.3f}; a text median {quantile(r['text'], .5):.3f},"
            f" p99 {quantile(r['text'], .99):.3f}")


def counts_line(clients, args, r):
    missing = 1 - r["texts"] / (r["frames"] * clients)
    return (f"all served within {args.within:g} ms {r['in_time'] / r['frames']:.1%} of the frames;"
            f" superseded {missing:.1%} of the texts ({r['skipped'] / r['frames']:.1%} for all);"
            f" merged {r['merged']}, split {r['split']}")


def cpu_line(r):
    each = r["texts"] / r["frames"]
    *server, crowd = r["cpu"]
    rate = r["frames"] * 1e3 / max(1, r["span_ms"])
    busy = (sum(server) + crowd) * rate / 1e6 / len(os.sched_getaffinity(0))
    names = ", ".join(f"{p} {c:.0f}" for p, c in zip(r["parts"], server))
    return (f"CPU per frame: {names}, the clients {crowd:.0f} us; per text {sum(server) / each:.2f}"
            f" and {crowd / each:.2f}; {rate:.0f} frames/s took"
            f" {busy:.0%} of the machine")


def show(name, clients, args, r):
    print(f"{name:<8} {clients:>5} clients: {times_line(r)}")
    for text in (counts_line(clients, args, r), cpu_line(r)) if r["texts"] else ():
        print(f"{'':24} {text}", flush=True)


def show_ratio(clients, ours, floor):
    ratio = [f"{k} {quantile(ours[k], .5) / quantile(floor[k], .5):.2f}"
             for k in ("sending", "served", "read") if clients > 1 or k != "sending"]
    cpu = [sum(r["cpu"][:-1]) / max(1, r["texts"]) for r in (ours, floor)]
    print(f"ratio    {clients:>5} clients: {', '.join(ratio)}, CPU per text"
          f" {cpu[0] / max(cpu[1], 1e-3):.2f}", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--clients", default="1,100,1000")
    p.add_argument("--frames", type=int, default=600)
    p.add_argument("--rate", type=float, default=200)
    p.add_argument("--rounds", type=int, default=2)
    p.add_argument("--within", type=float, default=6, metavar="MS")
    args = p.parse_args()
    for clients in map(int, args.clients.split(",")):
        ours, floor = [], []
        for _ in range(args.rounds):
            floor.append(measure(Floor, clients, args))
            ours.append(measure(Ours, clients, args))
        f, o = merge(floor), merge(ours)
        show("floor", clients, args, f)
        show("tapline", clients, args, o)
        show_ratio(clients, o, f)


if __name__ == "__main__":
    main()
