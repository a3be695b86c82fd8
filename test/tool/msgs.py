#!/usr/bin/python3
"""Messages for tests, by an encoder that is not ours.

msgs.py encode   lines "TOPIC JSON-BODY" on standard input -> messages; "@SECONDS" waits;
                 a value {"$hex": "..."} is binary
msgs.py decode   messages -> lines "TOPIC JSON-BODY" (binary as hex), as they come
msgs.py raw      messages -> lines "TOPIC TIME SEQ JSON-BODY"
"""
import json
import sys
import time

import msgpack


def binary(pairs):
    d = dict(pairs)
    return bytes.fromhex(d["$hex"]) if set(d) == {"$hex"} else d


def encode():
    seq = {}
    for line in sys.stdin:
        line = line.strip()
        if line.startswith("@"):
            time.sleep(float(line[1:]))
        elif line:
            topic, _, body = line.partition(" ")
            seq[topic] = seq.get(topic, 0) + 1
            m = [topic, time.time_ns(), seq[topic], json.loads(body or "{}", object_pairs_hook=binary)]
            sys.stdout.buffer.write(msgpack.packb(m))
            sys.stdout.buffer.flush()


def decode(raw):
    unpacker = msgpack.Unpacker(max_buffer_size=1 << 28)
    while True:
        data = sys.stdin.buffer.read1(65536)
        if not data:
            return
        unpacker.feed(data)
        for topic, stamp, seq, body in unpacker:
            text = json.dumps(body, default=bytes.hex, ensure_ascii=False)
            print(f"{topic} {stamp} {seq} {text}" if raw else f"{topic} {text}", flush=True)


if __name__ == "__main__":
    {"encode": encode, "decode": lambda: decode(False), "raw": lambda: decode(True)}[sys.argv[1]]()
