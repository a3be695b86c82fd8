#!/usr/bin/python3
"""How fast framedecode takes camera frames from a file to /dev/null, on one core.

Each round runs `cat`, the floor (read and copy once, test/bench/espcam_floor.c) and framedecode in
turn over the same capture, so the ratios hold however noisy the machine is. Captures: pictures with
a SHA-256 to check (dialect a), with the newer weak hash (c), and with none (numbers alone prove
them). Times are CPU time of the process, user and system; wall time beside it.

espcam.py [--megabytes 512] [--rounds 5]
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/tool"))
import espcam_gen  # noqa: E402

BUILD = Path(os.environ.get("TAPLINE_BUILD", ROOT / "build"))


def make_capture(path, megabytes, **options):
    """The same 200 pictures of four cameras over and over."""
    stream = bytes(espcam_gen.Stream(espcam_gen.options(pictures=200, **options)).data)
    times = max(1, megabytes * 1000000 // len(stream))
    with open(path, "wb") as f:
        for _ in range(times):
            f.write(stream)
    return len(stream) * times, 200 * times


def run(command, capture, env):
    """CPU and wall time of one run with the capture as standard input."""
    with open(capture, "rb") as source:
        began = time.monotonic()
        process = subprocess.Popen(command, stdin=source, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, env=env)
        text = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
    if status:
        sys.exit(f"{command[0]} ended with status {status}: {text.decode()}")
    return usage.ru_utime + usage.ru_stime, wall


def measure(name, capture, size, rounds, env):
    commands = {"cat": ["cat"], "floor": [str(BUILD / "bench/espcam_floor")],
                "framedecode": [str(BUILD / "bin/framedecode"), "--format", "espcam", "-q"]}
    cpu = {k: [] for k in commands}
    wall = {k: [] for k in commands}
    for _ in range(rounds):
        for k, command in commands.items():
            c, w = run(command, capture, env)
            cpu[k].append(c)
            wall[k].append(w)
    best = {k: min(v) for k, v in cpu.items()}
    ratio = statistics.median(a / b for a, b in zip(cpu["framedecode"], cpu["floor"]))
    print(f"{name:<28} framedecode {size / best['framedecode'] / 1e9:5.2f} GB/s of CPU time"
          f" ({size / min(wall['framedecode']) / 1e9:.2f} by the clock),"
          f" floor {size / best['floor'] / 1e9:5.2f}, cat {size / best['cat'] / 1e9:5.2f};"
          f" {ratio:.1f} times the floor's time", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--megabytes", type=int, default=512)
    p.add_argument("--rounds", type=int, default=5)
    args = p.parse_args()
    cases = [("a: SHA-256, frames of 277", dict(dialect="a")),
             ("c: weak hash, frames of 250", dict(dialect="c")),
             ("a without hash", dict(dialect="a", no_hash=True))]
    with tempfile.TemporaryDirectory(prefix="tl.") as d:
        env = dict(os.environ, TAPLINE_RUN=d)
        for name, options in cases:
            capture = Path(d) / "capture"
            size, _ = make_capture(capture, args.megabytes, **options)
            run(["cat"], capture, env)  # into the page cache
            measure(name, capture, size, args.rounds, env)


if __name__ == "__main__":
    main()
