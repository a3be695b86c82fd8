#!/usr/bin/python3
"""The HEV serial protocol by an implementation that is not ours, for tests and benches.

Payloads are read with Python's struct from the rows of test/data/hev/layouts.txt; names of numbers
are left to the program under test.

hev_frames.py frames DUMP [NS]      frames of the dump's payloads, N(S) counting from NS (0)
hev_frames.py decode RAW            frames of a capture -> lines as `msgs.py decode` writes them
hev_frames.py peer LINK IGNORE [DUMP]
                                    a ventilator on a pseudo-terminal behind the symbolic link: sends
                                    the dump's payloads, each until it is acknowledged, prints what
                                    it gets ("got HEX", "all acknowledged"), and acknowledges it,
                                    but for the first IGNORE frames
"""
import json
import os
import re
import select
import struct
import sys
import time
import tty
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "data/hev"
ADDRESS = {"DATA": 0x40, "CMD": 0x80, "ALARM": 0xC0}


def fcs(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return struct.pack("<H", crc ^ 0xFFFF)


def escaped(content):
    return content.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e")


def wire(content):
    return b"\x7e" + escaped(content + fcs(content)) + b"\x7e"


def info(address, ns, payload):
    return wire(bytes([address, 0, ns << 1]) + payload)


def ack(address, nr, control=1):
    return wire(bytes([address, nr << 1, control]))


def contents(stream):
    """The good contents between flags, without FCS."""
    for piece in stream.split(b"\x7e"):
        data = re.sub(rb"\x7d(.)", lambda m: bytes([m[1][0] ^ 0x20]), piece, flags=re.S)
        if len(data) >= 5 and fcs(data[:-2]) == data[-2:]:
            yield data[:-2]


def layouts():
    for line in (DATA / "layouts.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, first, last, size, form, fields = line.split("|")
            yield name, int(first, 16), int(last, 16), int(size), form, fields.split(",")


LAYOUTS = list(layouts())
TYPES = ["", "DATA", "READBACK", "CYCLE", "", "CMD", "ALARM", "DEBUG", "IVT", "LOGMSG", "TARGET",
         "BATTERY", "LOOP_STATUS", "PERSONAL"]


def decode(address, payload):
    """Type and fields, all numbers."""
    version = payload[0]
    kind = TYPES[payload[5]] if version >= 0xA2 else \
        next(k for k, v in ADDRESS.items() if v == address & 0xC0)
    for name, first, last, size, form, fields in LAYOUTS:
        if name == kind and first <= version <= last and size == len(payload):
            return kind, dict(zip(fields, struct.unpack(form, payload)))
    raise ValueError(payload.hex())


def dump_payloads(path):
    data = Path(path).read_bytes()
    if data[:2] == b"\xa0\x1b":
        for i in range(0, len(data), 27):
            yield 0x40, data[i:i + 1] + data[i + 2:i + 27]
        return
    for line in data.decode().split():
        payload = bytes.fromhex(line[2:-1])
        yield {5: 0x80, 6: 0xC0}.get(payload[5], 0x40), payload


def frames(path, ns=0):
    out = b""
    for address, payload in dump_payloads(path):
        out += info(address, ns, payload)
        ns = (ns + 1) % 128
    return out


def decode_capture(path):
    for content in contents(Path(path).read_bytes()):
        if not content[2] & 1:
            kind, fields = decode(content[0], content[3:])
            print(f"hev.{kind.lower()} {json.dumps(fields)}")


class Peer:
    def __init__(self, link, ignore, payloads):
        self.master, slave = os.openpty()
        tty.setraw(slave)
        os.symlink(os.ttyname(slave), link)
        self.slave = slave  # kept open: no hang-up while nobody is there
        self.ignore, self.payloads = ignore, list(payloads)
        self.ns, self.buffer, self.resend_at = 0, b"", 0

    def send(self):
        if self.payloads and time.monotonic() >= self.resend_at:
            os.write(self.master, info(self.payloads[0][0], self.ns, self.payloads[0][1]))
            self.resend_at = time.monotonic() + 0.2

    def take(self, content):
        address, control1, control2 = content[:3]
        if control2 & 1:
            if self.payloads and control2 == 1 and control1 >> 1 == (self.ns + 1) % 128:
                self.payloads.pop(0)
                self.ns, self.resend_at = (self.ns + 1) % 128, 0
                if not self.payloads:
                    print("all acknowledged", flush=True)
            return
        print("got", content.hex(), flush=True)
        if self.ignore > 0:
            self.ignore -= 1
        else:
            os.write(self.master, ack(address, ((control2 >> 1) + 1) % 128))

    def run(self):
        while True:
            self.send()
            if not select.select([self.master], [], [], 0.05)[0]:
                continue
            self.buffer += os.read(self.master, 4096)
            whole, flag, self.buffer = self.buffer.rpartition(b"\x7e")
            for content in contents(whole + flag):
                self.take(content)


if __name__ == "__main__":
    if sys.argv[1] == "peer":
        Peer(sys.argv[2], int(sys.argv[3]),
             [p for path in sys.argv[4:] for p in dump_payloads(path)]).run()
    elif sys.argv[1] == "frames":
        sys.stdout.buffer.write(frames(sys.argv[2], int((sys.argv[3:] or ["0"])[0])))
    else:
        decode_capture(sys.argv[2])
