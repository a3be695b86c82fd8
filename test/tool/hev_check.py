#!/usr/bin/python3
"""hev_check.py NAME: one check of hevbcast with real sockets (test/hevbcast.bats runs them all);
without NAME: their names. Needs TAPLINE_RUN and hevbcast in the path; leaves nothing running."""
import json
import os
import random
import resource
import socket
import struct
import subprocess
import sys
import time

import msgpack

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from hev_service import AsyncD1, D1, D3, LIMIT, SENSORS, Service, a0, d1_text, free_port, wait

ACK, NACK = b'{"type": "ack"}', b'{"type": "nack"}'
ALARMS = """APNEA CHECK_VALVE_EXHALE CHECK_P_PATIENT EXPIRATION_SENSE_FAULT_OR_LEAK
EXPIRATION_VALVE_LEAK HIGH_FIO2 HIGH_PRESSURE HIGH_RR HIGH_VTE LOW_VTE HIGH_VTI LOW_VTI
INTENTIONAL_STOP LOW_BATTERY LOW_FIO2 OCCLUSION HIGH_PEEP LOW_PEEP AC_POWER_DISCONNECTION
BATTERY_FAULT_SRVC BATTERY_CHARGE AIR_FAIL O2_FAIL PRESSURE_SENSOR_FAULT ARDUINO_FAIL""".split()
MEDIUM = """EXPIRATION_SENSE_FAULT_OR_LEAK EXPIRATION_VALVE_LEAK HIGH_FIO2 HIGH_RR HIGH_VTE LOW_VTE
HIGH_VTI LOW_VTI AC_POWER_DISCONNECTION BATTERY_FAULT_SRVC BATTERY_CHARGE""".split()
CHECKS = {}


def check(*args):
    """args: of the hevbcast that the check is given."""
    def add(fn):
        CHECKS[fn.__name__] = (fn, ("-o", "-", "-o", "bcast", *args))
        return fn
    return add


def cmd(cmdtype, name, param=None, kind="cmd"):
    return {"type": kind, "cmdtype": cmdtype, "cmd": name, "param": param}


def sent(service, count):
    """What goes to the serial line; the answer to the client may have been faster."""
    wait("%d commands" % count, lambda: len(service.all("hev.send")) >= count)
    return [(b["kind"], b["data"].hex()) for b in service.all("hev.send")]


def f32(v):
    return struct.unpack("<f", struct.pack("<f", v))[0]


def b6_data(**values):
    fields = dict(version=182, timestamp=4739488, payload_type="DATA", fsm_state="INHALE",
                  pressure_air_supply=80, pressure_air_regulated=288.943359375,
                  pressure_o2_supply=65535, pressure_o2_regulated=f32(-123456.789),
                  pressure_buffer=f32(1.5e-05), pressure_inhale=9.26027774810791,
                  pressure_patient=-0.0, temperature_buffer=20, pressure_diff_patient=1e16,
                  ambient_pressure=0, ambient_temperature=0, airway_pressure=f32(0.1), flow=-0.0,
                  volume=f32(3.4e38))
    return {**fields, **values}


def b6_alarm(kind="PRIORITY_HIGH", name="APNEA", timestamp=1, param=-500.0):
    return dict(version=182, timestamp=timestamp, payload_type="ALARM", alarm_type=kind,
                alarm_code=name, param=param)


def d3_text(kind, body, alarms=()):
    return json.dumps({"type": kind, kind: body, "alarms": list(alarms)}).encode()


# ---- what is broadcast ----

@check()
def d1_text_to_the_byte(s):
    clients = [D1(s), D1(s, s.native)]
    s.joined(2)

    def both(sensors, alarms):
        for c in clients:
            assert c.read()[0] == d1_text(sensors, alarms)
    s.alarm("APNEA")
    both(None, ["APNEA"])
    now = a0(pressure_buffer=144, pressure_inhale=145, readback_valve_purge=1)
    s.put(("hev.data", now))
    both(now, ["APNEA"])
    s.alarm("HIGH_PRESSURE")
    both(now, ["APNEA", "HIGH_PRESSURE"])
    s.alarm("APNEA")  # again: no duplicate, but a packet
    both(now, ["APNEA", "HIGH_PRESSURE"])
    s.alarm(77)  # a code that nobody knows
    both(now, ["APNEA", "HIGH_PRESSURE", "ARDUINO_FAIL"])
    for name in ("HIGH_PRESSURE", "APNEA", "ARDUINO_FAIL"):
        assert s.ask({"type": "alarm", "ack": name}) == ACK
    assert all(c.silent() for c in clients)  # the ack itself is no reason
    s.put(("hev.data", a0(**dict.fromkeys(SENSORS[2:], 65535))))
    both(a0(**dict.fromkeys(SENSORS[2:], 65535)), None)
    for topic in ("hev.cmd", "hev.logmsg", "hev.unknown", "hev.ack", "hev.link", "serial.state"):
        s.put((topic, {"version": 160, "connected": True}))
    s.put(("hev.data", now))
    both(now, None)


