#!/usr/bin/python3
"""A viewer of a stream of events who reads nothing until told to, then all there is.

sse_slow.py PORT PATH FILE   connects, prints "connected", reads when FILE is there; at the end of
        the stream, or of two silent seconds, prints as JSON how many messages came, the first and
        last n, how many were told to have been skipped, how often, and the bytes of all
"""
import json
import os
import socket
import sys
import time

port, path, go = sys.argv[1:]
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.connect(("127.0.0.1", int(port)))
s.sendall(f"GET {path} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
print("connected", flush=True)
while not os.path.exists(go):
    time.sleep(0.01)
s.settimeout(2.5)
got = b""
try:
    while piece := s.recv(65536):
        got += piece
except OSError:
    pass
numbers, skipped, told = [], 0, 0
for event in got.decode().split("\n\n"):
    kind, _, data = event.partition("\ndata: ")
    try:
        if kind == "event: message":
            numbers.append(json.loads(data)["body"]["n"])
        elif kind == "event: skipped":
            skipped += json.loads(data)["count"]
            told += 1
    except ValueError:
        pass  # cut at the end
print(json.dumps({"messages": len(numbers), "first": numbers[0] if numbers else None,
                  "last": numbers[-1] if numbers else None, "ordered": numbers == sorted(numbers),
                  "skipped": skipped, "told": told, "bytes": len(got)}), flush=True)
