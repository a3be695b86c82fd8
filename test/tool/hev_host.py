#!/usr/bin/python3
"""The host's end of a HEV ventilator's line, by a decoder that is not ours.

hev_host.py DEVICE [deaf]     lines on standard output, as frames come:
                                  info ADDRESS N(S) PAYLOAD-HEX
                                  ack ADDRESS N(R)
                                  bad (wrong check sum)
                              each info frame is acknowledged, unless deaf; a repetition of the
                              last one (same N(S) and payload) is, too, but is told as "again"
lines on standard input:          send ADDRESS N(S) PAYLOAD-HEX
                                  raw HEX
                                  deaf, hear
"""
import os
import select
import struct
import sys
import tty

TABLE = []
for i in range(256):
    for _ in range(8):
        i = i >> 1 ^ 0x8408 if i & 1 else i >> 1
    TABLE.append(i)


def check_sum(content):
    c = 0xFFFF
    for b in content:
        c = c >> 8 ^ TABLE[(c ^ b) & 0xFF]
    return struct.pack("<H", c ^ 0xFFFF)


def frame(content):
    out = b"\x7e"
    for b in content + check_sum(content):
        out += bytes([0x7D, b ^ 0x20]) if b in (0x7D, 0x7E) else bytes([b])
    return out + b"\x7e"


def unescape(piece):
    out, parts = b"", piece.split(b"\x7d")
    out = parts[0]
    for p in parts[1:]:
        out += bytes([p[0] ^ 0x20]) + p[1:] if p else b""
    return out


class Host:
    def __init__(self, device, deaf):
        self.fd = os.open(device, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)
        self.deaf = deaf
        self.held = b""
        self.last = {}

    def tell(self, *words):
        print(*words, flush=True)

    def take(self, content):
        if check_sum(content[:-2]) != content[-2:]:
            return self.tell("bad")
        address, control1, control2 = content[:3]
        payload = content[3:-2]
        if control2 & 1:
            return self.tell("ack" if control2 & 0xF == 1 else "nack", "%02X" % address, control1 >> 1)
        again = self.last.get(address) == content
        self.last[address] = content
        self.tell("again" if again else "info", "%02X" % address, control2 >> 1, payload.hex().upper())
        if not self.deaf:
            os.write(self.fd, frame(bytes([address, ((control2 >> 1) + 1) % 128 << 1, 1])))

    def read(self):
        data = os.read(self.fd, 65536)
        if not data:
            raise OSError("hung up")
        self.held += data
        *pieces, self.held = self.held.split(b"\x7e")
        for p in pieces:
            content = unescape(p)
            if len(content) >= 5:
                self.take(content)

    def command(self, line):
        word, *rest = line.split()
        if word == "send":
            os.write(self.fd, frame(bytes([int(rest[0], 16), 0, int(rest[1]) << 1]) + bytes.fromhex(rest[2])))
        elif word == "raw":
            os.write(self.fd, bytes.fromhex(rest[0]))
        else:
            self.deaf = word == "deaf"


def main(device, deaf=""):
    host = Host(device, deaf == "deaf")
    host.tell("open")
    files, text = [host.fd, 0], ""
    while True:
        ready, _, _ = select.select(files, [], [])
        if host.fd in ready:
            try:
                host.read()
            except OSError:
                return host.tell("gone")
        if 0 in ready:
            data = os.read(0, 65536).decode()
            if not data:
                files.remove(0)
            text += data
            *lines, text = text.split("\n")
            for line in filter(None, lines):
                host.command(line)


main(*sys.argv[1:])
