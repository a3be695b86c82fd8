#!/usr/bin/python3
"""Streams of camera frames with known content and known damage, and the check of what came out.

    espcam_gen.py make STREAM MANIFEST [options]   write a stream and what it holds
    espcam_gen.py check MANIFEST                   messages of framedecode on standard input
    espcam_gen.py check MANIFEST --dir DIR         pictures saved in DIR, whatever their names

make: --pictures N --cameras N --dialect a,b,c,d,sense (one for each camera, in turn) --seed N
      --jpegs DIR --size BYTES (pictures of that size instead) --no-hash
      --damage KIND=PERCENT,...   of frames; kinds:
          corrupt  one to three bytes anywhere in the frame     cut      bytes missing
          drop     the frame is missing                         double   the frame comes twice
          swap     changes places with the camera's next frame  garbage  bytes in front of it
          inject   log text inside                              eof      an EOF is missing
          stealth  two changes the checksum does not see        dead     the camera stops there
          markers  (of pictures) frames and markers inside the JPEG
          again    (of pictures) the camera starts the picture over

check: every picture delivered was sent, none more often than sent, and every picture whose frames
all arrived intact was delivered; exit status 1 otherwise.

The same seed gives the same stream. Other tests import this file.
"""
import argparse
import collections
import hashlib
import json
import random
import sys
from pathlib import Path

START, END = bytes.fromhex("faceaabb"), bytes.fromhex("cdef5678")
HASH, DATA, EOF = 1, 2, 3
MEDIA = Path(__file__).resolve().parents[2] / "media"
LOG = [b"W (%d) usb_cdc: queue is full\r\n", b"\x1b[0;33mW (%d) espnow: late\x1b[0m\n", b"I (%d) x\n"]

# byte order, who counts, where HASH stands, its token, text of EOF, bytes of a chunk, nested
Dialect = collections.namedtuple("Dialect", "order count first token eof chunk nested")
DIALECTS = {
    "a": Dialect("big", "gateway", True, "sha256", b"EOF!", 250, False),
    "b": Dialect("little", "gateway", False, "sha256", b"EOF!", 250, False),
    "c": Dialect("little", "camera", False, "sum", b"EOF", 223, False),
    "d": Dialect("big", "camera", False, "sum", b"EOF", 223, True),
    "sense": Dialect("little", "one", False, "sum", b"EOF", 223, False),
}


def checksum(data):
    """XOR of little-endian words, the last one filled with zeros: fold the whole number."""
    words = (len(data) + 3) // 4
    value = int.from_bytes(data, "little")
    while words > 1:
        half = (words + 1) // 2
        value = (value >> 32 * half) ^ (value & ((1 << 32 * half) - 1))
        words = half
    return value


def frame(mac, kind, seq, data, order="big"):
    return (START + mac + bytes([kind]) + seq.to_bytes(4, order) + len(data).to_bytes(4, order) +
            data + checksum(data).to_bytes(4, order) + END)


def hash_text(picture, token, rng):
    if token == "sum":
        return (f"HASH:{len(picture):08x}{sum(picture) & 0xFFFFFFFF:08x},VOLT:{rng.randint(8, 100)},"
                f"TEMP:{rng.uniform(-5, 40):.1f},TDS_VOLT:-999.0,2025/06/22 12:00:00.000").encode()
    return (f"HASH:{hashlib.sha256(picture).hexdigest()},VOLT:{rng.randint(8, 100)},"
            f"TEMP:{rng.choice(['23.5', '-4.25', '-999'])},2025/05/28 23:17:11.123").encode()


class Picture:
    def __init__(self, mac, data):
        self.mac, self.data, self.harmed = mac, data, False


class Wire:
    """A frame on its way: its bytes, and whose it is."""

    def __init__(self, picture, kind, raw):
        self.picture, self.kind, self.raw, self.intact = picture, kind, raw, True


def frames_of(picture, name, opt, rng):
    d = DIALECTS[name]
    cut = [picture.data[i:i + d.chunk] for i in range(0, len(picture.data), d.chunk)]
    chunks = [(DATA, c) for c in cut]
    if rng.random() * 100 < opt.rate["again"]:
        chunks = chunks[:rng.randint(1, len(chunks) - 1)] + chunks
    token = [] if opt.no_hash else [(HASH, hash_text(picture.data, d.token, rng))]
    plan = (token + chunks if d.first else chunks + token) + [(EOF, d.eof)]
    gateway = 0
    for number, (kind, data) in enumerate(plan, 1):
        gateway = gateway + 1 if kind == DATA else 0
        seq = {"gateway": gateway, "camera": number, "one": 1}[d.count]
        if not d.nested:
            yield Wire(picture, kind, frame(picture.mac, kind, seq, data, d.order))
            continue
        inner = frame(picture.mac, kind, seq, data, "little")
        yield Wire(picture, kind, frame(picture.mac, DATA, number, inner, d.order))


