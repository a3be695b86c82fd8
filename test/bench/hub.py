#!/usr/bin/python3
"""From a camera's send() to the bytes of its detection being read by each game engine.

The hub's pipeline and `floor` (one process that does nothing but pass a camera's frames on, written
in this file) take turns in one run, read by the same client, so the ratio holds however noisy the
machine is. Then: the highest load asked for (every game must get every detection in order), many
games, games that never read, and what the stages take.

hub.py [--games 1,10,100] [--messages 400] [--rounds 3] [--rate 6000] [--seconds 5] [--many 1000]
"""
import argparse
import base64
import hashlib
import json
import os
import re
import resource
import select
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("TAPLINE_BUILD", ROOT / "build")) / "bin"
TOKEN = "bench-token"
SEQ = re.compile(rb'"timestamp":(\d+)')
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
DETECTION = ('{"event":"apriltag_data","tag_id":5,"decision_margin":87.3,"yaw":-15.2,"pitch":8.7,"roll":2.1,'
             '"x_cm":10.5,"y_cm":-5.3,"z_cm":42.0,"range_cm":43.6,"timestamp":%d,'
             '"camera_name":"Waveshare-ESP32-S3","smartcam_ip":"192.0.2.10"}')


# ---------------------------------------------------------------- frames

def frame(text, mask=0x80):
    """A text frame; masked with the key 0, as cameras do."""
    data = text.encode() if isinstance(text, str) else text
    head = struct.pack(">BB", 0x81, mask | len(data)) if len(data) < 126 else struct.pack(">BBH", 0x81, mask | 126, len(data))
    return head + bytes(4 if mask else 0) + data


def take_frames(buf, masked=False):
    """Whole frames at the start of buf: [(opcode, payload)], and how many bytes they took."""
    out, at, n = [], 0, len(buf)
    while n - at >= 2:
        size, head = buf[at + 1] & 127, at + 2
        if size == 126:
            if n - at < 4:
                break
            size, head = buf[at + 2] << 8 | buf[at + 3], at + 4
        head += 4 if masked else 0
        if head + size > n:
            break
        out.append((buf[at] & 15, bytes(buf[head:head + size])))
        at = head + size
    return out, at


class Client:
    def __init__(self, port, kind, rcvbuf=None):
        self.s = socket.socket()
        if rcvbuf:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.s.settimeout(10)
        self.s.connect(("127.0.0.1", port))
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.s.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.b64encode(os.urandom(16)) + b"\r\n\r\n")
        self.buf = bytearray()
        while b"\r\n\r\n" not in self.buf:
            data = self.s.recv(4096)
            assert data, "closed during the handshake"
            self.buf += data
        del self.buf[:self.buf.index(b"\r\n\r\n") + 4]
        self.s.sendall(frame(json.dumps({"event": "identify", "data": {"type": kind, "auth_token": TOKEN}})))
        while not any(b"identify_success" in p for _, p in self.read()):
            pass
        self.s.setblocking(False)

    def read(self):
        try:
            data = self.s.recv(1 << 18)
        except BlockingIOError:
            return []
        assert data, "the server has closed a connection"
        self.buf += data
        frames, took = take_frames(self.buf)
        del self.buf[:took]
        for op, payload in frames:
            if op == 9:
                self.s.send(bytes([0x8A, 0x80 | len(payload)]) + bytes(4) + payload)
        return frames


# ---------------------------------------------------------------- servers