def recorded(name):
    """The payload messages that framedecode makes of a recording."""
    path = os.path.join(os.path.dirname(__file__), "../data/hev", name)
    with open(path, "rb") as f:
        r = subprocess.run(["framedecode", "-q", "--format", "hev"], stdin=f, timeout=LIMIT,
                           check=True, capture_output=True)
    unpacker = msgpack.Unpacker(raw=False)
    unpacker.feed(r.stdout)
    return [(t, body) for t, _, _, body in unpacker if "version" in body and t != "hev.link"]


@check()
def d1_of_a_recording(s):
    c, alarms, data = D1(s), [], None
    s.joined(1)
    for topic, body in recorded("a0-serial.raw"):
        if topic == "hev.alarm":
            alarms.append(body["alarm_code"])
        else:
            data = body
        s.put((topic, body))
        assert c.read()[0] == d1_text(data, alarms)
    assert alarms == ["APNEA", "ARDUINO_FAIL"]


@check("--dialect", "D3")
def d3_of_a_recording(s):
    c = D3(s)
    s.joined(1)
    messages = recorded("aa-emulator-capture.raw")
    assert len(messages) == 769
    s.put(*messages)
    for topic, body in messages:
        assert c.read() == d3_text(topic[4:].upper(), body)


@check()
def d1_of_a1_has_a_timestamp(s):
    c = D1(s)
    s.joined(1)
    rest = dict.fromkeys(SENSORS[2:], 7)
    s.put(("hev.data", {"version": 161, "timestamp": 4294967295, "fsm_state": 3, **rest}))
    wanted = {"version": 161, "fsm_state": 3, "timestamp": 4294967295, **rest}
    assert c.read()[0] == d1_text(wanted, None)


@check()
def d1_of_a_newer_ventilator_has_its_17_numbers(s):
    c = D1(s)
    s.joined(1)
    s.put(("hev.readback", dict(version=182, timestamp=1, payload_type="READBACK",
                                duration_pre_calibration=1, valve_air_in=1.0, valve_o2_in=f32(0.3),
                                valve_inhale=55, valve_exhale=1, valve_purge=0,
                                ventilation_mode="PC_AC_PRVC")))
    s.put(("hev.data", b6_data()))
    data, sensors, _ = c.read()
    assert list(sensors) == SENSORS and len(data) <= 600
    assert all(isinstance(v, (int, float)) for v in sensors.values()), sensors
    assert sensors["fsm_state"] == 7 and sensors["readback_mode"] == 2
    assert sensors["pressure_air_regulated"] == 288.943 and sensors["readback_valve_o2_in"] == 0.3
    assert sensors["pressure_diff_patient"] == 1e16 and sensors["readback_valve_inhale"] == 55
    s.put(*[("hev.alarm", b6_alarm(kind, "LOW_VTE")) for kind in ("PRIORITY_LOW", "PRIORITY_HIGH")])
    assert c.read_until(lambda got: got[2])[2] == ["LOW_VTE"]
    assert s.ask({"type": "alarm", "ack": "LOW_VTE"}) == ACK
    s.put(("hev.data", b6_data()))
    assert c.read()[2] is None
    # The two ways in which B6 numbered its states.
    s.put(("hev.readback", dict(version=182, timestamp=1, payload_type="READBACK")))
    s.put(("hev.data", b6_data()))
    assert c.read()[1]["fsm_state"] == 6
    s.put(("hev.data", b6_data(flow_calc=0.0)))
    assert c.read()[1]["fsm_state"] == 7


@check()
def d1_packets_have_600_bytes_at_most(s):
    c = D1(s)
    s.joined(1)
    full = a0(**dict.fromkeys(SENSORS[2:11], 65535), fsm_state=255,
              **dict.fromkeys(SENSORS[11:], 255))
    s.put(("hev.data", full))
    assert len(c.read()[0]) == 497  # every field at its maximum
    latched, shown = [], []
    for name in ALARMS:
        s.alarm(name)
        latched.append(name)
        data, sensors, shown = c.read()
        assert len(data) <= 600 and sensors == full
        assert shown == [n for n in latched if n in shown], "order"
        if len(d1_text(full, latched)) <= 600:
            assert data == d1_text(full, latched)
        else:
            gone = [n for n in latched if n not in shown]
            if gone and any(n not in MEDIUM for n in gone):
                assert not set(shown) & set(MEDIUM), "a less urgent one is shown"
    assert len(shown) < len(ALARMS)
    assert len(s.wait_last("hev.alarms", lambda b: len(b["alarms"]) == 25)["alarms"]) == 25
    for name in list(shown):
        assert s.ask({"type": "alarm", "ack": name}) == ACK
        latched.remove(name)
    s.put(("hev.data", full))
    assert set(c.read()[2]) <= set(latched) and latched


