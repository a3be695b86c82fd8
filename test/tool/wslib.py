"""wslib: wsfanout as a child process, connections handed over to it, and raw WebSocket clients.

Used by ws_check.py and ws_bench.py. Nothing here knows wsfanout from the inside: it speaks the
message format, the hand-over datagram and RFC 6455.
"""
import os
import select
import signal
import socket
import struct
import subprocess
import time

import msgpack

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def wait(what, test, seconds=10.0):
    """Until test() is true; its value."""
    end = time.monotonic() + seconds
    while True:
        r = test()
        if r:
            return r
        if time.monotonic() > end:
            raise AssertionError("not within %g s: %s" % (seconds, what))
        time.sleep(0.005)


def datagram(**keys):
    body = {"peer": "127.0.0.1:1", "path": "/ws", "query": "", "group": "", "user": "",
            "origin": "", "extra": b""}
    body.update(keys)
    return msgpack.packb(body)


def door(name="ws"):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(os.path.join(os.environ["TAPLINE_RUN"], name + ".sock"))
    return s


def hand_over(fd, name="ws", **keys):
    with door(name) as s:
        socket.send_fds(s, [datagram(**keys)], [fd])


class Fanout:
    """A wsfanout fed through its standard input, heard through its standard output."""

    def __init__(self, *args, name="ws", program="wsfanout", wait_ready=True):
        self.proc = subprocess.Popen([program, "--socket", name, *args], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=open("wsfanout.err", "ab"))
        self.name = name
        self.seq = {}
        self.events = []
        self.unpacker = msgpack.Unpacker(raw=False, unicode_errors="replace")
        os.set_blocking(self.proc.stdout.fileno(), False)
        if wait_ready:
            path = os.path.join(os.environ["TAPLINE_RUN"], name + ".sock")
            wait(path, lambda: os.path.exists(path) or self.check_alive())
            wait("first ws.clients", lambda: self.find("ws.clients"))

    def check_alive(self):
        if self.proc.poll() is not None:
            raise AssertionError("wsfanout has ended: %s" % self.proc.returncode)

    def pack(self, topic, body):
        self.seq[topic] = self.seq.get(topic, 0) + 1
        return msgpack.packb([topic, time.time_ns(), self.seq[topic], body])

    def send(self, *messages):
        """Messages (topic, body) in one write."""
        self.raw(b"".join(self.pack(t, b) for t, b in messages))

    def raw(self, data):
        self.proc.stdin.write(data)
        self.proc.stdin.flush()

    def say(self, text, **keys):
        self.send(("demo", dict(text=text, **keys)))

    def pump(self):
        try:
            while True:
                data = os.read(self.proc.stdout.fileno(), 1 << 20)
                if not data:
                    return
                self.unpacker.feed(data)
                self.events.extend(self.unpacker)
        except BlockingIOError:
            self.events.extend(self.unpacker)

    def find(self, topic, **want):
        self.pump()
        for t, _, _, body in self.events:
            if t == topic and all(body.get(k) == v for k, v in want.items()):
                return body
        return None

    def wait_now(self, topic, seconds=10.0, **want):
        """Until the last message of that topic says so; wait() also finds what was so before."""
        def says():
            self.pump()
            last = next((body for t, _, _, body in reversed(self.events) if t == topic), {})
            return all(last.get(k) == v for k, v in want.items())
        wait("%s %s now, in %s" % (topic, want, self.events[-5:]), says, seconds)

    def wait(self, topic, seconds=10.0, **want):
        return wait("%s %s in %s" % (topic, want, self.events[-5:]),
                    lambda: self.find(topic, **want), seconds)

    def all(self, topic):
        self.pump()
        return [b for t, _, _, b in self.events if t == topic]

    def last(self, topic):
        found = self.all(topic)
        return found[-1] if found else None

    def stop(self, seconds=5.0):
        """SIGTERM; the seconds it took."""
        start = time.monotonic()
        self.proc.send_signal(signal.SIGTERM)
        while self.proc.poll() is None:
            self.pump()
            assert time.monotonic() - start < seconds, "wsfanout does not end"
            time.sleep(0.002)
        took = time.monotonic() - start
        self.pump()
        assert self.proc.returncode == 0, "exit status %s" % self.proc.returncode
        return took

    def kill(self):
        if self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()


