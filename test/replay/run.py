#!/usr/bin/python3
"""Recorded captures of devices through the real programs, compared with the messages expected.

    run.py [--accept] [CASE]...     all cases of this directory, as TAP; --accept writes what came
                                    out as the new expectation (look at the diff before you commit)

A case is a directory: capture.raw (what the device sent), decode (the decoder's command line),
expected.jsonl (the messages, one a line, without their times; long data by its SHA-256). The capture goes through a
pseudo-terminal, serialcat and the decoder, once in one piece and once in many small ones. Where there is no
line, messages.jsonl stands for capture.raw: [topic, time, body] each, {"$hex": "..."} being binary, which
go into the standard input of the program that `decode` names, started in the case's directory.
"""
import hashlib
import json
import os
import random
import shlex
import subprocess
import sys
import tempfile
import termios
import time
import tty
from pathlib import Path

import msgpack

HERE = Path(__file__).resolve().parent
TIMES = ("started", "ended", "hub_us")
CLOCKED = ("hev.link",)  # told at most once a second, so how often depends on the machine
BIN = Path(os.environ.get("TAPLINE_BIN", HERE.parents[1] / "build/bin"))


def pieces(data, small):
    """The capture in one piece, or cut at pseudo-random places, the same in every run."""
    if not small:
        yield data
        return
    cut = random.Random(1)
    while data:
        n = cut.randint(1, 40)
        yield data[:n]
        data = data[n:]


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data):]


def received(env):
    """Bytes serialcat has read so far. A hang-up would discard what still waits in the terminal."""
    reply = subprocess.run([BIN / "tapline", "req", "port", "stats"], env=env, capture_output=True)
    return json.loads(reply.stdout)["stats"]["counters"]["rx_bytes"] if reply.returncode == 0 else -1


def send_capture(master, data, small, env):
    for piece in pieces(data, small):
        write_all(master, piece)
    while received(env) < len(data):
        time.sleep(0.01)


def replay(case, small):
    """The messages that come out: [topic, seq, body] each."""
    with tempfile.TemporaryDirectory(prefix="tl.") as run:
        return replay_in(case, small, dict(os.environ, TAPLINE_RUN=run))


def plain_body(pairs):
    d = dict(pairs)
    return bytes.fromhex(d["$hex"]) if set(d) == {"$hex"} else d


def recorded(case):
    """The bytes of messages.jsonl as they are on a pipe."""
    seq, out = {}, b""
    for line in (case / "messages.jsonl").read_text().splitlines():
        topic, stamp, body = json.loads(line, object_pairs_hook=plain_body)
        seq[topic] = seq.get(topic, 0) + 1
        out += msgpack.packb([topic, stamp, seq[topic], body])
    return out


def replay_messages(case, small, env):
    command = shlex.split((case / "decode").read_text())
    program = subprocess.Popen([BIN / command[0], *command[1:], "-q"], env=env, cwd=case, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for piece in pieces(recorded(case), small):
        program.stdin.write(piece)
        program.stdin.flush()
    data, _ = program.communicate(timeout=60)
    messages = msgpack.Unpacker(max_buffer_size=1 << 30)
    messages.feed(data)
    return [[topic, seq, {k: v for k, v in body.items() if k not in TIMES}] for topic, _, seq, body in messages]


def replay_in(case, small, env):
    if (case / "messages.jsonl").exists():
        return replay_messages(case, small, env)
    master, slave = os.openpty()
    tty.setraw(slave, termios.TCSANOW)
    device = os.ttyname(slave)
    source = subprocess.Popen([BIN / "serialcat", "-q", "--device", device, "-o", "-", "-o", "port"],
                              env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    command = shlex.split((case / "decode").read_text())
    decoder = subprocess.Popen([BIN / command[0], *command[1:], "-q"], stdin=source.stdout,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    source.stdout.close()
    unpacker = msgpack.Unpacker(max_buffer_size=1 << 30)
    out, connected = [], False
    try:
        while True:
            data = decoder.stdout.read1(1 << 16)
            if not data:
                raise RuntimeError("the decoder has ended")
            unpacker.feed(data)
            for topic, _, seq, body in unpacker:
                if topic in CLOCKED:
                    continue
                if topic != "serial.state":
                    out.append([topic, seq, {k: v for k, v in body.items() if k not in TIMES}])
                elif body["connected"] and not connected:
                    connected = True
                    send_capture(master, (case / "capture.raw").read_bytes(), small, env)
                    os.close(slave)
                    os.close(master)
                elif connected and not body["connected"]:
                    return out
    finally:
        source.terminate()
        source.wait()
        decoder.wait()


def shown(data):
    if len(data) <= 256:
        return {"$hex": data.hex()}
    return {"$sha256": hashlib.sha256(data).hexdigest()}


def lines(messages):
    return [json.dumps(m, default=shown, ensure_ascii=False) for m in messages]


def first_difference(got, want):
    for i in range(max(len(got), len(want))):
        a = want[i] if i < len(want) else "(nothing)"
        b = got[i] if i < len(got) else "(nothing)"
        if a != b:
            return f"# message {i + 1}: expected {a}\n# message {i + 1}: came     {b}"


def check(case, accept):
    expected = case / "expected.jsonl"
    got = lines(replay(case, False))
    if accept:
        expected.write_text("\n".join(got) + "\n")
    want = expected.read_text().splitlines()
    return first_difference(got, want) or first_difference(lines(replay(case, True)), want)


def main():
    accept = "--accept" in sys.argv
    names = [a for a in sys.argv[1:] if not a.startswith("-")]
    cases = [HERE / n for n in names] or sorted(
        p.parent for name in ("capture.raw", "messages.jsonl") for p in HERE.glob("*/" + name))
    failed = 0
    for i, case in enumerate(cases, 1):
        problem = check(case, accept)
        failed += bool(problem)
        print(f"{'not ok' if problem else 'ok'} {i} - replay {case.name}", flush=True)
        if problem:
            print(problem)
    print(f"1..{len(cases)}")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