@check()
def d1_one_read_is_one_packet(s):
    """Bursts against a client that reads when it likes, from its very first packet on: no read has
    more or less than one text, and the newest state always comes in the end."""
    chance = random.Random(5)
    c = D1(s)
    s.joined(1)
    for turn in range(60):
        for k in range(chance.randrange(1, 6)):
            s.data(pressure_buffer=turn * 10 + k)
            if chance.random() < 0.3:
                s.alarm("APNEA")
            time.sleep(chance.choice((0, 0, 0.0005, 0.003)))
        # Longer than a delayed acknowledgement now and then.
        time.sleep(chance.choice((0, 0, 0.001, 0.003, 0.06 if turn % 10 == 0 else 0)))
        got = c.read_until(lambda got: got[1] and got[1]["pressure_buffer"] == turn * 10 + k)
        assert got[2] in (None, ["APNEA"])
    while not c.silent(0.1):
        c.read()
    s.alarm("LOW_VTI")
    c.read_until(lambda got: "LOW_VTI" in got[2])


@check()
def d1_one_asyncio_read_is_one_packet(s):
    clients = [AsyncD1(s) for _ in range(5)]
    s.joined(5)
    for i in range(150):
        s.data(pressure_buffer=i)
        s.alarm("APNEA")
        s.data(pressure_buffer=i, pressure_inhale=1)
        if i % 5:
            continue
        for c in clients:
            wait("value %d" % i, lambda: (c.newest()["sensors"] or {}).get("pressure_buffer") == i
                 and c.newest()["sensors"]["pressure_inhale"] == 1)
    for c in clients:
        wait("the last value", lambda: c.newest()["sensors"]["pressure_buffer"] == 149)
        assert c.newest()["alarms"] == ["APNEA"]
    s.stop()
    for c in clients:
        c.thread.join(LIMIT)
        assert not c.thread.is_alive() and c.newest()


@check()
def d1_client_that_stands_still_gets_the_newest(s):
    still, other = D1(s), D1(s)
    s.joined(2)
    for i in range(50):
        s.data(pressure_buffer=i)
        other.read_until(lambda got: got[1]["pressure_buffer"] == i)
    time.sleep(0.1)  # its kernel has acknowledged everything by now
    s.data(pressure_buffer=99)
    other.read_until(lambda got: got[1]["pressure_buffer"] == 99)
    assert still.read()[1]["pressure_buffer"] == 0
    assert still.read()[1]["pressure_buffer"] == 99
    assert still.silent(0.05)


@check()
def d1_client_that_pauses_at_any_text_loses_none(s):
    """Each pauses a little before another text; the kernel acknowledges some of these at once, most
    of all when the first 64 KB have come and it makes the receive window larger."""
    rounds, first = 190, 120
    clients = [D1(s) for _ in range(first, rounds - 5)]
    s.joined(len(clients))
    for i in range(rounds):
        s.data(pressure_buffer=10000 + i)
        for at, c in enumerate(clients, first):
            if i < at or i == rounds - 1:
                c.read_until(lambda got: got[1]["pressure_buffer"] == 10000 + i)
    assert all(c.silent() for c in clients)


@check("--interval", "100ms")
def interval_sends_the_newest_once(s):
    c = D1(s)
    s.joined(1)
    began = time.monotonic()
    s.data(pressure_buffer=0)  # the tick has passed: at once
    assert c.read()[1]["pressure_buffer"] == 0
    for i in range(1, 40):
        s.data(pressure_buffer=i)
    late = None
    if time.monotonic() - began < 0.05:
        late = D1(s)  # comes while a value waits: gets it at once
    packets = 1
    while c.read()[1]["pressure_buffer"] != 39:
        packets += 1
    assert packets <= 1 + (time.monotonic() - began) / 0.1
    if late:
        assert late.read()[1]["pressure_buffer"] == 39
    assert c.silent(0.25)  # nothing new: nothing


@check("--dialect", "D2", "--keepalive", "50ms")
def d2_has_a_type_and_keepalives(s):
    c = s.connect()
    s.joined(1)
    s.data()
    want = json.dumps({"type": "broadcast", "sensors": a0(), "alarms": None}).encode()
    seen = [c.recv(600) for _ in range(4)]
    assert want in seen and b'{"type": "keepalive"}' in seen, seen
    assert set(seen) == {want, b'{"type": "keepalive"}'}