def frame(opcode, payload=b"", fin=True, mask=True, rsv=0):
    if isinstance(payload, str):
        payload = payload.encode()
    n = len(payload)
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    m = 0x80 if mask else 0
    if n < 126:
        head += bytes([m | n])
    elif n < 65536:
        head += bytes([m | 126]) + struct.pack(">H", n)
    else:
        head += bytes([m | 127]) + struct.pack(">Q", n)
    if not mask:
        return head + payload
    key = b"\x11\x22\x33\x44"
    body = bytearray(payload)
    if n:
        pad = (key * (n // 4 + 1))[:n]
        body = (int.from_bytes(body, "big") ^ int.from_bytes(pad, "big")).to_bytes(n, "big")
    return head + key + bytes(body)


def close_payload(code, reason=""):
    return struct.pack(">H", code) + reason.encode()


def split(data):
    """Server frames (opcode, payload) at the start of data, and what is left."""
    out = []
    while len(data) >= 2:
        n, at = data[1] & 0x7f, 2
        assert data[1] & 0x80 == 0, "a server frame is masked"
        if n == 126:
            if len(data) < 4:
                break
            n, at = struct.unpack(">H", data[2:4])[0], 4
        elif n == 127:
            if len(data) < 10:
                break
            n, at = struct.unpack(">Q", data[2:10])[0], 10
        if len(data) < at + n:
            break
        assert data[0] & 0x80, "a server frame is a fragment"
        out.append((data[0] & 15, bytes(data[at:at + n])))
        data = data[at + n:]
    return out, data


_listener = None


def tcp_pair(rcvbuf=None):
    """A loopback TCP connection: (our end, the server's end)."""
    global _listener
    if _listener is None:
        _listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    s = socket.socket()
    if rcvbuf:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    s.connect(_listener.getsockname())
    conn, _ = _listener.accept()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s, conn


class Client:
    """A raw client, already handed over; no reading happens but when asked."""

    def __init__(self, f, rcvbuf=None, peer=None, **keys):
        self.sock, conn = tcp_pair(rcvbuf)
        self.f = f
        self.peer = peer or "%s:%d" % self.sock.getsockname()
        self.data = b""
        self.frames = []
        hand_over(conn.fileno(), f.name, peer=self.peer, **keys)
        conn.close()
        self.sock.setblocking(False)

    @property
    def id(self):
        return self.f.wait("ws.open", peer=self.peer)["client"]

    def put(self, *frames):
        self.sock.setblocking(True)
        self.sock.sendall(b"".join(frames))
        self.sock.setblocking(False)

    def text(self, text):
        self.put(frame(TEXT, text))

    def recv(self, seconds=10.0):
        """One recv() as it comes; b"" at the end."""
        ready, _, _ = select.select([self.sock], [], [], seconds)
        assert ready, "nothing came in %g s" % seconds
        try:
            return self.sock.recv(1 << 20)
        except ConnectionResetError:
            return b""

    def next(self, seconds=10.0):
        """The next frame; None at the end of the connection."""
        end = time.monotonic() + seconds
        while not self.frames:
            got = self.recv(max(0.0, end - time.monotonic()))
            if not got:
                return None
            self.frames, self.data = split(self.data + got)
        return self.frames.pop(0)

    def expect(self, opcode, payload, seconds=10.0):
        if isinstance(payload, str):
            payload = payload.encode()
        got = self.next(seconds)
        assert got == (opcode, payload), "%r instead of %r" % (got, (opcode, payload))

    def expect_close(self, code, end=True):
        """A close frame with this code comes (frames before it are skipped), then the end."""
        while True:
            got = self.next()
            assert got, "the connection ended without a close frame"
            if got[0] == CLOSE:
                break
        assert struct.unpack(">H", got[1][:2])[0] == code, "%r instead of close %d" % (got, code)
        if end:
            assert self.next() is None

    def silent(self, seconds=0.0):
        """Nothing has come. To be called after something later has had its effect."""
        ready, _, _ = select.select([self.sock], [], [], seconds)
        assert not ready and not self.frames, "%r %r" % (self.frames, ready and self.sock.recv(99))

    def close(self):
        self.sock.close()
