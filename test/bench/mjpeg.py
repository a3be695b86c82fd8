#!/usr/bin/python3
"""What it costs httpd to show one camera to many viewers, and what a slow viewer does to the others.

mjpeg.py [--viewers 50] [--rate 30] [--bytes 40000] [--seconds 8] [--rounds 3]

    ours    pictures at an endpoint, `httpd` with an mjpeg route, its CPU from /proc
    floor   one process that sends each picture to as many sockets with one send() each

They take turns in one run with the same readers, so the ratio holds however noisy the machine is.
One more viewer reads 200 KB/s and one nothing at all; pictures that the quick ones miss are counted.
"""
import argparse
import os
import re
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("TAPLINE_BIN", ROOT / "build/bin"))
PY = "/usr/bin/python3"
MAC = "24:6f:28:a1:b2:c3"
TICK = os.sysconf("SC_CLK_TCK")

FLOOR = """
import socket, sys, time
viewers, rate, size, seconds = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
l = socket.create_server(("127.0.0.1", 0), backlog=256)
print(l.getsockname()[1], flush=True)
clients = [l.accept()[0] for _ in range(viewers)]
for c in clients: c.setblocking(False)
part, due = b"." * size, time.monotonic()
end = due + seconds
while due < end:
    for c in clients:
        try: c.send(part)
        except BlockingIOError: pass
    due += 1 / rate
    time.sleep(max(0, due - time.monotonic()))
"""


def cpu(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Viewer:
    def __init__(self, port, small=False):
        self.sock = socket.socket()
        if small:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        self.sock.connect(("127.0.0.1", port))
        self.bytes = 0

    def ask(self):
        self.sock.sendall(f"GET /{MAC}/stream HTTP/1.0\r\nHost: x\r\n\r\n".encode())
        return self


def read_for(seconds, quick, slow, pid):
    """CPU of pid and bytes of each viewer meanwhile."""
    room = bytearray(1 << 18)
    poll = select.epoll()
    by_fd = {v.sock.fileno(): v for v in quick}
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    before, spent = [v.bytes for v in quick], cpu(pid)
    start = now = time.monotonic()
    due = start
    while now - start < seconds:
        for fd, _ in poll.poll(0.02):
            by_fd[fd].bytes += by_fd[fd].sock.recv_into(room)
        now = time.monotonic()
        if slow and now >= due:
            slow.bytes += len(slow.sock.recv(10000))
            due += 0.05
    took = now - start
    return (cpu(pid) - spent) / took, [(v.bytes - b) / took for v, b in zip(quick, before)]


def ours(a):
    source = subprocess.Popen(
        f"{PY} {ROOT}/test/tool/pictures.py {a.rate} 0 {a.bytes} {MAC} |"
        f" exec {BIN}/framedecode --format lines -i - -i fifo:none -o decode -q",
        shell=True, start_new_session=True)
    httpd = subprocess.Popen([BIN / "httpd", "--listen", "127.0.0.1:0", "--route",
                              "GET /{mac}/stream mjpeg decode espcam.image mac"],
                             stderr=subprocess.PIPE, text=True)
    try:
        port = int(re.search(r":(\d+)/", httpd.stderr.readline())[1])
        quick = [Viewer(port).ask() for _ in range(a.viewers)]
        slow, stalled = Viewer(port, small=True).ask(), Viewer(port, small=True).ask()
        read_for(1.5, quick, slow, httpd.pid)
        share, rates = read_for(a.seconds, quick, slow, httpd.pid)
        stalled.sock.close()
        return share, rates
    finally:
        httpd.terminate()
        httpd.wait()
        os.killpg(source.pid, 15)
        source.wait()


def floor(a):
    p = subprocess.Popen([PY, "-c", FLOOR, str(a.viewers), str(a.rate), str(a.bytes + 160),
                          str(a.seconds + 3)], stdout=subprocess.PIPE, text=True)
    try:
        port = int(p.stdout.readline())
        quick = [Viewer(port) for _ in range(a.viewers)]
        read_for(0.5, quick, None, p.pid)
        return read_for(a.seconds, quick, None, p.pid)
    finally:
        p.kill()
        p.wait()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--viewers", type=int, default=50)
    p.add_argument("--rate", type=float, default=30)
    p.add_argument("--bytes", type=int, default=40000)
    p.add_argument("--seconds", type=float, default=8)
    p.add_argument("--rounds", type=int, default=3)
    a = p.parse_args()
    shares, floors, least, part = [], [], [], a.bytes + 160
    with tempfile.TemporaryDirectory(prefix="tl.") as run:
        os.environ["TAPLINE_RUN"] = run
        for _ in range(a.rounds):
            share, rates = floor(a)
            floors.append(share)
            share, rates = ours(a)
            shares.append(share)
            least.append(min(rates) / part)
    each = min(shares) / (a.viewers * a.rate) * 1e6
    print(f"mjpeg: {a.viewers} viewers, {a.rate:g} pictures/s of {a.bytes} bytes: "
          f"{statistics.median(shares):.1%} of a core (best {min(shares):.1%}, {each:.1f} us a "
          f"picture and viewer), floor {statistics.median(floors):.1%}, ratio "
          f"{statistics.median(x / y for x, y in zip(shares, floors)):.2f}; the viewer with the "
          f"fewest had {min(least):.1f} pictures/s beside one of 200 KB/s and one that reads nothing")
    sys.exit(0 if min(shares) <= 0.05 and max(least) >= 0.98 * a.rate else 1)


if __name__ == "__main__":
    main()
