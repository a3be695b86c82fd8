#!/usr/bin/python3
"""Recordings for tests, made and compared by an encoder that is not ours.

tape.py make FILE [K=V]...  n=50 messages of gap=0.02 s, topic=test.n, size=0 bytes of data, lose=7,8
                            (sequence numbers left out), source=src (none: no record.start)
tape.py same A B            the same topics, sequence numbers and bodies in the same order
tape.py gaps A B            the largest difference of the times between messages, in ms
tape.py seqs FILE [TOPIC]   the sequence numbers, on a line
Each leaves out record. and sys.
"""
import sys

import msgpack

T0 = 1_700_000_000_000_000_000


def read(path):
    with open(path, "rb") as f:
        unpacker = msgpack.Unpacker(f, max_buffer_size=1 << 28)
        return [m for m in unpacker if not m[0].startswith(("record.", "sys."))]


def make(path, *options):
    o = {"n": "50", "gap": "0.02", "topic": "test.n", "size": "0", "lose": "0", "source": "src"}
    o.update(x.split("=", 1) for x in options)
    lost = {int(x) for x in o["lose"].split(",")}
    with open(path, "wb") as f:
        if o["source"] != "none":
            start = {"version": 1, "time": T0, "endpoints": o["source"].split(",")}
            f.write(msgpack.packb(["record.start", T0, 1, start]))
        for k in range(1, int(o["n"]) + 1):
            at = T0 + int((k - 1) * float(o["gap"]) * 1e9)
            if k not in lost:
                f.write(msgpack.packb([o["topic"], at, k, {"k": k, "data": bytes(int(o["size"]))}]))


def same(a, b):
    x, y = ([(m[0], m[2], m[3]) for m in read(p)] for p in (a, b))
    if x != y:
        sys.exit(f"{len(x)} and {len(y)} messages; the first that differ: "
                 f"{next(((i, p, q) for i, (p, q) in enumerate(zip(x, y)) if p != q), None)}")


def gaps(a, b):
    x, y = ([m[1] for m in read(p)] for p in (a, b))
    worst = max(abs((q - y[0]) - (p - x[0])) for p, q in zip(x, y))
    print(f"{worst / 1e6:.3f}")


def seqs(path, topic=None):
    print(*[m[2] for m in read(path) if topic in (None, m[0])])


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
