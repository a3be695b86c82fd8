"""hev_service: hevbcast as a child process, and clients written to the rules of each dialect.

Used by hev_check.py. Nothing here knows hevbcast from the inside: it speaks the message format and
the TCP dialects of cmd/hevbcast/clients.md. No wait is without a limit.
"""
import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import threading
import time

import msgpack

from ports import free_port

SENSORS = ["version", "fsm_state", "pressure_air_supply", "pressure_air_regulated",
           "pressure_o2_supply", "pressure_o2_regulated", "pressure_buffer", "pressure_inhale",
           "pressure_patient", "temperature_buffer", "pressure_diff_patient",
           "readback_valve_air_in", "readback_valve_o2_in", "readback_valve_inhale",
           "readback_valve_exhale", "readback_valve_purge", "readback_mode"]
LIMIT = 10.0


def wait(what, test, seconds=LIMIT):
    """Until test() is true; its value."""
    end = time.monotonic() + seconds
    while True:
        r = test()
        if r:
            return r
        if time.monotonic() > end:
            raise AssertionError("not within %g s: %s" % (seconds, what))
        time.sleep(0.005)


def a0(**values):
    """The body of an A0 DATA message, keys in wire order."""
    return {**dict.fromkeys(SENSORS, 0), "version": 160, **values}


def d1_text(sensors, alarms):
    """Python's json with its default spacing."""
    return json.dumps({"sensors": sensors, "alarms": alarms or None}).encode()


class Service:
    """A hevbcast fed through its standard input, heard through its standard output. Options in
    args override those here, as the last one counts. before: one whose place it takes."""

    def __init__(self, *args, before=None, program="hevbcast", ready=True):
        self.webui = before.webui if before else free_port()
        self.query = before.query if before else free_port()
        self.native = before.native if before else free_port()
        self.log = open("hevbcast.err", "ab")
        self.proc = subprocess.Popen(
            [program, "--webui-port", str(self.webui), "--query-port", str(self.query),
             "--native-port", str(self.native), *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        self.seq, self.events, self.connections = {}, [], []
        self.unpacker = msgpack.Unpacker(raw=False, unicode_errors="replace")
        os.set_blocking(self.proc.stdout.fileno(), False)
        if ready:
            wait("its ports", lambda: self.listens() or self.check_alive())

    def check_alive(self):
        if self.proc.poll() is not None:
            raise AssertionError("hevbcast has ended: %s" % self.proc.returncode)

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.query), timeout=LIMIT).close()
            return True
        except ConnectionRefusedError:
            return False

    # ---- the bus ----

    def put(self, *messages):
        """Messages (topic, body) in one write."""
        data = b""
        for topic, body in messages:
            self.seq[topic] = self.seq.get(topic, 0) + 1
            data += msgpack.packb([topic, time.time_ns(), self.seq[topic], body])
        self.raw(data)

    def raw(self, data):
        self.proc.stdin.write(data)
        self.proc.stdin.flush()

    def data(self, **values):
        self.put(("hev.data", a0(**values)))

    def alarm(self, name, **values):
        self.put(("hev.alarm", {"version": 160, "alarm_code": name, "param": 0, **values}))

    def pump(self):
        try:
            while data := os.read(self.proc.stdout.fileno(), 1 << 20):
                self.unpacker.feed(data)
        except BlockingIOError:
            pass
        self.events.extend(self.unpacker)

    def all(self, topic):
        self.pump()
        return [body for t, _, _, body in self.events if t == topic]

    def last(self, topic):
        found = self.all(topic)
        return found[-1] if found else None

    def wait_last(self, topic, test):
        def seen():
            body = self.last(topic)
            return body is not None and test(body)
        wait("the last %s is as wanted" % topic, seen)
        return self.last(topic)

    # ---- clients ----

    def connect(self, port=None, rcvbuf=None):
        s = socket.socket()
        if rcvbuf:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        s.settimeout(LIMIT)
        s.connect(("127.0.0.1", port or self.webui))
        self.connections.append(s)
        return s

    def joined(self, n):
        """So many clients are counted."""
        self.wait_last("hev.clients", lambda b: b["webui"] + b["native"] == n)

    def ask(self, request, parts=1):
        """The raw answer to a request, and that the server closes then."""
        if isinstance(request, dict):
            request = json.dumps(request).encode()
        with socket.create_connection(("127.0.0.1", self.query), timeout=LIMIT) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            size = max(1, -(-len(request) // parts))
            for i in range(0, len(request), size):
                s.sendall(request[i:i + size])
                time.sleep(0.01 if parts > 1 else 0)
            reply = b""
            while got := s.recv(300):
                reply += got
            return reply

    # ---- the end ----

    def stop(self):
        self.proc.send_signal(signal.SIGTERM)
        assert self.proc.wait(LIMIT) == 0, self.proc.returncode
        self.pump()

    def kill(self):
        for s in self.connections:
            s.close()
        if self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait(LIMIT)
        self.log.close()


class D1:
    """Reads at most 600 bytes and takes each read for one whole JSON text;
    never connects again."""

    def __init__(self, service, port=None):
        self.sock = service.connect(port)
        self.reads = 0

    def read(self):
        data = self.sock.recv(600)
        assert data, "the server has closed the connection"
        self.reads += 1
        try:
            packet = json.loads(data.decode("utf-8"))
        except ValueError:
            raise AssertionError("not one whole JSON text: %r" % data) from None
        return data, packet["sensors"], packet["alarms"]

    def silent(self, seconds=0.0):
        return not select.select([self.sock], [], [], seconds)[0]

    def read_until(self, test, seconds=LIMIT):
        end = time.monotonic() + seconds
        while True:
            got = self.read()
            if test(got):
                return got
            assert time.monotonic() < end, "the last one was %r" % (got,)


class AsyncD1:
    """The same with asyncio's streams in a thread of its own, whose buffer stands between socket
    and reader."""

    def __init__(self, service):
        self.packets, self.fault, self.port = [], None, service.webui
        self.thread = threading.Thread(target=lambda: asyncio.run(self.poll()), daemon=True)
        self.thread.start()

    async def poll(self):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while data := await reader.read(600):
            try:
                self.packets.append(json.loads(data.decode("utf-8")))
            except ValueError:
                self.fault = data
                break
        writer.close()

    def newest(self):
        assert self.fault is None, "not one whole JSON text: %r" % self.fault
        return self.packets[-1] if self.packets else {"sensors": None, "alarms": None}


class D3:
    """Reads up to a NUL, and connects again when the server has gone."""

    def __init__(self, service, port=None, **options):
        self.service, self.port, self.options = service, port, options
        self.connect()

    def connect(self):
        self.sock = self.service.connect(self.port, **self.options)
        self.rest = b""

    def read(self):
        while b"\0" not in self.rest:
            got = self.sock.recv(65536)
            assert got, "the server has closed the connection"
            self.rest += got
        text, self.rest = self.rest.split(b"\0", 1)
        return text

    def read_all(self, count):
        return [self.read() for _ in range(count)]
