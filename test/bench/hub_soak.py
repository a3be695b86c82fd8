#!/usr/bin/python3
"""The tag hub under full load for a long time: pipelines/hub.conf as it is shipped, simulated cameras
and game engines (devsim hub), and every second the memory of every process.

It has passed (exit status 0) when every engine got every acknowledged detection exactly once, and no
process holds more memory in the last quarter than in the second one, but for --slack KiB.

hub_soak.py [--seconds 600] [--cameras 4] [--rate 250] [--engines 100] [--pictures 100ms] [--deaf 1]
"""
import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgpack

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("TAPLINE_BIN", ROOT / "build/bin"))
TOKEN = "soak-token-of-no-worth"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Sim:
    """A devsim hub whose messages are read."""

    def __init__(self, *args):
        self.proc = subprocess.Popen([BIN / "devsim", "hub", *args, "-o", "-", "-q"],
                                     stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        os.set_blocking(self.proc.stdout.fileno(), False)
        self.unpacker = msgpack.Unpacker(raw=False, unicode_errors="replace")
        self.totals = {}

    def read(self):
        """Take in what has come; False at its end."""
        while True:
            try:
                data = os.read(self.proc.stdout.fileno(), 1 << 16)
            except BlockingIOError:
                return True
            if not data:
                return False
            self.unpacker.feed(data)
            for topic, _, _, body in self.unpacker:
                if topic in ("sim.cameras", "sim.engines"):
                    self.totals = body

    def until(self, what, test, seconds=60):
        end = time.monotonic() + seconds
        while True:
            open_still = self.read()
            if self.totals and test(self.totals):
                return
            if not open_still or time.monotonic() > end:
                raise SystemExit(f"hub_soak: not within {seconds} s: {what}: {self.totals}")
            time.sleep(0.05)

    def stop(self):
        self.proc.terminate()
        end = time.monotonic() + 10
        while self.read() and time.monotonic() < end:
            time.sleep(0.05)
        self.proc.wait(10)


class Hub:
    def __init__(self, run):
        self.web, self.door = free_port(), free_port()
        self.log = open(run / "up.log", "wb")
        self.proc = subprocess.Popen(
            [BIN / "tapline", "up", ROOT / "pipelines/hub.conf", f"LISTEN=127.0.0.1:{self.web}",
             f"WS_LISTEN=127.0.0.1:{self.door}", "UDP_LISTEN=no"], stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log, start_new_session=True)
        end = time.monotonic() + 30
        while not self.answers():
            if self.proc.poll() is not None or time.monotonic() > end:
                raise SystemExit("hub_soak: the hub does not come up:\n" + (run / "up.log").read_text())
            time.sleep(0.1)

    def answers(self):
        for port in (self.web, self.door):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                return False
        return True

    def processes(self):
        """{pid: name} of every process below the supervisor, and itself."""
        parent, name = {}, {}
        for p in Path("/proc").iterdir():
            if not p.name.isdigit():
                continue
            try:
                stat = (p / "stat").read_text()
                words = (p / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            pid = int(p.name)
            parent[pid] = int(stat.rpartition(")")[2].split()[1])
            name[pid] = stat[stat.index("(") + 1:stat.rindex(")")]
            if name[pid] == "httpd":
                name[pid] += " " + ("pages" if b"hub.frame" in b" ".join(words) else "door")
        ours = {self.proc.pid}
        while True:
            more = {p for p, q in parent.items() if q in ours} - ours
            if not more:
                return {p: name[p] for p in sorted(ours) if p in name}
            ours |= more

    def stop(self):
        self.proc.send_signal(signal.SIGTERM)
        try:
            self.proc.wait(15)
        except subprocess.TimeoutExpired:
            self.proc.kill()
        self.log.close()


def memory_kib(pid):
    """What the process alone has: the rest of its pages is shared or can be read again."""
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
    return 0


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as f:
        words = f.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def deaf_engine(port):
    """A game that identifies and never reads again."""
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    text = b'{"event":"identify","data":{"type":"gdevelop"}}'
    s.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
    return s


def quarter(samples, k):
    n = len(samples) // 4
    return max(samples[k * n:(k + 1) * n] or samples)


class Soak:
    def __init__(self, args, run):
        self.args = args
        self.hub = Hub(run)
        self.engines = self.cameras = None
        self.deaf = []
        self.samples = {}

    def begin(self):
        a, door = self.args, f"ws://127.0.0.1:{self.hub.door}/"
        self.engines = Sim("engine", "--url", door, "--count", str(a.engines))
        self.engines.until("every engine identified", lambda t: t["identified"] == a.engines)
        self.deaf = [deaf_engine(self.hub.door) for _ in range(a.deaf)]
        self.names = self.hub.processes()
        self.names[self.engines.proc.pid] = "devsim engine"
        self.cpu = {p: cpu_s(p) for p in self.names}
        self.cameras = Sim("camera", "--url", door, "--cameras", str(a.cameras), "--rate",
                           str(a.rate), "--pictures", a.pictures)
        self.names[self.cameras.proc.pid] = "devsim camera"
        self.cpu[self.cameras.proc.pid] = 0

    def sample(self):
        self.engines.read()
        self.cameras.read()
        for p in self.names:
            self.samples.setdefault(p, []).append(memory_kib(p))

    def tell(self, t):
        c, e = self.cameras.totals, self.engines.totals
        print(f"{t:4.0f} s  sent {c.get('sent', 0)}  received {e['received']}  lost {e['lost']}  "
              f"median {e['recent_p50_us']} us  p99 {e['recent_p99_us']} us  "
              f"memory {sum(s[-1] for s in self.samples.values())} KiB", flush=True)

    def go(self):
        begun = told = time.monotonic()
        while time.monotonic() < begun + self.args.seconds:
            time.sleep(1)
            self.sample()
            if time.monotonic() >= told + self.args.tell:
                told = time.monotonic()
                self.tell(told - begun)
        self.lasted = time.monotonic() - begun
        self.cpu = {p: cpu_s(p) - self.cpu[p] for p in self.names}

    def finish(self):
        """The cameras end, and what they have sent arrives."""
        self.cameras.stop()
        wanted = self.cameras.totals["acked"] * self.args.engines
        before = -1
        while self.engines.totals["received"] not in (before, wanted):
            before = self.engines.totals["received"]
            time.sleep(3)
            self.engines.read()
        self.engines.stop()
        return self.verdict(wanted)

    def verdict(self, wanted):
        c, e, ok = self.cameras.totals, self.engines.totals, True
        print(f"\n{c['sent'] / self.lasted:.0f} detections a second, {e['received'] / self.lasted:.0f} "
              f"deliveries; {c['pictures']} pictures, {c['picture_bytes'] // max(1, c['pictures'])} "
              f"bytes each; latency {e['latency_p50_us']} us median, {e['latency_p99_us']} us p99, "
              f"{e['latency_max_us']} us at most")
        most = c["sent"] * self.args.engines  # what was not acknowledged may have been forwarded
        print(f"deliveries: {wanted} wanted, {e['received']} came, {e['lost']} lost, {e['doubled']} "
              f"doubled, {e['overtaken']} overtaken; cameras: {c['skipped']} skipped, "
              f"{c['refused']} refused, {c['sent'] - c['acked']} not acknowledged at the end\n")
        if not wanted <= e["received"] <= most or e["lost"] or e["doubled"] or e["overtaken"] or e["closed"]:
            print("FAILED: deliveries")
            ok = False
        print("memory of its own, KiB   2nd quarter  last quarter    CPU %")
        for p, name in self.names.items():
            early, late = quarter(self.samples[p], 1), quarter(self.samples[p], 3)
            grown = late > early + self.args.slack
            print(f"{name:24} {early:11} {late:13} {100 * self.cpu[p] / self.lasted:8.1f}"
                  f"{'   FAILED: grows' if grown else ''}")
            ok = ok and not grown
        return 0 if ok else 1

    def stop(self):
        for sim in (self.cameras, self.engines):
            if sim and sim.proc.poll() is None:
                sim.proc.kill()
                sim.proc.wait()
        for s in self.deaf:
            s.close()
        self.hub.stop()


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--seconds", type=float, default=600)
    p.add_argument("--cameras", type=int, default=4)
    p.add_argument("--rate", type=float, default=250, help="detections a second of each camera")
    p.add_argument("--engines", type=int, default=100)
    p.add_argument("--pictures", default="100ms", help="from picture to picture of each camera")
    p.add_argument("--deaf", type=int, default=1, help="games beside those that never read")
    p.add_argument("--slack", type=int, default=512, help="KiB a process may grow")
    p.add_argument("--tell", type=float, default=10, help="seconds between lines")
    args = p.parse_args()
    run = Path(tempfile.mkdtemp(prefix="soak.", dir="/tmp"))
    os.environ.update(TAPLINE_RUN=str(run / "run"), AUTH_TOKEN=TOKEN)
    os.environ.pop("TAPLINE_STAGE", None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped
    soak = None
    try:
        soak = Soak(args, run)
        soak.begin()
        soak.go()
        return soak.finish()
    finally:
        if soak:
            soak.stop()
        shutil.rmtree(run, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
