#!/usr/bin/python3
"""Lines as they are asked for: "COUNT RATE" read from the named pipe given as argument.

RATE is lines a second, 0 as fast as they go. They are numbered on from call to call. When all of an
order are written, the number of the last is in PIPE.done.
"""
import os
import sys
import time

pipe = sys.argv[1]
n = 0
while True:
    with open(pipe) as orders:
        for order in orders:
            count, rate = map(int, order.split())
            due = time.monotonic()
            for _ in range(count):
                n += 1
                os.write(1, b"line %d\n" % n)
                due += 1 / rate if rate else 0
                if rate:
                    time.sleep(max(0, due - time.monotonic()))
            with open(pipe + ".new", "w") as done:
                done.write(f"{n}\n")
            os.rename(pipe + ".new", pipe + ".done")
