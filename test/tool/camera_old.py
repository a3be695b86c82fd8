#!/usr/bin/python3
"""A camera server that answers no command, as clients may meet one: camera_old.py [STALE]

Prints its three ports (data, settings, authentication), then what it is told, a line each. Every
packet comes byte by byte, with noise and a damaged packet before it. With STALE it authenticates
nobody and closes its other ports at once.
"""
import socket
import sys
import threading

PASSWORD = b"1111"


def packet(ident, kind, payload=b""):
    p = bytes([0, 255, ident, kind]) + len(payload).to_bytes(2, "big") + payload
    x = 0
    for b in p:
        x ^= b
    return p + bytes([x])


def say(s, p):
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for b in b"\x00\x00\xff" + packet(7, 7, b"\x00\xff") + p[:-1] + bytes([p[-1] ^ 1]) + p:
        s.send(bytes([b]))


def read(s):
    head = b""
    while len(head) < 6:
        b = s.recv(6 - len(head))
        if not b:
            raise EOFError
        head += b
    rest, n = b"", int.from_bytes(head[4:6], "big") + 1
    while len(rest) < n:
        rest += s.recv(n - len(rest))
    assert packet(head[2], head[3], rest[:-1]) == head + rest
    return rest[:-1]


def data(s):
    for n in range(5):
        say(s, packet(1, 0, bytes([n]) + (1700000000000 + n).to_bytes(8, "big")))


def settings(s):
    values = bytes([100, 1, 10, 10, 10, 127])
    while True:
        told = read(s)
        if told:
            values = told
            print("set", told.hex(), flush=True)
        else:
            say(s, packet(2, 0, values + bytes(3)))


def auth(s):
    right = read(s) == PASSWORD and not STALE
    print("auth", right, flush=True)
    say(s, packet(0, 0, b"ready") if right else packet(0, 2))


def serve(listener, act):
    while True:
        s, _ = listener.accept()
        with s:
            try:
                if not STALE or act is auth:
                    act(s)
            except (EOFError, OSError):
                pass


STALE = len(sys.argv) > 1
listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
for pair in zip(listeners, (data, settings, auth)):
    threading.Thread(target=serve, args=pair, daemon=True).start()
print(*(one.getsockname()[1] for one in listeners), flush=True)
threading.Event().wait()
