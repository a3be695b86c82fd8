#!/usr/bin/python3
"""Speak with stages from a test, without any of tapline's own code in between.

    spbus.py decode [FILE]            messages of a pipe or file as lines "topic {json}"
    spbus.py times [FILE]             the same with the time in ns in front
    spbus.py data TOPIC [FILE]        the bytes of every body's "data", joined
    spbus.py put TOPIC JSON [COUNT]   messages on standard output ("b:..." = binary, latin-1)
    spbus.py ask NAME JSON            one request; prints the reply, exit 1 when it is not ok
    spbus.py burst NAME JSON COUNT    requests without waiting for replies, 0.3 ms apart
    spbus.py sub NAME [PREFIX]        follow a publisher, as decode does

NAME is an endpoint in $TAPLINE_RUN. The wire format is that of NNG's ipc transport (SP over a
Unix stream socket).
"""
import json
import os
import select
import socket
import struct
import sys
import time

import msgpack

REQ, REP, PUB, SUB = 0x30, 0x31, 0x20, 0x21


def plain(v):
    if isinstance(v, bytes):
        return v.decode("latin-1")
    if isinstance(v, dict):
        return {plain(k): plain(x) for k, x in v.items()}
    if isinstance(v, list):
        return [plain(x) for x in v]
    return v


def binary(v):
    if isinstance(v, str) and v.startswith("b:"):
        return v[2:].encode("latin-1")
    if isinstance(v, dict):
        return {k: binary(x) for k, x in v.items()}
    return v


def show(m):
    print(m[0], json.dumps(plain(m[3]), sort_keys=True), flush=True)


def messages(f):
    u = msgpack.Unpacker(raw=False, strict_map_key=False, max_buffer_size=1 << 30)
    while chunk := f.read(1 << 16):
        u.feed(chunk)
        yield from u


def exactly(s, n):
    b = b""
    while len(b) < n:
        chunk = s.recv(n - len(b))
        if not chunk:
            raise EOFError
        b += chunk
    return b


def dial(path, ours, theirs):
    end = time.monotonic() + 5
    while True:
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(10)
        try:
            s.connect(path)
            break
        except OSError:
            s.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
    s.sendall(b"\0SP\0" + struct.pack(">HH", ours, 0))
    head = exactly(s, 8)
    assert head == b"\0SP\0" + struct.pack(">HH", theirs, 0), head
    return s


def send(s, body):
    s.sendall(b"\1" + struct.pack(">Q", len(body)) + body)


def receive(s):
    kind, n = struct.unpack(">BQ", exactly(s, 9))
    assert kind == 1
    return exactly(s, n)


def address(name, suffix):
    return os.path.join(os.environ["TAPLINE_RUN"], name + suffix)


def ask(name, request):
    s = dial(address(name, ".rep"), REQ, REP)
    send(s, struct.pack(">I", 0x80000001) + msgpack.packb(binary(json.loads(request))))
    reply = plain(msgpack.unpackb(receive(s)[4:], raw=False))
    print(json.dumps(reply, sort_keys=True))
    return 0 if reply.get("ok") else 1


def burst(name, request, count):
    s = dial(address(name, ".rep"), REQ, REP)
    body = msgpack.packb(binary(json.loads(request)))
    for n in range(int(count)):
        send(s, struct.pack(">I", 0x80000000 | n) + body)
        time.sleep(0.0003)
        while select.select([s], [], [], 0)[0] and s.recv(1 << 16):
            pass
    return 0


def sub(name, prefix=""):
    s = dial(address(name, ".pub"), SUB, PUB)
    s.settimeout(None)
    while True:
        body = receive(s)
        topic, _, rest = body.partition(b"\0")
        if topic.decode().startswith(prefix):
            show(msgpack.unpackb(rest, raw=False))


def put(topic, body, count=1):
    now = time.time_ns()
    for seq in range(1, int(count) + 1):
        text = body.replace("%d", str(seq))
        m = [topic, now, seq, binary(json.loads(text))]
        sys.stdout.buffer.write(msgpack.packb(m, use_bin_type=True))
    return 0


def source(args):
    return open(args[0], "rb") if args else sys.stdin.buffer


def main(op, args):
    if op == "decode":
        for m in messages(source(args)):
            show(m)
    elif op == "times":
        for m in messages(source(args)):
            print(m[1], end=" ")
            show(m)
    elif op == "data":
        for m in messages(source(args[1:])):
            if m[0] == args[0]:
                sys.stdout.buffer.write(m[3]["data"])
    else:
        return {"put": put, "ask": ask, "burst": burst, "sub": sub}[op](*args)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1], sys.argv[2:]))
    except (BrokenPipeError, KeyboardInterrupt, EOFError):
        sys.exit(0)
