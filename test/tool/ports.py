#!/usr/bin/env python3
"""A port that nobody has, for TCP and UDP. As a program: print one.

Below those that the kernel gives to connections (ip_local_port_range), or one of a test beside
this one could have it before who asked for it listens. Never the same twice in one process.
"""
import random
import socket

LOW, HIGH = 10240, 32768
given = set()


def is_free(port):
    try:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(type=kind) as s:
                s.bind(("", port))
    except OSError:
        return False
    return True


def free_port():
    while True:
        port = random.randrange(LOW, HIGH)
        if port not in given and is_free(port):
            given.add(port)
            return port


if __name__ == "__main__":
    print(free_port())
