#!/usr/bin/python3
"""Viewers of a stream of pictures, which check every byte of multipart/x-mixed-replace.

mjpeg.py URL [--viewers N] [--seconds S] [--images N] [--slow BYTES] [--stalled N]
        Until every viewer has had that many images, or for that long. --slow: one more viewer that
        reads BYTES a second; --stalled: so many more that read nothing. Prints as JSON the images
        of each viewer, their contents' numbers ("MAC n " as pictures.py writes), how old the last
        was (X-Timestamp) and the head of the answer. Exit 1 when anything is malformed.
"""
import argparse
import json
import re
import select
import socket
import sys
import time
from urllib.parse import urlsplit

HEAD_MAX = 1 << 16


class Viewer:
    def __init__(self, url, rate=None, stalled=False):
        u = urlsplit(url)
        self.sock = socket.socket()
        if rate or stalled:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        self.sock.connect((u.hostname, u.port))
        self.sock.sendall(f"GET {u.path} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
        self.buf = b""
        self.head = None
        self.numbers, self.sizes, self.ages = [], [], []
        self.rate, self.stalled, self.ended = rate, stalled, False
        self.ready_at = 0

    def read(self):
        data = self.sock.recv(self.rate // 20 if self.rate else 1 << 20)
        if self.rate:
            self.ready_at = time.monotonic() + len(data) / self.rate
        self.ended = not data
        self.buf += data
        while self.step():
            pass

    def step(self):
        if self.head is None:
            head, sep, rest = self.buf.partition(b"\r\n\r\n")
            if not sep:
                assert len(self.buf) < HEAD_MAX
                return False
            self.head, self.buf = head.decode(), rest
            assert self.head.startswith("HTTP/1."), self.head
            assert " 200 " in self.head.splitlines()[0], self.head
            assert "transfer-encoding" not in self.head.lower(), self.head
            self.boundary = b"--" + re.search(r"(?i)boundary=(\S+)", self.head)[1].encode()
            self.begun = False
        if not self.begun:
            first = self.boundary + b"\r\n"
            if len(self.buf) < len(first):
                return False
            assert self.buf.startswith(first), self.buf[:80]
            self.buf, self.begun = self.buf[len(first):], True
        return self.part()

    def part(self):
        head, sep, rest = self.buf.partition(b"\r\n\r\n")
        if not sep:
            return False
        size = int(re.search(rb"Content-Length: (\d+)", head)[1])
        tail = b"\r\n" + self.boundary + b"\r\n"
        if len(rest) < size + len(tail):
            return False
        data = rest[:size]
        assert data.startswith(b"\xff\xd8") and data.endswith(b"\xff\xd9"), "an image was cut"
        assert rest[size:size + len(tail)] == tail, "no boundary behind the image"
        self.numbers.append(int(data[4:60].split(b" ")[1]))
        self.sizes.append(size)
        self.ages.append(time.time() - float(re.search(rb"X-Timestamp: ([\d.]+)", head)[1]))
        self.buf = rest[size + len(tail):]
        return True


def main():
    p = argparse.ArgumentParser()
    p.add_argument("url")
    p.add_argument("--viewers", type=int, default=1)
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--images", type=int, default=0)
    p.add_argument("--slow", type=int)
    p.add_argument("--stalled", type=int, default=0)
    a = p.parse_args()
    quick = [Viewer(a.url) for _ in range(a.viewers)]
    slow = [Viewer(a.url, rate=a.slow)] if a.slow else []
    stalled = [Viewer(a.url, stalled=True) for _ in range(a.stalled)]
    end = time.monotonic() + a.seconds
    while time.monotonic() < end and not (a.images and all(len(v.numbers) >= a.images for v in quick)):
        now = time.monotonic()
        open_now = [v for v in quick + slow if not v.ended and v.ready_at <= now]
        for s in select.select([v.sock for v in open_now], [], [], 0.02)[0]:
            next(v for v in open_now if v.sock is s).read()
        if all(v.ended for v in quick):
            break
    report = [{"images": len(v.numbers), "numbers": v.numbers, "ended": v.ended,
               "age": round(v.ages[-1], 3) if v.ages else None,
               "oldest": round(max(v.ages), 3) if v.ages else None} for v in quick + slow]
    print(json.dumps({"viewers": report, "head": quick[0].head}))
    for v in quick + slow:
        assert v.numbers == sorted(set(v.numbers)), "images repeated or out of order"


try:
    main()
except AssertionError as e:
    print(f"mjpeg.py: {e}", file=sys.stderr)
    sys.exit(1)
