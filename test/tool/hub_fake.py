#!/usr/bin/python3
"""A hub as simulated cameras and games see it (devsim hub), on plain sockets so that every byte shows:
HTTP and WebSocket on one TCP port, datagrams on the UDP port of the same number.

hub_fake.py PORT [--token TOKEN] [--interval MS] [--cut N] [--say FILE] [--answer FILE] [--deaf]

Writes one line for each thing that comes:
  head LINE | LINE | ...      of a request
  text MASK-KEY TEXT          binary MASK-KEY NUMBER WIDTHxHEIGHT SHA256 (of a JPEG that is right)
  close CODE                  post PATH AUTHORIZATION BYTES
  udp TEXT                    gone
--interval: a camera is told so after its first picture. --cut: the connection ends after that many
texts. --say: these lines are sent to whoever identifies, one a frame. --answer: these bytes are the
answer to every handshake, and then the connection ends. --deaf: nothing is acknowledged.
"""
import argparse
import base64
import hashlib
import json
import re
import socket
import struct
import sys
import threading

p = argparse.ArgumentParser()
p.add_argument("port", type=int)
p.add_argument("--token", default="")
p.add_argument("--interval", type=int, default=0)
p.add_argument("--cut", type=int, default=0)
p.add_argument("--say")
p.add_argument("--answer")
p.add_argument("--deaf", action="store_true")
A = p.parse_args()
lock = threading.Lock()


def out(*words):
    with lock:
        print(*words, flush=True)


# ---------------------------------------------------------------- JPEG

class Bits:
    def __init__(self, data):
        assert not re.search(rb"\xff[^\x00]", data), "a marker within the scan"
        self.value = "".join(f"{b:08b}" for b in data.replace(b"\xff\x00", b"\xff"))
        self.at = 0

    def take(self, n):
        assert self.at + n <= len(self.value), "the scan ends early"
        self.at += n
        return int("0" + self.value[self.at - n:self.at], 2)

    def symbol(self, codes):
        for n in range(1, 17):
            word = self.value[self.at:self.at + n]
            if word in codes:
                self.at += n
                return codes[word]
        raise AssertionError("no such code")

    def number(self, size):
        v = self.take(size)
        return v if not size or v >> (size - 1) else v - (1 << size) + 1


def codes_of(lengths, values):
    codes, word, i = {}, 0, 0
    for n, count in enumerate(lengths, 1):
        for _ in range(count):
            codes[f"{word:0{n}b}"] = values[i]
            word, i = word + 1, i + 1
        word <<= 1
    return codes


def means(bits, codes, blocks, step):
    """The mean level of every 8 x 8 block; all coefficients are read."""
    dc, found = 0, []
    for _ in range(blocks):
        dc += bits.number(bits.symbol(codes[0x00]))
        found.append(128 + dc * step / 8)
        k = 1
        while k < 64:
            s = bits.symbol(codes[0x10])
            if s == 0:
                break
            k += s >> 4
            if s & 15:
                assert k < 64, "a coefficient too many"
                bits.number(s & 15)
            k += 1
        assert k <= 64, "a coefficient too many"
    return found