@check("--dialect", "D3")
def d3_text_to_the_byte(s):
    c, n = D3(s), D3(s, s.native)
    s.joined(2)
    body = b6_data()
    s.put(("hev.data", body))
    assert c.read() == n.read() == d3_text("DATA", body)
    kinds = {"readback": 1, "cycle": 1, "cmd": 1, "debug": 1, "ivt": 1, "target": 1, "battery": 1,
             "personal": 1, "logmsg": 0, "loop_status": 0, "unknown": 0, "link": 0}
    chance, want = random.Random(7), []
    for name, passed in kinds.items():
        body = {"version": 182, "timestamp": 17755, "payload_type": name.upper()}
        body.update({"f%d" % i: f32(chance.uniform(-1, 1) * 10 ** chance.uniform(-8, 20))
                     for i in range(30)})
        s.put(("hev." + name, body))
        if passed:
            want.append(d3_text(name.upper(), body))
    alarms = [b6_alarm(name="LOW_PEEP"), b6_alarm("PRIORITY_MEDIUM", "LOW_VTE", 2)]
    for i, a in enumerate(alarms):
        s.put(("hev.alarm", a))
        want.append(d3_text("ALARM", a, alarms[:i + 1]))
    alarms[0] = b6_alarm(name="LOW_PEEP", timestamp=99, param=1.5)  # again: replaces its entry
    s.put(("hev.alarm", alarms[0]))
    want.append(d3_text("ALARM", alarms[0], alarms))
    odd = b6_alarm(name=99)  # has no name
    s.put(("hev.alarm", odd))
    want.append(d3_text("ALARM", odd, alarms + [odd]))
    for reader in (c, n):
        got = reader.read_all(len(want))
        for a, b in zip(got, want):
            assert a == b, (a, b)


@check("--dialect", "D3", "--interval", "50ms")
def d3_interval_keeps_the_newest_of_each_type(s):
    c = D3(s)
    s.joined(1)
    s.put(("hev.data", b6_data(timestamp=0)))
    assert json.loads(c.read())["DATA"]["timestamp"] == 0
    cycle = {"version": 182, "timestamp": 5, "payload_type": "CYCLE"}
    s.put(*[("hev.data", b6_data(timestamp=i)) for i in range(1, 9)], ("hev.cycle", cycle))
    got = [json.loads(t) for t in c.read_all(2)]
    assert got[0]["DATA"]["timestamp"] == 8 and got[1]["CYCLE"] == cycle


@check("--dialect", "D3", "--keepalive", "40ms")
def d3_keepalive(s):
    c = D3(s)
    assert c.read_all(2) == [b'{"type": "keepalive"}'] * 2


# ---- requests ----

@check()
def d1_requests(s):
    s.alarm("APNEA")
    s.wait_last("hev.alarms", lambda b: b["alarms"])
    table = [
        (cmd("GENERAL", "START"), ACK), (cmd("GENERAL", "STOP"), ACK),
        (cmd("GENERAL", "START", 4294967295), ACK),
        ({"type": "cmd", "cmd": "CMD_START", "param": None}, ACK),
        ({"type": "cmd", "cmd": "CMD_STOP", "param": None}, ACK),
        (cmd("general", "foo"), NACK), (cmd("GENERAL", "start"), NACK),
        (cmd("GENERAL", "PURGE"), NACK), (cmd("SET_MODE", "HEV_MODE_PS"), NACK),
        ({"type": "cmd", "cmd": "START", "param": None}, NACK),
        ({"type": "cmd", "cmdtype": "GENERAL", "param": None}, NACK),
        ({"type": "cmd", "cmdtype": "GENERAL", "cmd": "START"}, NACK),
        ({"type": "alarm", "ack": "APNEA"}, ACK),
        ({"type": "alarm", "ack": "APNEA"}, NACK),  # not latched any more
        ({"type": "broadcast"}, NACK), ({"type": "sing"}, NACK), ({}, NACK),
        # No requests at all:
        (b"hello", NACK), (b'{"type": "cmd"', NACK), (b'{"type": "cmd"}}', NACK), (b"[]", NACK),
        (b"\xff\xfe", NACK), (b"x" * 20000, NACK), (b'{"type": "' + b"a" * 5000 + b'"}', NACK),
        (b"[" * 3000, NACK), (b'{"a":' * 800, NACK),
        (cmd("GENERAL", "START", "1"), NACK), (cmd("GENERAL", "START", True), NACK),
        (cmd("GENERAL", "START", -1), NACK), (cmd("GENERAL", "START", 4294967296), NACK),
        (cmd("GENERAL", "START", 1.5), NACK), (cmd("GENERAL", "START", 1e300), NACK),
        (cmd("GENERAL", "START", 10 ** 30), NACK), (cmd("GENERAL", ["START"]), NACK),
        (cmd(5, "START"), NACK), (cmd("GENERAL\0", "START"), NACK),
        ({"type": "alarm", "ack": None}, NACK), ({"type": "alarm"}, NACK), ({"type": 5}, NACK)]
    for request, answer in table:
        assert s.ask(request) == answer, (request, answer)
    assert sent(s, 5) == [("cmd", "a00100000000"), ("cmd", "a00200000000"), ("cmd", "a001ffffffff"),
                          ("cmd", "a00100000000"), ("cmd", "a00200000000")]
    wait("the last hev.command", lambda: len(s.all("hev.command")) >= len(table))
    told = s.all("hev.command")
    assert len(told) == len(table) and all(b["from"] == "tcp" for b in told)
    assert [b["reply"] for b in told] == [json.loads(a)["type"] for _, a in table]
    assert all(b["reason"] for b in told if b["reply"] == "nack")
    s.wait_last("hev.alarms", lambda b: b == {"alarms": []})


