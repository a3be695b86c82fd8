#!/usr/bin/python3
"""handover.py PORT [NAME]: a stand-in for httpd. Answers WebSocket upgrades at 127.0.0.1:PORT (0:
any; the port is printed) and hands the connections over at $TAPLINE_RUN/NAME.sock (ws). ?group=G
puts the client into group G."""
import base64
import hashlib
import os
import socket
import sys
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import wslib

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def read_head(conn):
    data = b""
    while b"\r\n\r\n" not in data:
        more = conn.recv(65536)
        if not more:
            return None, b""
        data += more
    head, extra = data.split(b"\r\n\r\n", 1)
    return head.decode("latin-1").split("\r\n"), extra


def serve(conn, addr, name):
    lines, extra = read_head(conn)
    if not lines:
        return
    target = lines[0].split(" ")[1]
    headers = {k.lower(): v.strip() for k, v in (s.split(":", 1) for s in lines[1:])}
    accept = base64.b64encode(hashlib.sha1(headers["sec-websocket-key"].encode() + GUID).digest())
    conn.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    path, _, query = target.partition("?")
    group = urllib.parse.parse_qs(query).get("group", [""])[0]
    wslib.hand_over(conn.fileno(), name, peer="%s:%d" % addr, path=path, query=query, group=group,
                    origin=headers.get("origin", ""), extra=extra)


def main():
    name = sys.argv[2] if len(sys.argv) > 2 else "ws"
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
    print(listener.getsockname()[1], flush=True)
    while True:
        conn, addr = listener.accept()
        with conn:
            serve(conn, addr, name)


if __name__ == "__main__":
    main()
