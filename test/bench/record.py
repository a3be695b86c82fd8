#!/usr/bin/python3
"""Recording and playing, measured.

record.py [--for SECONDS] [--rate SIZE] [--rounds N]
          what a recorder loses of a steady stream (64 KB messages) through NNG and through a pipe,
          what it costs (not with --for 0), and how exactly a recording is played
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

import msgpack

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))
T0 = 1_700_000_000_000_000_000


def tool(name, *args):
    path = os.path.join(BUILD, "bin" if name == "tapline" else "tool", name)
    return [path, *args]


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1]) / 1024


def info(path):
    out = subprocess.run(tool("tapline", "info", "--json", path), capture_output=True, check=True)
    return json.loads(out.stdout)


def report(way, seconds, sent, recorder, path, log):
    d = info(path)
    got = sum(t["count"] for t in d["topics"] if t["topic"] == "blast")
    longest = re.search(r"longest write or sync took (\S+)", log)
    print(f"record, {way}: {sent} sent, {got} recorded, {d['lost']} lost, "
          f"{d['bytes'] / seconds / 2**20:.0f} MB/s, CPU {recorder[0] / seconds * 100:.0f} % of a core, "
          f"memory {recorder[1]:.0f} MB, longest write or sync {longest[1] if longest else '?'}")
    return got == sent


def record(way, seconds, rate):
    blast = ["--for", f"{seconds}s", "--rate", rate, "--size", "64k"]
    keep = ["record", "-v", "-w", "r.tap", "--replace"]
    if way == "NNG":
        rec = subprocess.Popen(tool("tapline", *keep, "x"), stderr=subprocess.PIPE, text=True)
        pub = subprocess.Popen(tool("blast", "-o", "x", *blast), stderr=subprocess.PIPE, text=True)
    else:
        pub = subprocess.Popen(tool("blast", "-o", "-", *blast), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
        rec = subprocess.Popen(tool("tapline", *keep), stdin=pub.stdout, stderr=subprocess.PIPE, text=True)
        pub.stdout.close()
    time.sleep(seconds - 1)
    used = cpu_seconds(rec.pid) * seconds / (seconds - 1), peak_mb(rec.pid)
    sent = int(re.search(r"sent (\d+)", pub.communicate()[1])[1])
    time.sleep(0.5)
    if way == "NNG":
        rec.terminate()
    log = rec.communicate()[1]
    ok = report(way, seconds, sent, used, "r.tap", log)
    os.unlink("r.tap")
    return ok


PLAYED, GAP_NS = 2000, 5_000_000


def spin():
    """A busy loop on one processor."""
    p = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    os.sched_setaffinity(p.pid, {min(os.sched_getaffinity(0))})
    return p


def play(busy):
    load = spin() if busy else None
    p = subprocess.Popen(tool("tapline", "play", "p.tap"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    unpacker, came = msgpack.Unpacker(), []
    while data := os.read(p.stdout.fileno(), 65536):
        now = time.monotonic_ns()
        unpacker.feed(data)
        came += [now for _ in unpacker]
    if load:
        load.kill()
        load.wait()
    own = re.search(r"messages, (.*)", p.communicate()[1].decode())
    late = sorted((t - k * GAP_NS) / 1e6 for k, t in enumerate(came))
    late = [x - late[0] for x in late]
    print(f"play, {PLAYED} messages {GAP_NS / 1e6:.0f} ms apart{', one core busy' if busy else ''}: late by the clock of a "
          f"reader: median {statistics.median(late):.3f} ms, 99 % {late[int(0.99 * PLAYED)]:.3f} ms, worst "
          f"{late[-1]:.3f} ms, {sum(x > 2 for x in late)} above 2 ms; by its own: {own[1]}")


def play_rounds(rounds):
    try:  # as what is measured does: else this is a measurement of our own waiting
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except PermissionError:
        pass
    with open("p.tap", "wb") as f:
        for k in range(PLAYED):
            f.write(msgpack.packb(["test.n", T0 + k * GAP_NS, k + 1, {"k": k}]))
    for busy in False, True:
        for _ in range(rounds):
            play(busy)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--for", dest="seconds", type=int, default=20)
    a.add_argument("--rate", default="50M")
    a.add_argument("--rounds", type=int, default=3, help="of playing for 10 s, each idle and with a busy core")
    a = a.parse_args()
    with tempfile.TemporaryDirectory(prefix="tl.") as d:
        os.chdir(d)
        os.mkdir("run", 0o700)
        os.environ["TAPLINE_RUN"] = os.path.join(d, "run")
        ok = a.seconds == 0 or all([record("NNG", a.seconds, a.rate), record("pipe", a.seconds, a.rate)])
        play_rounds(a.rounds)
        os.chdir("/")
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