@check()
def a_request_that_ends_in_nul_is_answered_so(s):
    for request in ({}, cmd("general", "START"), cmd("GENERAL", "START")):
        text = json.dumps(request).encode()
        plain = s.ask(text)
        assert s.ask(text + b"\0") == plain + b"\0"
        assert s.ask(text + b"\n") == plain
    for parts in (2, 7, 10):  # never the NUL alone
        assert s.ask(text + b"\0", parts) == ACK + b"\0"
        assert s.ask(text, parts) == ACK
    assert s.ask(b"\0") == s.ask(b"nonsense\0") == NACK + b"\0"


@check("--request-timeout", "300ms")
def whoever_asks_nothing_is_sent_away(s):
    clients = [s.connect(s.query) for _ in range(300)]  # more than are kept open at a time
    assert s.ask(cmd("GENERAL", "START")) == ACK
    for c in clients[-50:]:
        assert c.recv(300) == NACK and c.recv(300) == b""


@check("--dialect", "D3", "--mcu-version", "AA")
def d3_requests(s):
    def ask(request):
        return s.ask(json.dumps(request).encode() + b"\0")
    assert ask(cmd("GENERAL", "START", kind="CMD")) == ACK + b"\0"
    assert ask(cmd("SET_VALVE", "INHALE_OPEN_MIN", 0.5, kind="CMD")) == ACK + b"\0"
    assert ask(cmd("SET_TARGET_CPAP", "PEEP", 5, kind="CMD")) == NACK + b"\0"  # not in AA
    assert s.ask(cmd("GENERAL", "STOP", kind="CMD")) == ACK  # without NUL
    assert sent(s, 3) == [("cmd", "aa00000000050101" + "00000000"),
                          ("cmd", "aa00000000050605" + struct.pack("<f", 0.5).hex()),
                          ("cmd", "aa00000000050102" + "00000000")]
    assert ask({"type": "PERSONAL", "name": "x"}) == NACK + b"\0"  # there was none before AF
    c = D3(s)
    s.joined(1)
    s.put(("hev.data", b6_data()))  # the ventilator turns out to be newer
    c.read()
    assert ask(cmd("SET_TARGET_CPAP", "PEEP", 5, kind="CMD")) == ACK + b"\0"
    assert sent(s, 4)[-1] == ("cmd", "b600000000050b05" + struct.pack("<f", 5).hex())
    person = dict(type="PERSONAL", name="Ada", patient_id="7", age=36, sex="F", height=165,
                  weight=60)
    assert ask(person) == ACK + b"\0"
    kind, data = sent(s, 5)[-1]
    assert kind == "data" and bytes.fromhex(data) == (
        b"\xb6\0\0\0\0\x0d" + b"Ada".ljust(60, b"\0") + b"7".ljust(20, b"\0") + b"\x24F\xa5\x3c")
    del person["patient_id"]
    assert ask(person) == NACK + b"\0"


@check("--dialect", "D3", "--mcu-version", "B6")
def d3_alarms_are_acknowledged_by_type_and_code(s):
    def ack(kind, name):
        return s.ask(json.dumps({"type": "ALARM", "alarm_type": kind, "alarm_code": name,
                                 "param": None}).encode() + b"\0")
    c = D3(s)
    s.joined(1)
    for kind in ("PRIORITY_LOW", "PRIORITY_HIGH"):
        s.put(("hev.alarm", b6_alarm(kind)))
        c.read()
    assert ack("PRIORITY_LOW", "APNEA") == ACK + b"\0"
    s.put(("hev.data", b6_data()))
    assert json.loads(c.read())["alarms"] == [b6_alarm("PRIORITY_HIGH")]
    assert ack("PRIORITY_MEDIUM", "APNEA") == ACK + b"\0"  # also when it is not latched
    assert ack("PRIORITY_FOO", "APNEA") == ack("PRIORITY_HIGH", "FOO") == NACK + b"\0"
    assert s.ask({"type": "alarm", "ack": "APNEA"}) == ACK
    s.put(("hev.data", b6_data()))
    assert json.loads(c.read())["alarms"] == []


@check()
def nothing_is_sent_into_an_unplugged_port(s):
    s.put(("serial.state", {"connected": False}))
    s.alarm("APNEA")
    s.wait_last("hev.alarms", lambda b: b["alarms"])
    assert s.ask(cmd("GENERAL", "START")) == NACK
    s.wait_last("hev.command", lambda b: "not connected" in b["reason"])
    s.put(("serial.state", {"connected": True}))
    s.alarm("LOW_VTE")
    s.wait_last("hev.alarms", lambda b: len(b["alarms"]) == 2)
    assert s.ask(cmd("GENERAL", "START")) == ACK
    assert len(sent(s, 1)) == 1


