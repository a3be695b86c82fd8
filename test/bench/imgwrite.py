#!/usr/bin/python3
"""Pictures through the whole pipe, against what the system itself needs for the same bytes.

imgwrite.py [--pictures 3000] [--rounds 5]

    ours    cat capture | framedecode --format espcam | imgwrite --dir out
    floor   cat capture > file, then the same pictures as files, one write() each (and, for the
            rows with a sync, one fdatasync() each, by as many threads as imgwrite has writers)

They take turns in one run on the same machine, so the ratio holds however noisy it is.
"""
import argparse
import ctypes
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgpack

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("TAPLINE_BIN", ROOT / "build/bin"))
WRITERS = 4


def program(name):
    return str(BIN / name)


def make_capture(count):
    """The capture, and the data of its pictures."""
    with open("told", "wb") as told:
        subprocess.run([program("devsim"), "espcam", "--write", "capture", "--count", str(count),
                        "--seed", "1", "--images", str(ROOT / "media"), "-o", "-", "-q"],
                       stdout=told, check=True)
    with open("capture", "rb") as f:
        out = subprocess.run([program("framedecode"), "--format", "espcam", "-q"], stdin=f,
                             stdout=subprocess.PIPE, check=True).stdout
    unpacker = msgpack.Unpacker(max_buffer_size=1 << 31)
    unpacker.feed(out)
    return [m[3]["data"] for m in unpacker if m[0] == "espcam.image"]


def write_some(directory, pictures, first, sync):
    for i in range(first, len(pictures), WRITERS if sync else 1):
        fd = os.open(f"{directory}/{i}.jpg", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        os.write(fd, pictures[i])
        if sync:
            os.fdatasync(fd)
        os.close(fd)


def floor(pictures, sync):
    os.mkdir("out")
    t = time.monotonic()
    with open("copy", "wb") as f:
        subprocess.run(["cat", "capture"], stdout=f, check=True)
    threads = [threading.Thread(target=write_some, args=("out", pictures, i, sync))
               for i in range(WRITERS if sync else 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - t


def ours(sync):
    t = time.monotonic()
    subprocess.run(f"cat capture | {program('framedecode')} --format espcam -q |"
                   f" {program('imgwrite')} --dir out --sync {sync} -q --writers {WRITERS}",
                   shell=True, check=True)
    return time.monotonic() - t


def check(pictures):
    saved = sorted(hashlib.sha256(p.read_bytes()).digest() for p in Path("out").iterdir())
    return saved == sorted(hashlib.sha256(p).digest() for p in pictures)


def clean():
    shutil.rmtree("out", ignore_errors=True)
    Path("copy").unlink(missing_ok=True)
    ctypes.CDLL(None).sync()  # what one way has left to be written is not the other's work


def compare(pictures, sync, rounds):
    a, b, good = [], [], True
    for _ in range(rounds):
        clean()
        a.append(floor(pictures, sync != "none"))
        clean()
        b.append(ours(sync))
        good &= check(pictures)
    ratio = statistics.median(y / x for x, y in zip(a, b))
    size = sum(map(len, pictures))
    print(f"imgwrite --sync {sync:4}: {len(pictures)} pictures, {size / 1e6:.0f} MB: "
          f"ours {statistics.median(b):.2f} s (best {min(b):.2f}), "
          f"floor {statistics.median(a):.2f} s (best {min(a):.2f}), ratio {ratio:.2f}"
          f" (of the best {min(b) / min(a):.2f}), {size / min(b) / 1e6:.0f} MB/s, "
          f"{'all identical' if good else 'NOT THE SAME PICTURES'}")
    return good and ratio


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--pictures", type=int, default=3000)
    a.add_argument("--rounds", type=int, default=5)
    a = a.parse_args()
    with tempfile.TemporaryDirectory(prefix="tl.", dir=os.environ.get("TMPDIR", "/tmp")) as d:
        os.chdir(d)
        pictures = make_capture(a.pictures)
        results = [compare(pictures, s, a.rounds) for s in ("none", "file", "full")]
        os.chdir("/")
    sys.exit(0 if all(results) and max(results[:2]) <= 2 else 1)


if __name__ == "__main__":
    main()
