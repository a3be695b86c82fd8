#!/usr/bin/python3
"""How fast framedecode takes the frames of a HEV ventilator from a file to /dev/null, on one core.

Each round runs `cat` and framedecode in turn over the same capture, so the ratio holds however noisy
the machine is. Captures: A0 sensors (26 bytes), AA and B6 payloads of every kind, and B6 with --link,
which acknowledges every frame. Times are CPU time of the process, user and system; wall time beside
it. A line of 115200 baud carries 0.0115 MB/s.

hev_decode.py [--megabytes 16] [--rounds 5]
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/tool"))
import hev_frames  # noqa: E402

BUILD = Path(os.environ.get("TAPLINE_BUILD", ROOT / "build"))
LINE = 0.01152  # MB/s at 115200 baud, ten bits a byte


def make_capture(path, dump, megabytes):
    """The dump's frames over and over, N(S) counting on; returns bytes and frames."""
    payloads = list(hev_frames.dump_payloads(hev_frames.DATA / dump))
    block = b"".join(hev_frames.info(a, i % 128, p)
                     for i, (a, p) in enumerate(payloads * 128))
    times = max(1, megabytes * 1000000 // len(block))
    with open(path, "wb") as f:
        for _ in range(times):
            f.write(block)
    return len(block) * times, len(payloads) * 128 * times


def run(command, capture):
    """CPU and wall time of one run with the capture as standard input."""
    with open(capture, "rb") as source:
        began = time.monotonic()
        process = subprocess.Popen(command, stdin=source, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        text = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
    if status:
        sys.exit(f"{command[0]} ended with status {status}: {text.decode()}")
    return usage.ru_utime + usage.ru_stime, wall


def measure(name, capture, size, frames, rounds, options):
    decode = [str(BUILD / "bin/framedecode"), "--format", "hev", "-q", *options]
    run(["cat"], capture)  # into the page cache
    runs = [run(decode, capture) for _ in range(rounds)]
    floor = min(run(["cat"], capture)[0] for _ in range(rounds))
    cpu, wall = min(r[0] for r in runs), min(r[1] for r in runs)
    print(f"{name:<24} {size / cpu / 1e6:6.1f} MB/s of CPU time ({size / wall / 1e6:.1f} by the clock),"
          f" {frames / cpu / 1e6:.2f} million frames/s, {cpu / frames * 1e9:.0f} ns a frame,"
          f" {size / cpu / 1e6 / LINE:.0f} lines of 115200 baud; cat {size / floor / 1e6:.0f} MB/s",
          flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--megabytes", type=int, default=16)
    p.add_argument("--rounds", type=int, default=5)
    args = p.parse_args()
    cases = [("A0, sensors", "byteArray.dump", []), ("AA, all kinds", "dump.dump", []),
             ("B6, all kinds", "B6-20200805.head1000.dump", []),
             ("B6 with --link", "B6-20200805.head1000.dump", ["--link"])]
    with tempfile.TemporaryDirectory(prefix="tl.") as d:
        os.environ["TAPLINE_RUN"] = d
        for name, dump, options in cases:
            capture = Path(d) / "capture"
            size, frames = make_capture(capture, dump, args.megabytes)
            measure(name, capture, size, frames, args.rounds, options)


if __name__ == "__main__":
    main()