@check("--max-age", "400ms")
def a_late_command_is_refused_and_not_sent_later(s):
    began = time.time_ns()
    assert s.ask(cmd("GENERAL", "START")) == ACK
    wait("hev.send", lambda: s.all("hev.send"))
    until = s.last("hev.send")["until"]
    assert began < until - 400_000_000 < time.time_ns()
    # The link says it has one, and that another came too late.
    s.put(("hev.sent", {"id": s.last("hev.send")["id"], "ok": True, "tries": 1, "ns": 0}))
    assert s.ask(cmd("GENERAL", "STOP")) == ACK
    wait("hev.send", lambda: len(s.all("hev.send")) == 2)
    s.put(("hev.sent", {"id": s.last("hev.send")["id"], "ok": False, "tries": 0, "ns": None, "expired": True}))
    late = s.wait_last("hev.command", lambda b: b["reply"] == "nack")
    assert (late["cmd"], late["from"]) == ("STOP", "tcp") and "too long" in late["reason"], late
    # It says nothing: the bus is told all the same, and while one is stuck no other is taken.
    assert s.ask(cmd("GENERAL", "START", 7)) == ACK
    time.sleep(0.25)
    assert s.ask(cmd("GENERAL", "STOP")) == NACK
    stuck = s.wait_last("hev.command", lambda b: b["reply"] == "nack" and b["cmd"] == "STOP")
    assert "before this one" in stuck["reason"], stuck
    late = s.wait_last("hev.command", lambda b: b["reply"] == "nack" and b["param"] == 7)
    assert late["cmd"] == "START", late
    assert s.ask(cmd("GENERAL", "STOP")) == ACK
    wait("hev.send", lambda: len(s.all("hev.send")) == 4)


@check()
def commands_of_which_nothing_is_heard_are_bounded(s):
    for i in range(64):
        assert s.ask(cmd("GENERAL", "START", i)) == ACK
    assert s.ask(cmd("GENERAL", "START")) == NACK
    s.put(("hev.sent", {"id": s.all("hev.send")[5]["id"], "ok": True, "tries": 1, "ns": 0}))
    s.alarm("APNEA")
    s.wait_last("hev.alarms", lambda b: b["alarms"])
    assert s.ask(cmd("GENERAL", "START")) == ACK


@check()
def an_alarm_that_came_anew_is_not_acknowledged_unseen(s):
    def since(n):
        return s.wait_last("hev.alarms", lambda b: len(b["alarms"]) == n)["alarms"][-1]["since"] // 1000000
    s.alarm("APNEA")
    seen = since(1)
    assert s.ask({"type": "alarm", "ack": "APNEA"}) == ACK  # by somebody else
    since_gone = s.wait_last("hev.alarms", lambda b: not b["alarms"])
    assert since_gone == {"alarms": []}
    time.sleep(0.005)
    s.alarm("APNEA")
    newer = since(1)
    assert newer > seen
    assert s.ask({"type": "alarm", "ack": "APNEA", "since_ms": seen}) == NACK
    assert s.ask({"type": "ALARM", "alarm_type": "x", "alarm_code": "APNEA", "since_ms": seen}) == NACK
    for bad in (0, -1, "1", 1.5, None):
        assert s.ask({"type": "alarm", "ack": "APNEA", "since_ms": bad}) == NACK, bad
    assert len(s.last("hev.alarms")["alarms"]) == 1
    s.alarm("APNEA")  # said again while it stands: the same
    s.wait_last("hev.alarms", lambda b: b["alarms"] and b["alarms"][0]["count"] == 2)
    assert s.ask({"type": "alarm", "ack": "APNEA", "since_ms": newer}) == ACK
    s.wait_last("hev.alarms", lambda b: not b["alarms"])


# ---- clients that misbehave ----

@check("--stall", "1s")
def d1_client_that_never_reads_is_cut(s):
    still, other = s.connect(), D1(s)
    s.joined(2)
    end = time.monotonic() + LIMIT
    while s.last("hev.clients")["cut"] == 0:
        assert time.monotonic() < end
        s.data()
        other.read()
    assert s.last("hev.clients")["cut"] == 1 and s.last("hev.clients")["webui"] == 1
    assert json.loads(still.recv(600))["sensors"] == a0()


