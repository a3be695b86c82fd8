#!/usr/bin/python3
"""A client of the camera server, written from the protocol page alone.

    cam_talk.py send PORT HEX [WANT]       bytes; prints what comes back in hex: WANT bytes, or all
                                           until the end of the connection
    cam_talk.py auth PORT PASSWORD         the same with a password packet
    cam_talk.py packet ID TYPE [HEX]       a packet in hex
    cam_talk.py split PORT HEX WANT        the bytes once for each place where they can be cut, all on
                                           one connection; prints the different answers
    cam_talk.py wrong PORT COUNT           so many wrong passwords; prints how often which answer came
    cam_talk.py data PORT COUNT            packets of the data stream as lines "value time_ms"
    cam_talk.py crowd PORT CLIENTS COUNT   so many clients, one more that never reads; ends when each of
                                           the others has had COUNT packets
    cam_talk.py noise PORT SECONDS SEED    random bytes, packets and ends

Ends with status 1 when a packet is not as it should be, or nothing comes for 20 s.
"""
import collections
import random
import select
import socket
import struct
import sys
import time

WAIT = 20


def packet(ident, kind, payload=b""):
    p = b"\x00\xff" + bytes([ident, kind]) + struct.pack(">H", len(payload)) + payload
    x = 0
    for b in p:
        x ^= b
    return p + bytes([x])


def connect(port):
    s = socket.create_connection(("127.0.0.1", int(port)), WAIT)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def receive(s, want=None):
    got = b""
    while want is None or len(got) < want:
        try:
            b = s.recv(65536 if want is None else want - len(got))
        except ConnectionResetError:
            b = b""
        if not b:
            break
        got += b
    return got


def send(port, text, want=None):
    with connect(port) as s:
        s.sendall(bytes.fromhex(text))
        print(receive(s, int(want) if want else None).hex())


def auth(port, password):
    with connect(port) as s:
        s.sendall(packet(0, 1, password.encode()))
        print(receive(s).hex())


def split(port, text, want):
    data, answers = bytes.fromhex(text), set()
    with connect(port) as s:
        for i in range(1, len(data)):
            s.sendall(data[:i])
            time.sleep(0.002)  # so that it is two reads; if it is one, the next place does it
            s.sendall(data[i:])
            answers.add(receive(s, int(want)).hex())
    print("\n".join(sorted(answers)))


def wrong(port, count):
    answers = collections.Counter()
    for i in range(int(count)):
        with connect(port) as s:
            s.sendall(packet(0, 1, b"wrong %d" % i))
            answers[receive(s).hex()] += 1
    for a, n in answers.items():
        print(n, a)


def check_data(p):
    """The value and time of one packet, which must be right to the byte."""
    value, ms = p[6], struct.unpack(">Q", p[7:15])[0]
    if p != packet(1, 0, p[6:15]):
        sys.exit("not a data packet: " + p.hex())
    return value, ms


def data(port, count):
    with connect(port) as s:
        for _ in range(int(count)):
            p = receive(s, 16)
            if len(p) < 16:
                sys.exit("the stream ended")
            print(*check_data(p), flush=True)


def crowd(port, clients, count):
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    deaf.connect(("127.0.0.1", int(port)))
    poll, had = select.poll(), {}
    for _ in range(int(clients)):
        s = connect(port)
        s.setblocking(False)
        poll.register(s, select.POLLIN)
        had[s.fileno()] = [s, b"", 0]
    end = time.monotonic() + WAIT + int(count) / 24
    while any(h[2] < int(count) for h in had.values()):
        if time.monotonic() > end:
            sys.exit("not everybody was served: %s" % sorted(h[2] for h in had.values())[:5])
        for fd, _ in poll.poll(1000):
            h = had[fd]
            got = h[0].recv(65536)
            if not got:
                sys.exit("a client that reads was closed")
            h[1] += got
            while len(h[1]) >= 16:
                check_data(h[1][:16])
                h[1] = h[1][16:]
                h[2] += 1
    print("served", len(had))


def noise(port, seconds, seed):
    rnd = random.Random(int(seed))
    end = time.monotonic() + float(seconds)
    n = 0
    while time.monotonic() < end:
        with connect(port) as s:
            s.settimeout(0.02)
            try:
                for _ in range(rnd.randrange(6)):
                    n += 1
                    s.sendall(rnd.choice([
                        rnd.randbytes(rnd.randrange(1, 2000)),
                        packet(rnd.randrange(4), rnd.randrange(4), rnd.randbytes(rnd.randrange(9))),
                        packet(2, 1, rnd.randbytes(rnd.randrange(700))),
                        packet(2, 1)[:rnd.randrange(1, 7)],
                        b"\x00\xff" * rnd.randrange(300)]))
                    if rnd.random() < 0.3:
                        s.recv(rnd.randrange(1, 100))
                if rnd.random() < 0.3:
                    s.shutdown(socket.SHUT_WR)
            except (TimeoutError, ConnectionError):
                pass
    print("sent", n > 0)


def main():
    name, args = sys.argv[1], sys.argv[2:]
    if name == "packet":
        print(packet(int(args[0]), int(args[1]), bytes.fromhex("".join(args[2:]))).hex())
        return
    {f.__name__: f for f in (send, auth, split, wrong, data, crowd, noise)}[name](*args)


try:
    main()
except (OSError, TimeoutError) as e:
    sys.exit("cam_talk: %s" % e)
