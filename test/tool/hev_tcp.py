#!/usr/bin/python3
"""Clients of the ventilator's TCP service, and what a recording should look like to them.

hev_tcp.py listen PORT D1|D3     every packet as a line: D1 one read of at most 600 bytes is one JSON
                                 text ("broken" and the bytes when it is not), D3 up to a NUL;
                                 "open" first, "closed" at the end
hev_tcp.py ask PORT TEXT [nul]   one request; prints the reply ("hung" after 10 s without one)
hev_tcp.py expect DUMP LAYOUTS   the D3 objects of a recording's payloads as lines "TYPE {...}"
"""
import json
import socket
import struct
import sys

S1 = "UNKNOWN IDLE CALIBRATION BUFF_PREFILL BUFF_FILL BUFF_LOADED BUFF_PRE_INHALE INHALE PAUSE EXHALE_FILL EXHALE".split()
S3 = "UNKNOWN IDLE PRE_CALIBRATION CALIBRATION BUFF_PREFILL BUFF_FILL BUFF_PRE_INHALE INHALE PAUSE EXHALE STOP BUFF_PURGE".split()
AA_MODES = "UNKNOWN HEV_MODE_PC_AC HEV_MODE_PC_AC_PRVC HEV_MODE_PC_PSV HEV_MODE_CPAP HEV_MODE_TEST LAB_MODE_BREATHE".split()
B6_MODES = "UNKNOWN PC_AC PC_AC_PRVC PC_PSV CPAP TEST PURGE FLUSH".split()
TYPES = "UNSET DATA READBACK CYCLE THRESHOLDS CMD ALARM DEBUG IVT LOGMSG TARGET BATTERY LOOP_STATUS PERSONAL".split()


def say(*words):
    print(*words, flush=True)


def pieces_d1(s):
    while data := s.recv(600):
        try:
            yield json.dumps(json.loads(data))
        except ValueError:
            yield "broken %r" % data


def pieces_d3(s):
    held = b""
    while data := s.recv(1 << 16):
        *whole, held = (held + data).split(b"\0")
        for text in whole:
            yield text.decode()


def listen(port, dialect):
    s = socket.create_connection(("127.0.0.1", int(port)))
    say("open")
    try:
        for text in (pieces_d1 if dialect == "D1" else pieces_d3)(s):
            say(text)
    except OSError:
        pass
    say("closed")


def ask(port, text, nul=""):
    s = socket.create_connection(("127.0.0.1", int(port)), timeout=10)
    s.sendall(text.encode() + (b"\0" if nul else b""))
    try:
        reply = b""
        while data := s.recv(300):
            reply += data
        say(reply.decode().replace("\0", "<NUL>"))
    except socket.timeout:
        say("hung")


def named(version, name, v):
    table = {"payload_type": TYPES, "fsm_state": S3 if version == 0xB6 else S1}
    modes = B6_MODES if version == 0xB6 else AA_MODES
    table |= {"ventilation_mode": modes, "mode": modes}
    if name not in table:
        return v
    return "CURRENT" if v == 100 else table[name][v]


def expect(dump, layouts):
    rows = [r.split("|") for r in open(layouts).read().splitlines() if not r.startswith("#")]
    for line in open(dump):
        p = bytes.fromhex(line.strip()[2:-1])
        for kind, first, last, size, form, names in rows:
            if kind == TYPES[p[5]] and int(first, 16) <= p[0] <= int(last, 16) and int(size) == len(p):
                values = zip(names.split(","), struct.unpack(form, p))
                say(kind, json.dumps({k: named(p[0], k, v) for k, v in values}))
                break


{"listen": listen, "ask": ask, "expect": expect}[sys.argv[1]](*sys.argv[2:])