@check("--dialect", "D3", "--stall", "1s")
def d3_client_that_never_reads_is_cut(s):
    """It loses the oldest texts, never a part of one; then it is cut. Others get everything."""
    still, other, late = D3(s, rcvbuf=4096), D3(s), D3(s, rcvbuf=4096)
    s.joined(3)
    body, count = b6_data(pad="x" * 2000), 0
    end = time.monotonic() + LIMIT
    while s.last("hev.clients")["cut"] == 0:
        assert time.monotonic() < end
        for _ in range(20):
            s.put(("hev.data", {**body, "timestamp": count}))
            count += 1
        for k in range(count - 20, count):
            assert json.loads(other.read())["DATA"]["timestamp"] == k
        if count == 2000:  # this one begins to read
            got = [json.loads(late.read())["DATA"]["timestamp"] for _ in range(15)]
            assert got == sorted(set(got)) and got[0] == 0
        if count >= 2000:
            late.sock.setblocking(False)
            try:
                while late.sock.recv(1 << 16):
                    pass
            except BlockingIOError:
                late.sock.settimeout(LIMIT)
    assert s.last("hev.clients") == {"webui": 2, "native": 0, "cut": 1}
    assert still.sock.recv(100)


@check()
def clients_come_and_go_in_every_way(s):
    chance, keeper = random.Random(3), D1(s)
    s.joined(1)
    for i in range(150):
        c = s.connect(chance.choice((s.webui, s.native)))
        if i % 3 == 0:
            c.sendall(b"\0garbage" * 100)  # nothing is read from it
        if i % 4 == 0:
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.data(pressure_buffer=i)
        if i % 2:
            c.close()
        keeper.read_until(lambda got: got[1]["pressure_buffer"] == i)
        if i % 2 == 0:
            c.close()
    s.joined(1)
    s.data(pressure_buffer=999)
    keeper.read_until(lambda got: got[1]["pressure_buffer"] == 999)


@check("--clients", "3")
def beyond_the_limit_is_refused(s):
    kept = [D1(s) for _ in range(3)]
    s.joined(3)
    assert s.connect().recv(10) == b""
    s.data()
    assert all(c.read()[1] == a0() for c in kept)


def knock(s, port, source):
    c = socket.create_connection(("127.0.0.1", port), timeout=LIMIT, source_address=(source, 0))
    s.connections.append(c)
    return c


@check("--per-address", "2", "--request-timeout", "60s")
def one_address_does_not_take_all(s):
    kept = [knock(s, s.webui, "127.0.0.1"), knock(s, s.native, "127.0.0.1")]
    s.joined(2)
    assert knock(s, s.native, "127.0.0.1").recv(10) == b""
    other = knock(s, s.webui, "127.0.0.2")
    s.joined(3)
    s.data()
    for c in (*kept, other):
        assert json.loads(c.recv(600))["sensors"] == a0()
    kept[0].close()
    s.joined(2)
    knock(s, s.webui, "127.0.0.1")
    s.joined(3)
    # Requests: whoever opens many ends its own.
    calm = knock(s, s.query, "127.0.0.2")
    flood = [knock(s, s.query, "127.0.0.1") for _ in range(400)]
    assert flood[0].recv(10) == b"" and flood[335].recv(10) == b""
    calm.sendall(json.dumps(cmd("GENERAL", "START")).encode())
    assert calm.recv(100) == ACK
    flood[336].sendall(b"{}")
    assert flood[336].recv(100) == NACK


@check()
def a_thousand_clients(s):
    """Although the soft limit of open files was 256."""
    clients = [D1(s, s.native if i % 2 else s.webui) for i in range(1200)]
    s.joined(1200)
    for round in range(3):
        s.data(pressure_buffer=round)
        for c in clients:
            assert c.read()[1]["pressure_buffer"] == round
    for c in clients:
        c.sock.close()
    s.joined(0)


# ---- the bus ----

@check()
def garbage_on_the_bus(s):
    c = D1(s)
    s.joined(1)
    chance = random.Random(1)
    odd = [None, True, -1, 2 ** 63, 1e308, "x" * 500, "\0", b"\xff", [], {"a": {}}, "A\"B"]
    for topic in ("hev.data", "hev.alarm", "hev.readback", "hev.sent", "serial.state"):
        for _ in range(60):
            s.put((topic, {k: chance.choice(odd) for k in
                           ("version", "fsm_state", "alarm_code", "alarm_type", "connected",
                            "pressure_buffer", "ventilation_mode", "ok", "id")}))
    s.put(("hev.alarm", {"alarm_code": "APNEA", "pad": "x" * 3000}),
          ("hev.data", {"x": "y" * 9000}),
          ("hev.alarm", {}), ("hev.data", {}), ("serial.state", {"connected": True}))
    s.raw(chance.randbytes(5000))
    # Integers that no ventilator has.
    s.data(pressure_buffer=2 ** 64 - 1, pressure_inhale=-2 ** 63, pressure_patient=2 ** 32 - 1)
    data, big, _ = c.read_until(lambda got: got[1] and got[1]["pressure_buffer"] == 1.844674e19)
    assert len(data) <= 600
    assert (big["pressure_inhale"], big["pressure_patient"]) == (-9.223372e18, 2 ** 32 - 1)
    s.data(pressure_buffer=12345)
    c.read_until(lambda got: got[1] and got[1]["pressure_buffer"] == 12345)
    assert len(s.last("hev.alarms")["alarms"]) <= 128


