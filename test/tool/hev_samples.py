#!/usr/bin/python3
"""Messages hev.data of a breathing device, as if they had come until now, by an encoder that is not ours.

hev_samples.py SECONDS RATE [raw] [live]    raw: as A0 sends them; live: paced, beginning now

A breath takes 4 s: 1 s in with 30 l/min, 0.2 s pause, then out; 20 over 5 cmH2O, 500 ml. One sample,
in the middle, has a pressure of 88.
"""
import sys
import time

import msgpack

seconds, rate = float(sys.argv[1]), int(sys.argv[2])
raw, live = "raw" in sys.argv, "live" in sys.argv
count = int(seconds * rate)


def breath(t):
    if t < 1:
        return "INHALE", 5 + 15 * t, 30.0, 500 * t
    if t < 1.2:
        return "PAUSE", 17.0, 0.0, 500.0
    if t < 2.2:
        return "EXHALE", 5.0, -30.0, 500 * (2.2 - t)
    return "EXHALE", 5.0, 0.0, 0.0


def body(i):
    state, pressure, flow, volume = breath(i / rate % 4)
    if raw:
        return {"version": 160, "fsm_state": 5, "pressure_buffer": 144, "pressure_inhale": 100 + i % 50, "pressure_patient": i % 7,
                "readback_mode": 0}
    return {"version": 182, "timestamp": 5000 + i * 1000 // rate, "payload_type": "DATA", "fsm_state": state,
            "airway_pressure": 88.0 if i == count // 2 else pressure, "flow": flow, "volume": volume}


begin = time.time_ns() - (0 if live else int(seconds * 1e9))
for i in range(count):
    at = begin + i * 1000000000 // rate
    if live:
        time.sleep(max(0, (at - time.time_ns()) / 1e9))
    sys.stdout.buffer.write(msgpack.packb(["hev.data", at, i + 1, body(i)]))
    if live:
        sys.stdout.buffer.flush()
