#!/usr/bin/python3
"""Whether a subscriber that joins while messages flow misses one without a word.

join.py [--rounds N]   From the moment the publisher's stats tell of a subscriber, every message must
                       reach it: the first it shows is the next one or older, and none is missing
                       after that. Exit status 1 when one was.
"""
import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time

import msgpack

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TAPLINE = os.path.join(os.environ.get("BUILD", os.path.join(ROOT, "build")), "bin", "tapline")
T0 = 1_700_000_000_000_000_000


def make(path, messages=10_000, gap_ns=1_000_000):
    with open(path, "wb") as f:
        for k in range(messages):
            f.write(msgpack.packb(["test.n", T0 + k * gap_ns, k + 1, {"k": k, "data": bytes(100)}]))


def output():
    reply = subprocess.run([TAPLINE, "req", "src", "stats"], capture_output=True, check=True).stdout
    return json.loads(reply)["stats"]["outputs"][0]


def wait_for_subscribers(number):
    """What had been sent when there were so many."""
    while (o := output())["subscribers"] != number:
        time.sleep(0.002)
    return o["sent"]


def one_round():
    """How many messages before it was told of the tap has; None when it has missed one."""
    tap = subprocess.Popen([TAPLINE, "tap", "src", "-f", "msgpack", "--topic", "test.", "--for", "700ms"],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    sent = wait_for_subscribers(1)
    out, err = tap.communicate(timeout=30)
    wait_for_subscribers(0)
    seqs = [m[2] for m in msgpack.Unpacker(io.BytesIO(out))]
    whole = seqs == list(range(seqs[0], seqs[0] + len(seqs))) if seqs else False
    if whole and seqs[0] <= sent + 1 and b"lost" not in err:
        return sent + 1 - seqs[0]
    print(f"{sent} sent when it had joined, {len(seqs)} came, from {seqs[:1]}, {err.decode().strip()}")
    return None


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--rounds", type=int, default=100)
    rounds = a.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="tl.") as d:
        os.chdir(d)
        os.mkdir("run", 0o700)
        os.environ["TAPLINE_RUN"] = os.path.join(d, "run")
        make("a.tap")
        publisher = subprocess.Popen([TAPLINE, "play", "a.tap", "-o", "src", "--loop", "0", "--wait", "5s"],
                                     stderr=subprocess.DEVNULL)
        while subprocess.run([TAPLINE, "req", "src", "ping"], capture_output=True).returncode:
            time.sleep(0.05)
        early = [one_round() for _ in range(rounds)]
        publisher.terminate()
        publisher.wait()
        os.chdir("/")
    missed = early.count(None)
    print(f"{rounds} subscribers joined 1000 messages a second: {missed} missed one; "
          f"the others had {min(x for x in early if x is not None)} to "
          f"{max(x for x in early if x is not None)} from before they were told of")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
