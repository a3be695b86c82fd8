#!/usr/bin/python3
"""A source of messages for pipelines of tests.

feed.py RATE [COUNT [BYTES [FILE]]]   messages test.tick {n, data: BYTES of binary} on standard
        output, RATE a second; COUNT of them (0: for ever); begins when FILE is there
"""
import os
import sys
import time

import msgpack

rate, count, size, start = (sys.argv[1:] + ["0", "0", ""][len(sys.argv) - 2:])[:4]
while start and not os.path.exists(start):
    time.sleep(0.01)
data = bytes(i % 256 for i in range(int(size)))
n = 0
due = time.monotonic()
while n < int(count) or int(count) == 0:
    n += 1
    sys.stdout.buffer.write(msgpack.packb(["test.tick", time.time_ns(), n, {"n": n, "data": data}]))
    sys.stdout.buffer.flush()
    due += 1 / float(rate)
    time.sleep(max(0, due - time.monotonic()))