def with_markers(data, mac, rng):
    """A comment in the JPEG that holds whole frames, markers and end texts."""
    fake = frame(mac, rng.choice([HASH, DATA, EOF]), rng.randrange(300), b"EOF!")
    text = fake + START + END + START + b"EOF!---EOF---\r\nHASH:" + START[:rng.randint(1, 3)]
    return data[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + data[2:]


def make_picture(number, mac, opt, pool, rng):
    if opt.size:
        body = rng.randbytes(max(opt.size - 8, 1)).replace(b"\xff", b"\xfe")
        data = b"\xff\xd8\xff\xe0" + number.to_bytes(4, "big") + body[4:] + b"\xff\xd9"
    else:
        base, note = rng.choice(pool), b"picture %08d of seed %d" % (number, opt.seed)
        data = base[:2] + b"\xff\xfe" + (len(note) + 2).to_bytes(2, "big") + note + base[2:]
    if rng.random() * 100 < opt.rate["markers"]:
        data = with_markers(data, mac, rng)
    return Picture(mac, data)


def garbage(mac, order, rng):
    kind = rng.randrange(5)
    if kind == 0:
        return rng.randbytes(rng.randint(1, 300))
    if kind == 1:
        return rng.choice(LOG) % rng.randint(1000, 9999999)
    if kind == 2:
        return rng.choice([START, START[:3], START[:1], END, START * 3, START + START[:2], b"EOF!"])
    head = START + mac + bytes([rng.choice([1, 2, 3])]) + rng.randrange(400).to_bytes(4, order)
    if kind == 3:  # would swallow what follows
        return head + rng.randint(1, 512).to_bytes(4, order) + rng.randbytes(rng.randint(0, 20))
    return head + rng.choice([b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0\0\2\1", b"\0\x10\0\0"])


def damage_bytes(raw, kind, rng):
    b = bytearray(raw)
    n = len(b)
    if kind == "corrupt":
        for _ in range(rng.randint(1, 3)):
            b[rng.randrange(n)] ^= rng.randint(1, 255)
    elif kind == "cut":
        a = rng.randint(1, n - 1)
        del b[a:rng.choice([n, a + rng.randint(1, 64)])]
    elif kind == "inject":
        a = 64 * rng.randint(0, (n - 1) // 64) or n // 2
        b[a:a] = rng.choice(LOG) % rng.randint(1000, 9999999)
    elif kind == "stealth" and n > 60:
        i, bit = rng.randrange(20, n - 40), 1 << rng.randrange(8)
        j = i + 4 * rng.randint(1, (n - 12 - i) // 4)
        b[i] ^= bit
        b[j] ^= bit
    return bytes(b)


class Stream:
    def __init__(self, opt):
        self.opt, self.rng, self.data = opt, random.Random(opt.seed), bytearray()
        self.pictures, self.frames, self.faults = [], 0, collections.Counter()
        pool = [] if opt.size else [p.read_bytes() for p in sorted(Path(opt.jpegs).glob("*.jpg"))]
        macs = [b"\x24\x6f\x28" + self.rng.randbytes(3) for _ in range(opt.cameras)]
        queues = [[] for _ in macs]
        for number in range(opt.pictures):
            k = number % len(macs)
            picture = make_picture(number, macs[k], opt, pool, self.rng)
            self.pictures.append(picture)
            name = opt.dialect[k % len(opt.dialect)]
            queues[k] += self.order(list(frames_of(picture, name, opt, self.rng)), name)
        self.interleave(queues, [DIALECTS[opt.dialect[k % len(opt.dialect)]].order
                                 for k in range(len(macs))])

    def hit(self, kind):
        if self.rng.random() * 100 >= self.opt.rate[kind]:
            return False
        self.faults[kind] += 1
        return True

    def order(self, wires, name):
        """Frames that change places, and a camera that stops."""
        i = 0
        while i + 1 < len(wires):
            # A constant number hides that two data frames have changed places: so may nobody see it.
            seen = name != "sense" or wires[i].kind != DATA or wires[i + 1].kind != DATA
            if seen and self.hit("swap"):
                wires[i], wires[i + 1] = wires[i + 1], wires[i]
                i += 1
            i += 1
        for i in range(1, len(wires)):
            if self.hit("dead"):
                wires[0].picture.harmed = True
                return wires[:i]
        return wires

    def interleave(self, queues, orders):
        at, live = [0] * len(queues), [k for k, q in enumerate(queues) if q]
        while live:
            k = self.rng.choice(live)
            self.send(queues[k][at[k]], orders[k])
            at[k] += 1
            if at[k] == len(queues[k]):
                live.remove(k)

    def send(self, wire, order):
        self.frames += 1
        if self.hit("garbage"):
            self.data += garbage(wire.picture.mac, order, self.rng)
        if self.hit("drop") or (wire.kind == EOF and self.hit("eof")):
            wire.picture.harmed = True
            return
        raw = wire.raw
        for kind in ("corrupt", "cut", "inject", "stealth"):
            if self.hit(kind):
                raw = damage_bytes(wire.raw, kind, self.rng)
                break
        wire.picture.harmed |= raw != wire.raw
        self.data += raw
        if self.hit("double"):
            self.data += raw

    def manifest(self):
        return {"bytes": len(self.data), "frames": self.frames, "faults": dict(self.faults),
                "sha256": hashlib.sha256(self.data).hexdigest(),
                "pictures": [{"mac": p.mac.hex(":"), "size": len(p.data), "intact": not p.harmed,
                              "sha256": hashlib.sha256(p.data).hexdigest()} for p in self.pictures]}


def options(**given):
    """Options of make with their defaults; damage="corrupt=1,cut=1"."""
    kinds = "corrupt cut drop double swap garbage inject eof stealth dead markers again".split()
    o = dict(pictures=40, cameras=4, dialect="a", seed=1, jpegs=MEDIA, size=0, no_hash=False, damage="")
    o.update(given)
    rate = dict.fromkeys(kinds, 0.0)
    for item in filter(None, o["damage"].split(",")):
        kind, value = item.split("=")
        if kind not in rate:
            raise SystemExit(f"no damage named {kind} (there are: {', '.join(kinds)})")
        rate[kind] = float(value)
    o["rate"], o["dialect"] = rate, o["dialect"].split(",")
    return argparse.Namespace(**o)


def problems(manifest, delivered):
    """delivered: (mac or None, bytes) each. What is wrong with them, in words."""
    sent, got = collections.Counter(), collections.Counter()
    for p in manifest["pictures"]:
        sent[p["sha256"]] += 1
    macs = {p["sha256"]: p["mac"] for p in manifest["pictures"]}
    out = []
    for mac, data in delivered:
        digest = hashlib.sha256(data).hexdigest()
        got[digest] += 1
        if digest not in sent:
            out.append(f"{len(data)} bytes that nobody sent, of {mac}")
        elif mac and mac != macs[digest]:
            out.append(f"picture of {macs[digest]} comes as one of {mac}")
    out += [f"{d[:12]} delivered {n} times, sent {sent[d]}" for d, n in got.items() if d in sent and n > sent[d]]
    out += [f"intact picture {i} of {p['mac']} is missing" for i, p in enumerate(manifest["pictures"])
            if p["intact"] and not got[p["sha256"]]]
    return out


def from_messages(stream):
    import msgpack
    unpacker = msgpack.Unpacker(stream, max_buffer_size=1 << 30)
    for topic, _, _, body in unpacker:
        if topic == "espcam.image":
            yield body["mac"], body["data"]


def check(args):
    manifest = json.loads(Path(args.manifest).read_text())
    if args.dir:
        delivered = [(None, p.read_bytes()) for p in Path(args.dir).rglob("*.jpg")]
    else:
        delivered = list(from_messages(sys.stdin.buffer))
    wrong = problems(manifest, delivered)
    intact = sum(p["intact"] for p in manifest["pictures"])
    print(f"{len(manifest['pictures'])} sent, {intact} intact, {len(delivered)} delivered, {len(wrong)} wrong")
    for line in wrong:
        print(line)
    return bool(wrong)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    sub = p.add_subparsers(dest="command", required=True)
    m = sub.add_parser("make")
    m.add_argument("stream")
    m.add_argument("manifest")
    for name, kind, value in (("pictures", int, 40), ("cameras", int, 4), ("dialect", str, "a"), ("seed", int, 1),
                              ("jpegs", str, MEDIA), ("size", int, 0), ("damage", str, "")):
        m.add_argument("--" + name, type=kind, default=value)
    m.add_argument("--no-hash", action="store_true")
    c = sub.add_parser("check")
    c.add_argument("manifest")
    c.add_argument("--dir")
    args = p.parse_args()
    if args.command == "check":
        return check(args)
    given = {k: v for k, v in vars(args).items() if k not in ("command", "stream", "manifest")}
    stream = Stream(options(**given))
    Path(args.stream).write_bytes(stream.data)
    Path(args.manifest).write_text(json.dumps(stream.manifest(), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
