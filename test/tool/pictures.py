#!/usr/bin/python3
"""A source of camera pictures, as messages, for tests.

pictures.py RATE COUNT BYTES MAC...   messages espcam.image {mac, data, bytes, n} on standard output,
        RATE a second for each MAC; COUNT of them (0: for ever). The data begins and ends as a JPEG
        and has "MAC n " at byte 4.
"""
import sys
import time

import msgpack


def picture(mac, n, size):
    return (b"\xff\xd8\xff\xe0" + f"{mac} {n} ".encode()).ljust(size - 2, b".") + b"\xff\xd9"


def main():
    rate, count, size = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    n = seq = 0
    due = time.monotonic()
    while n < count or count == 0:
        n += 1
        for mac in sys.argv[4:]:
            seq += 1
            body = {"mac": mac, "data": picture(mac, n, size), "bytes": size, "n": n}
            sys.stdout.buffer.write(msgpack.packb(["espcam.image", time.time_ns(), seq, body]))
        sys.stdout.buffer.flush()
        due += 1 / rate
        time.sleep(max(0, due - time.monotonic()))


main()
