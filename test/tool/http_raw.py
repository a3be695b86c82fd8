#!/usr/bin/python3
"""Bytes to an HTTP server and back, where curl is too polite.

http_raw.py send PORT [SECONDS]       standard input to the server; its answer to standard output
http_raw.py post PORT PATH BYTES [chunked]   a body of that size; the answer's status line
http_raw.py drip PORT SECONDS         a request's head, one byte at a time; how long until it is cut
http_raw.py many PORT N               N connections that send nothing, then one that asks for /
http_raw.py stall PORT PATH SECONDS   asks for PATH and reads nothing for so long
http_raw.py upgrade PORT PATH [HEADER:VALUE]...   a WebSocket handshake with "extra" right behind
                                      it; status line, headers, then what follows as text
http_raw.py receive SOCKET            takes handed-over connections as wsfanout does: prints each
                                      map as JSON, sends "handed over" to the client
http_raw.py report SOCKET COUNTER...  stands in for the supervisor: the counters of one report
"""
import array
import json
import re
import socket
import sys
import time

import msgpack

GREETING = b"\x81\x0bhanded over"


def connect(port):
    return socket.create_connection(("127.0.0.1", int(port)), timeout=20)


def read_all(s, limit=1 << 20):
    got = b""
    try:
        while len(got) < limit:
            piece = s.recv(65536)
            if not piece:
                break
            got += piece
    except OSError:
        pass
    return got


def send(port, seconds="3"):
    s = connect(port)
    s.settimeout(float(seconds))
    try:
        s.sendall(sys.stdin.buffer.read())
    except OSError:
        pass
    sys.stdout.buffer.write(read_all(s))


def post(port, path, size, kind=""):
    s = connect(port)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    body = b"x" * int(size)
    try:
        if kind == "chunked":
            s.sendall((head + "Transfer-Encoding: chunked\r\n\r\n").encode())
            for at in range(0, len(body), 8192):
                piece = body[at:at + 8192]
                s.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            s.sendall(b"0\r\n\r\n")
        else:
            s.sendall((head + f"Content-Length: {size}\r\n\r\n").encode())
            s.sendall(body)
    except OSError:
        pass
    print(read_all(s).split(b"\r\n")[0].decode("latin-1"))


def drip(port, seconds):
    s = connect(port)
    s.settimeout(0.1)
    start = time.monotonic()
    for byte in b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100000:
        try:
            s.sendall(bytes([byte]))
            if s.recv(1) == b"":
                break
        except socket.timeout:
            pass
        except OSError:
            break
        if time.monotonic() - start > float(seconds):
            print("still open")
            return
    print(f"cut after {time.monotonic() - start:.1f} s")


def many(port, count):
    idle = [connect(port) for _ in range(int(count))]
    s = connect(port)
    s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    print(read_all(s).split(b"\r\n")[0].decode("latin-1"))
    for i in idle:
        i.close()


def stall(port, path, seconds):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", int(port)))
    s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    time.sleep(float(seconds))


def refused(got):
    """Whether this is a whole answer that is no 101."""
    head, end, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    return bool(end and length and len(body) >= int(length[1]))


def upgrade(port, path, *headers):
    s = connect(port)
    given = dict(h.split(":", 1) for h in headers)
    use = {"Host": "x", "Upgrade": "websocket", "Connection": "keep-alive, Upgrade",
           "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    use.update(given)
    lines = [f"GET {path} HTTP/1.1"] + [f"{k}: {v}" for k, v in use.items() if v]
    s.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + (b"extra" if use["Upgrade"] else b""))
    s.settimeout(3)
    got = b""
    while not (got.endswith(GREETING) or refused(got)):
        try:
            piece = s.recv(4096)
        except OSError:
            break
        if not piece:
            got += b"\n(closed)"
            break
        got += piece
    sys.stdout.write(got.decode("latin-1").replace("\r", "") + "\n")


def receive(path):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    listener.listen(64)
    print("ready", flush=True)
    kept = []
    while True:
        c, _ = listener.accept()
        fds = array.array("i")
        data, ancillary, _, _ = c.recvmsg(65536, socket.CMSG_LEN(4))
        c.close()
        if not data:
            continue
        for level, kind, value in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds.frombytes(value[:4])
        told = msgpack.unpackb(data)
        told["extra"] = (told.get("extra") or b"").decode()
        print(json.dumps(told), flush=True)
        client = socket.socket(fileno=fds[0])
        client.setblocking(True)
        client.sendall(GREETING)
        kept.append(client)


def report(path, *names):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    s.settimeout(10)
    topic, _, _, body = msgpack.unpackb(s.recv(65536))
    print(topic, *(f"{n}={body['counters'][n]}" for n in names))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