class Floor:
    """Whatever a camera sends goes to every game, and an acknowledgement back. Nothing else."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.pid = os.fork()
        if self.pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self.serve()
        self.listener.close()

    def serve(self):
        ep, conns, games = select.epoll(), {}, {}
        ep.register(self.listener, select.EPOLLIN)
        while True:
            for fd, _ in ep.poll():
                if fd == self.listener.fileno():
                    self.welcome(ep, conns)
                else:
                    self.pass_on(ep, fd, conns, games)

    def welcome(self, ep, conns):
        s = self.listener.accept()[0]
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = re.search(rb"Key: (\S+)", s.recv(4096)).group(1)
        s.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  b"Sec-WebSocket-Accept: " + base64.b64encode(hashlib.sha1(key + GUID).digest()) + b"\r\n\r\n")
        conns[s.fileno()] = (s, bytearray())
        ep.register(s, select.EPOLLIN)

    def pass_on(self, ep, fd, conns, games):
        s, buf = conns[fd]
        try:
            data = s.recv(65536)
        except OSError:
            data = b""
        if not data:
            ep.unregister(fd)
            games.pop(fd, None)
            conns.pop(fd)[0].close()
            return
        buf += data
        frames, took = take_frames(buf, masked=True)
        del buf[:took]
        out, back = b"", b""
        for op, payload in frames:
            if b"identify" in payload:
                games.update({fd: s} if b"gdevelop" in payload else {})
                back += frame(b'{"event":"identify_success"}', 0)
            elif op == 1:
                out += frame(payload, 0)
                back += frame(b'{"event":"apriltag_ack"}', 0)
        for g in list(games.values()) if out else []:
            try:
                g.sendall(out)
            except OSError:
                pass
        if back:
            s.sendall(back)

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)


class Hub:
    def __init__(self):
        self.dir = tempfile.TemporaryDirectory(prefix="tl.")
        self.env = dict(os.environ, TAPLINE_RUN=self.dir.name + "/run", AUTH_TOKEN=TOKEN)
        self.port, web = free_port(), free_port()
        self.p = subprocess.Popen([BIN / "tapline", "up", ROOT / "pipelines/hub.conf", f"LISTEN=127.0.0.1:{web}",
                                   f"WS_LISTEN=127.0.0.1:{self.port}", "UDP_LISTEN=no"], env=self.env,
                                  stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for line in self.p.stderr:
            if "is up" in line:
                break
        else:
            sys.exit("hub.py: the pipeline does not start")
        os.set_blocking(self.p.stderr.fileno(), False)
        while True:  # httpd says where it listens a moment later
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.05)

    def stages(self):
        r = subprocess.run([BIN / "tapline", "req", "supervisor", "status"], env=self.env, capture_output=True, check=True)
        return {s["name"]: s["pid"] for s in json.loads(r.stdout)["stages"]}

    def use(self):
        """CPU seconds and resident MiB of all stages."""
        cpu = memory = 0
        for pid in self.stages().values():
            f = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
            cpu += (int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK")
            memory += int(f[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        return cpu, memory

    def stop(self):
        self.p.terminate()
        self.p.wait()
        self.dir.cleanup()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# ---------------------------------------------------------------- latency

def latency(port, games, messages, stalled=0, spacing=0.005, warm=30):
    """Milliseconds of each delivery."""
    deaf = [Client(port, "gdevelop", 2048) for _ in range(stalled)]
    clients = [Client(port, "gdevelop") for _ in range(games)]
    camera = Client(port, "esp32")
    ep, by_fd = select.epoll(), {c.s.fileno(): c for c in clients + [camera]}
    for fd in by_fd:
        ep.register(fd, select.EPOLLIN)
    sent, got, total = [], [], (messages + warm) * games
    due, count, end = time.monotonic() + 0.05, 0, None
    while count < total and (end is None or time.monotonic() < end):
        now = time.monotonic()
        if len(sent) < messages + warm and now >= due:
            camera.s.sendall(frame(DETECTION % len(sent)))
            sent.append(now)
            due += spacing
            if len(sent) == messages + warm:
                end = now + 5
        for fd, _ in ep.poll(max(0, due - time.monotonic()) if len(sent) < messages + warm else 0.1):
            frames = by_fd[fd].read()
            now = time.monotonic()
            for _, payload in frames if by_fd[fd] is not camera else []:
                seq = int(SEQ.search(payload).group(1)) if SEQ.search(payload) else -1
                if 0 <= seq < len(sent) and b"apriltag_data" in payload:
                    count += 1
                    if seq >= warm:
                        got.append((now - sent[seq]) * 1000)
    for c in clients + deaf + [camera]:
        c.s.close()
    assert count >= total, f"{total - count} of {total} deliveries are missing"
    return got


def percentile(v, q):
    v = sorted(v)
    return v[min(len(v) - 1, int(q * len(v)))]


# ---------------------------------------------------------------- rate

def reader(clients, count, base, deadline, pipe):
    """In a process of its own: count what each game gets, and whether its order is kept."""
    expect, done = {c.s.fileno(): 0 for c in clients}, 0
    by_fd, wrong = {c.s.fileno(): c for c in clients}, 0
    poll = select.epoll()
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    while done < len(clients) and time.monotonic() < deadline:
        for fd, _ in poll.poll(0.1):
            for _, payload in by_fd[fd].read():
                m = SEQ.search(payload)
                if not m:
                    continue
                wrong += int(m.group(1)) != base + expect[fd]
                expect[fd] += 1
                done += expect[fd] == count
        time.sleep(0.005)  # several messages in one read: the client must cost little
    os.write(pipe, json.dumps([sum(expect.values()), wrong, time.monotonic()]).encode())
    os._exit(0)


def rate(port, games, per_second, seconds):
    """(lost, out of order, seconds from the last send to the last delivery, sent a second)"""
    clients, camera = [Client(port, "gdevelop") for _ in range(games)], Client(port, "esp32")
    count, base = int(per_second * seconds), 1000000
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        reader(clients, count, base, time.monotonic() + seconds + 10, w)
    for c in clients:
        c.s.close()
    camera.s.settimeout(10)
    start, i = time.monotonic(), 0
    while i < count:
        due = min(count, int((time.monotonic() - start) * per_second))
        if due > i:
            camera.s.sendall(b"".join(frame(DETECTION % (base + k)) for k in range(i, due)))
            i = due
        camera.s.setblocking(False)
        camera.read()
        camera.s.settimeout(10)
        time.sleep(0.0005)
    sent = time.monotonic()
    got, wrong, last = json.loads(os.read(r, 1000))
    os.waitpid(pid, 0)
    os.close(r)
    os.close(w)
    camera.s.close()
    return count * games - got, wrong, last - sent, count / (sent - start)


# ---------------------------------------------------------------- all

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--games", default="1,10,100")
    p.add_argument("--messages", type=int, default=400)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--rate", type=int, default=6000)
    p.add_argument("--seconds", type=int, default=5)
    p.add_argument("--many", type=int, default=1000)
    a = p.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    hub, floor = Hub(), Floor()
    try:
        for n in map(int, a.games.split(",")):
            ours, least = [], []
            for _ in range(a.rounds):
                least.append(latency(floor.port, n, a.messages))
                ours.append(latency(hub.port, n, a.messages))
            mine, its = (statistics.median(statistics.median(x) for x in v) for v in (ours, least))
            print(f"hub: {n:4d} games: median {mine:.3f} ms, p99 {statistics.median(percentile(x, 0.99) for x in ours):.2f}; "
                  f"floor {its:.3f}, {statistics.median(percentile(x, 0.99) for x in least):.2f}; ratio {mine / its:.2f}", flush=True)
        p99 = {0: [], 5: []}
        for _ in range(a.rounds):
            for stalled, list_ in p99.items():
                list_.append(percentile(latency(hub.port, 10, a.messages, stalled), 0.99))
        print(f"hub:   10 games, 5 more that never read: p99 {statistics.median(p99[5]):.2f} ms; "
              f"without them {statistics.median(p99[0]):.2f}", flush=True)
        for n, r in ((100, a.rate), (a.many, 100)):
            before, t0 = hub.use(), time.monotonic()
            lost, wrong, tail, real = rate(hub.port, n, r, a.seconds)
            after = hub.use()
            cost = (after[0] - before[0]) / (n * r * a.seconds) * 1e6
            print(f"hub: {n:4d} games, {real:.0f} detections/s: {lost} lost, {wrong} out of order, the last one "
                  f"{tail * 1000:.0f} ms after it was sent; {100 * (after[0] - before[0]) / (time.monotonic() - t0):.0f} % of a "
                  f"core, {cost:.2f} us of CPU a delivery, {after[1]:.0f} MiB", flush=True)
    finally:
        floor.stop()
        hub.stop()


if __name__ == "__main__":
    main()