@check()
def alarms_on_the_bus(s):
    s.alarm("APNEA")
    s.alarm("LOW_VTE", param=7)
    s.alarm("APNEA", param=3)
    a, b = s.wait_last("hev.alarms",
                       lambda m: m["alarms"] and m["alarms"][0]["count"] == 2)["alarms"]
    assert (a["name"], a["alarm_code"], a["param"]) == ("APNEA", "APNEA", 3)
    assert (b["name"], b["param"], b["count"]) == ("LOW_VTE", 7, 1)
    assert 0 < a["since"] <= b["since"] and abs(time.time_ns() - a["since"]) < 60e9


@check()
def made_up_alarms(s):
    """More than any ventilator has: the oldest go."""
    for i in range(200):
        s.alarm("MADE_UP_%d" % i)
    s.wait_last("hev.alarms", lambda b: b["alarms"] and b["alarms"][-1]["name"] == "MADE_UP_199")
    names = [a["name"] for a in s.last("hev.alarms")["alarms"]]
    assert names == ["MADE_UP_%d" % i for i in range(72, 200)]


@check()
def latched_alarms_outlive_the_process(s):
    for name in ("APNEA", "LOW_VTE", "HIGH_RR"):
        s.alarm(name)
    s.put(("hev.data", b6_data()))
    s.wait_last("hev.alarms", lambda b: len(b["alarms"]) == 3)
    assert s.ask({"type": "alarm", "ack": "LOW_VTE"}) == ACK
    s.kill()
    again = Service("-o", "-", "-o", "bcast", before=s)
    try:
        left = again.wait_last("hev.alarms", lambda b: b["alarms"])["alarms"]
        assert [a["name"] for a in left] == ["APNEA", "HIGH_RR"]
        c = D1(again)
        again.joined(1)
        again.data()
        assert c.read()[2] == ["APNEA", "HIGH_RR"]
        again.stop()
    finally:
        again.kill()


@check()
def damaged_memory_does_no_harm(s):
    """What a killed process has left may be anything."""
    chance = random.Random(11)
    path = os.path.join(os.environ["TAPLINE_RUN"], "hevbcast-%d.state" % s.query)
    for name in ALARMS:
        s.alarm(name)
    s.wait_last("hev.alarms", lambda b: len(b["alarms"]) == 25)
    s.kill()
    with open(path, "rb") as f:
        good = f.read()
    for turn in range(6):
        damaged = bytearray(good)
        for _ in range(1 << 2 * turn):
            # Mostly where the alarms are, not in the magic number or the free places.
            damaged[chance.randrange(8, len(good) // 4)] = chance.choice((0, 255, 1, 0x81, 65))
        with open(path, "wb") as f:
            f.write(damaged)
        again = Service("-o", "-", "-o", "bcast", before=s)
        try:
            c = D1(again)
            again.joined(1)
            again.alarm("APNEA")
            assert "APNEA" in c.read()[2]
            assert again.ask({"type": "alarm", "ack": "APNEA"}) == ACK
            again.stop()
        finally:
            again.kill()


@check()
def the_end_of_the_input_is_the_end(s):
    c = D1(s)
    s.joined(1)
    s.data()
    s.proc.stdin.close()
    assert s.proc.wait(LIMIT) == 0
    assert c.read()[1] == a0() and c.sock.recv(10) == b""


# ---- starting ----

def usage(*args):
    r = subprocess.run(["hevbcast", *args], stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=LIMIT)
    return r.returncode, r.stderr.decode()


@check()
def a_port_in_use_is_told(s):
    for option in ("--webui-port", "--query-port", "--native-port"):
        ports = {"--webui-port": free_port(), "--query-port": free_port(),
                 "--native-port": free_port(), option: s.query}
        status, text = usage(*[str(w) for pair in ports.items() for w in pair])
        assert status == 1 and "%d" % s.query in text and "in use" in text and option in text, text


@check()
def wrong_usage_is_told(s):
    for args, word in ((["--dialect", "D4"], "D4"), (["--mcu-version", "C0"], "C0"),
                       (["--keepalive", "1s"], "keepalive"), (["--webui-port", "54321"], "both"),
                       (["--interval", "soon"], "soon"), (["x"], "x")):
        status, text = usage(*args)
        assert status == 2 and word in text and text.count("\n") == 1, text


def run(name):
    fn, args = CHECKS[name]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    s = Service(*args)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    try:
        fn(s)
        if s.proc.poll() is None:
            s.stop()
    finally:
        s.kill()
        with open("hevbcast.err") as log:
            sys.stderr.write(log.read())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(sys.argv[1])
    else:
        print("\n".join(CHECKS))
