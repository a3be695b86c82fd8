#!/usr/bin/python3
"""Requests with a PROXY header in front, and what comes through a real TLS terminator.

http_proxy.py ask WHERE HEADER PATH [HEADER:VALUE]...
        a GET behind that PROXY header in one piece; the answer to standard output. WHERE: a port of
        this machine or the path of a Unix socket. HEADER: the line of version 1 without its end; or
        2:ADDRESS:PORT, 2plain:ADDRESS:PORT, 2local for version 2 (with TLS, without, from itself)
http_proxy.py drip WHERE HEADER PATH
        the same one byte at a time
http_proxy.py bytes WHERE HEX         these bytes; how the connection ends
http_proxy.py silent WHERE N SECONDS  N connections that say nothing; how many end within that time
http_proxy.py early PORT PATH BYTES [HEADER:VALUE]...
        the head of a POST, and its body only after the answer has come; the answer, and whether the
        connection was reset before it could be read
http_proxy.py wss PORT PATH           a WebSocket through TLS; sends "hello", prints what comes back
"""
import asyncio
import ipaddress
import socket
import ssl
import struct
import sys
import time

V2 = b"\r\n\r\n\0\r\nQUIT\n"
LIMIT = 10


def connect(where):
    if "/" not in where:
        return socket.create_connection(("127.0.0.1", int(where)), timeout=LIMIT)
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(LIMIT)
    s.connect(where)
    return s


def version2(text):
    kind, _, peer = text.partition(":")
    if kind == "2local":
        return V2 + b"\x20\x00\x00\x00"
    host, _, port = peer.rpartition(":")
    address = ipaddress.ip_address(host.strip("[]"))
    family, own = (0x11, b"\x7f\0\0\1") if address.version == 4 else (0x21, bytes(15) + b"\1")
    body = address.packed + own + struct.pack(">HH", int(port), 443)
    body += struct.pack(">BHBI", 0x20, 5, 0 if kind == "2plain" else 1, 0)
    return V2 + struct.pack(">BBH", 0x21, family, len(body)) + body


def header(text):
    return version2(text) if text.startswith("2") else text.encode() + b"\r\n"


def get(path, *headers):
    lines = [f"GET {path} HTTP/1.1", "Host: x", "Connection: close",
             *(h.replace(":", ": ", 1) for h in headers)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def read_all(s):
    got = b""
    try:
        while piece := s.recv(65536):
            got += piece
    except OSError:
        pass
    return got


def show(data):
    sys.stdout.write(data.decode("latin-1").replace("\r", "") + "\n")


def ask(where, head, path, *headers):
    s = connect(where)
    s.sendall(header(head) + get(path, *headers))
    show(read_all(s))


def drip(where, head, path):
    s = connect(where)
    for byte in header(head) + get(path):
        s.sendall(bytes([byte]))
        time.sleep(0.001)
    show(read_all(s))


def raw_bytes(where, text):
    s = connect(where)
    s.sendall(bytes.fromhex(text))
    got = read_all(s)
    print(f"closed after {len(got)} bytes")


def silent(where, count, seconds):
    idle = [connect(where) for _ in range(int(count))]
    end, ended = time.monotonic() + float(seconds), 0
    for s in idle:
        s.settimeout(max(0.01, end - time.monotonic()))
        try:
            ended += s.recv(1) == b""
        except socket.timeout:
            pass
        except OSError:
            ended += 1
    print(f"{ended} ended")


def early(port, path, size, *headers):
    s = connect(port)
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {size}",
             *(h.replace(":", ": ", 1) for h in headers)]
    s.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
    s.recv(1, socket.MSG_PEEK)  # the answer is there
    reset = False
    try:
        for _ in range(int(size) // 1000):
            s.sendall(b"x" * 1000)
            time.sleep(0.001)
    except OSError:
        reset = True
    show(read_all(s))
    print("reset" if reset else "not reset")


def wss(port, path):
    import websockets

    async def talk():
        trust = ssl.create_default_context(cafile="cert.pem")
        async with websockets.connect(f"wss://localhost:{port}{path}", ssl=trust) as ws:
            await ws.send("hello")
            print(await asyncio.wait_for(ws.recv(), LIMIT), flush=True)

    asyncio.run(asyncio.wait_for(talk(), 2 * LIMIT))


if __name__ == "__main__":
    name = sys.argv[1]
    globals()["raw_bytes" if name == "bytes" else name](*sys.argv[2:])