def jpeg(data):
    """(number in the comment, width, height) of a grey baseline JPEG, decoded to its last bit."""
    assert data[:2] == b"\xff\xd8" and data[-2:] == b"\xff\xd9"
    at, codes, step, size, comment = 2, {}, 0, None, ""
    while True:
        marker, n = struct.unpack_from(">HH", data, at)
        body = data[at + 4:at + 2 + n]
        at += 2 + n
        if marker == 0xFFFE:
            comment = body.decode()
        elif marker == 0xFFDB:
            step = body[1]
        elif marker == 0xFFC0:
            size = struct.unpack_from(">HH", body, 1)
        elif marker == 0xFFC4:
            codes[body[0]] = codes_of(body[1:17], body[17:])
        elif marker == 0xFFDA:
            break
    height, width = size
    bits = Bits(data[at:-2])
    levels = means(bits, codes, -(-width // 8) * -(-height // 8), step)
    assert len(bits.value) - bits.at < 8, "something behind the last block"
    # The wall alone differs by 54 at most, one with a tag by 86 at least, when 240 wide or wider.
    assert min(levels) > -9 and max(levels) < 265 and max(levels) - min(levels) > 70, "no tag"
    return comment, width, height


# ---------------------------------------------------------------- one connection

class Conn:
    def __init__(self, s):
        self.s, self.data, self.texts, self.pictures = s, b"", 0, 0

    def take(self, n):
        while len(self.data) < n:
            more = self.s.recv(65536)
            if not more:
                raise EOFError
            self.data += more
        r, self.data = self.data[:n], self.data[n:]
        return r

    def head(self):
        while b"\r\n\r\n" not in self.data:
            more = self.s.recv(65536)
            if not more:
                raise EOFError
            self.data += more
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        return head.decode().split("\r\n")

    def send(self, text, opcode=1):
        data = text.encode()
        n = len(data)
        size = bytes([n]) if n < 126 else bytes([126]) + struct.pack(">H", n)
        self.s.sendall(bytes([0x80 | opcode]) + size + data)

    def run(self):
        try:
            lines = self.head()
            keys = dict(line.split(": ", 1) for line in lines[1:])
            out("head", " | ".join(lines))
            if lines[0].startswith("POST "):
                self.post(lines[0].split()[1], keys)
            elif A.answer:
                self.s.sendall(open(A.answer, "rb").read())
            else:
                self.websocket(keys["Sec-WebSocket-Key"])
        except (EOFError, OSError):
            pass
        except Exception as e:  # what a client did wrong ends the test, not a thread of it
            out("FAULT", repr(e))
        self.s.close()
        out("gone")

    def post(self, path, keys):
        body = self.take(int(keys["Content-Length"]))
        if keys["Content-Type"] == "image/jpeg":
            jpeg(body)
        else:
            json.loads(body)
        right = keys.get("Authorization", "") == A.token
        out("post", path, keys.get("Authorization", "-"), len(body))
        answer = '{"status":"success"}' if right else '{"error":"Invalid auth_token"}'
        if not A.deaf:
            self.s.sendall(f"HTTP/1.1 {'200 OK' if right else '401 Unauthorized'}\r\nContent-Length: "
                           f"{len(answer)}\r\nConnection: close\r\n\r\n{answer}".encode())
        while self.s.recv(4096):
            pass

    def websocket(self, key):
        accept = base64.b64encode(hashlib.sha1(
            (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        head = (f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Accept: {accept}\r\n\r\n").encode()
        self.s.sendall(head[:40])  # in two pieces, the second with the first frame
        first = b'{"event": "connection_success"}'
        self.s.sendall(head[40:] + bytes([0x81, len(first)]) + first)
        while self.frame():
            pass

    def frame(self):
        a, b = self.take(2)
        n = b & 127
        if n > 125:
            n = struct.unpack(">Q" if n == 127 else ">H", self.take(8 if n == 127 else 2))[0]
        assert b & 128, "not masked"
        key = self.take(4)
        data = self.take(n)
        data = bytes(c ^ key[i & 3] for i, c in enumerate(data)) if any(key) else data
        if a == 0x81:
            out("text", key.hex(), data.decode())
            return self.text(json.loads(data))
        if a == 0x82:
            self.picture(key, data)
        elif a == 0x88:
            out("close", struct.unpack(">H", data[:2])[0])
            return False
        return True

    def text(self, m):
        self.texts += 1
        if m["event"] == "identify":
            camera = m["data"]["type"] == "esp32"
            if camera and m["data"].get("auth_token", "") != A.token:
                self.send('{"event": "auth_failed", "error": "Invalid auth_token"}')
                return True
            self.send(json.dumps({"event": "identify_success", "client_type": m["data"]["type"]}))
            for line in open(A.say) if A.say else []:
                self.send(line.rstrip("\n"))
        elif not A.deaf:
            self.send('{"event":"apriltag_ack","status":"received"}')
        return not A.cut or self.texts < A.cut

    def picture(self, key, data):
        number, width, height = jpeg(data)
        out("binary", key.hex(), number, f"{width}x{height}", hashlib.sha256(data).hexdigest())
        self.pictures += 1
        if A.interval and self.pictures == 1:
            self.send(json.dumps({"event": "set_video_interval", "interval_ms": A.interval}))


def datagrams():
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.bind(("127.0.0.1", A.port))
    while True:
        data, peer = u.recvfrom(65536)
        out("udp", data.decode())
        if not A.deaf:
            u.sendto(b'{"event":"apriltag_ack","status":"received","tag_id":1}', peer)


listener = socket.create_server(("127.0.0.1", A.port))
threading.Thread(target=datagrams, daemon=True).start()
out("ready")
while True:
    c, _ = listener.accept()
    threading.Thread(target=Conn(c).run, daemon=True).start()
