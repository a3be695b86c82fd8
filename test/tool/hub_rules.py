#!/usr/bin/python3
"""hub_rules.py NAME: one check of `dispatch hub`, which is given messages as wsfanout and udpcat send
them (test/dispatch_hub.bats runs them all); without NAME: their names. Needs TAPLINE_RUN and dispatch
in the path; leaves nothing running."""
import json
import os
import select
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import msgpack
import spbus

CHECKS = {}
TOKEN = "right-token"
LIMIT = 20
WELCOME = {"event": "connection_success", "message": "WebSocket connected - send identify event"}
FAILED = {"event": "auth_failed", "message": "Authentication required - check your auth_token"}
ACK = {"event": "apriltag_ack", "status": "received"}


def check(fn):
    CHECKS[fn.__name__] = fn
    return fn


def jpeg(width=320, height=240, fill=100):
    """The head of a JPEG: an application segment with a thumbnail's marker in it, then the frame."""
    thumb = b"\xff\xe1\x00\x12" + b"\xff\xc0\x00\x11\x08\x00\x01\x00\x02" + bytes(7)
    return b"\xff\xd8" + thumb + b"\xff\xc2\x00\x11\x08" + struct.pack(">HH", height, width) + bytes(fill)


class Hub:
    def __init__(self, *args, env=None):
        environ = {**os.environ, "AUTH_TOKEN": TOKEN, **(env or {})}
        self.log = open("hub.log", "a+")
        self.p = subprocess.Popen(["dispatch", "hub", *args, "-i", "-", "-o", "-", "-o", "rules"], env=environ,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        self.unpacker = msgpack.Unpacker(max_buffer_size=1 << 28)
        self.seq, self.client, self.requests = {}, 0, None

    # -- messages

    def send(self, topic, **body):
        self.seq[topic] = self.seq.get(topic, 0) + 1
        self.p.stdin.write(msgpack.packb([topic, body.pop("time", time.time_ns()), self.seq[topic], body]))
        self.p.stdin.flush()

    def next(self):
        """The next message out of it: (topic, body)."""
        end = time.monotonic() + LIMIT
        while True:
            for topic, _, _, body in self.unpacker:
                return topic, body
            left = end - time.monotonic()
            assert left > 0 and select.select([self.p.stdout], [], [], left)[0], "no more messages come"
            data = os.read(self.p.stdout.fileno(), 1 << 20)
            assert data, "dispatch has ended: " + open("hub.log").read()[-2000:]
            self.unpacker.feed(data)

    def rest(self):
        """All messages so far, without what this question brings."""
        out = []
        self.send("ws.open", client=999999, peer="9.9.9.9:9", group="", path="/", query="")
        while True:
            topic, body = self.next()
            if topic == "hub.say" and body["to"] == 999999:
                self.send("ws.closed", client=999999, code=1000, reason="", cause="ok")
                return out
            out.append((topic, body))

    # -- clients

    def open(self, peer="10.0.0.1:1000", group=""):
        self.client += 1
        self.send("ws.open", client=self.client, peer=peer, path="/", query="", group=group)
        return self.client

    def say(self, client, what, **more):
        text = what if isinstance(what, str) else json.dumps(what)
        self.send("ws.text", client=client, text=text, sent=0, seen=0, **more)

    def close(self, client):
        self.send("ws.closed", client=client, code=1000, reason="", cause="ok")

    def camera(self, peer="10.0.0.1:1000", **data):
        c = self.open(peer)
        self.say(c, {"event": "identify", "data": {"type": "esp32", "auth_token": TOKEN, **data}})
        got = said(self.rest(), c)
        assert got == [WELCOME, {"event": "identify_success", "client_type": "esp32"}], got
        return c

    def game(self):
        g = self.open("10.0.0.9:1")
        self.say(g, {"event": "identify", "data": {"type": "gdevelop"}})
        self.rest()
        return g

    # -- requests

    def ask(self, op, **keys):
        if not self.requests:
            self.requests = spbus.dial(spbus.address("rules", ".rep"), spbus.REQ, spbus.REP)
        spbus.send(self.requests, struct.pack(">I", 0x80000001) + msgpack.packb({"op": op, **keys}))
        return msgpack.unpackb(spbus.receive(self.requests)[4:])

    def get(self, op, query=""):
        """The JSON that a GET is answered with."""
        r = self.ask(op, method="GET", path="/", query=query, params={}, peer="10.0.0.50:5")
        assert r["ok"] and r.get("status", 200) == 200 and r["type"] == "application/json", r
        assert r["text"].endswith("}\n")
        return json.loads(r["text"])

    def post(self, op, body, type="application/json", query="", peer="10.0.0.50:5"):
        keys = {"text": body} if isinstance(body, str) else {"data": body}
        r = self.ask(op, method="POST", path="/", query=query, params={}, peer=peer, type=type, **keys)
        return r["status"], r["text"]

    # -- its life

    def stop(self):
        self.p.terminate()
        self.p.wait(LIMIT)
        assert self.p.returncode == 0, (self.p.returncode, open("hub.log").read()[-3000:])
        self.release()

    def kill(self):
        self.p.kill()
        self.p.wait(LIMIT)
        self.release()

    def release(self):
        for f in (self.p.stdin, self.p.stdout, self.requests):
            if f:
                f.close()


def state_file():
    return os.path.join(os.environ["TAPLINE_RUN"], "dispatch hub.state")


def said(messages, client):
    """What one client was sent, parsed."""
    return [json.loads(b["text"]) for t, b in messages if t == "hub.say" and b["to"] == client]


def tags(messages):
    return [b["text"] for t, b in messages if t == "hub.tag"]


def tag(**more):
    return {"event": "apriltag_data", "tag_id": 5, "x_cm": 1.5, **more}


# ---------------------------------------------------------------- who is who

@check
def nobody_speaks_without_the_token():
    h = Hub()
    c, missing, invalid = h.open(), {**FAILED, "error": "Missing auth_token"}, {**FAILED, "error": "Invalid auth_token"}
    h.say(c, tag())
    h.send("ws.binary", client=c, data=jpeg())
    for token, want in ((None, missing), ("", missing), ("wrong", invalid), (7, invalid), (TOKEN + "x", invalid)):
        h.say(c, {"event": "identify", "data": {"type": "esp32", "auth_token": token}})
    h.say(c, tag())
    h.send("ws.binary", client=c, data=jpeg())
    out = h.rest()
    assert {t for t, _ in out} == {"hub.say"}, out
    assert said(out, c) == [WELCOME, missing, missing, missing, missing, invalid, invalid, invalid, missing, missing]
    late = h.open()
    h.say(late, {"event": "request_latest_data"})
    assert said(h.rest(), late)[1:] == [{"event": "no_data_available"}]
    assert h.get("status")["detections"] == {"forwarded": 0, "http": 0, "refused": 0, "udp": 0}
    h.say(c, {"event": "identify", "data": {"type": "esp32", "auth_token": TOKEN}})
    h.say(c, tag())
    out = h.rest()
    assert said(out, c) == [{"event": "identify_success", "client_type": "esp32"}, ACK] and len(tags(out)) == 1
    assert TOKEN not in open("hub.log").read() and '"wrong"' not in open("hub.log").read()
    h.stop()


@check
def guessing_is_slowed_for_an_address_and_ended_for_a_connection():
    h = Hub()
    c = h.open("10.6.6.6:1")
    for i in range(10):
        h.say(c, {"event": "identify", "data": {"type": "esp32", "auth_token": f"guess{i}"}})
    out = h.rest()
    assert [b for t, b in out if t == "ws.kick"] == [{"client": c, "code": 1008, "reason": "too many wrong tokens"}]
    other = h.open("10.6.6.6:2")
    h.say(other, {"event": "identify", "data": {"type": "esp32", "auth_token": TOKEN}})
    assert said(h.rest(), other)[1]["error"] == "Invalid auth_token"  # not even looked at
    h.camera("10.6.6.7:1")
    h.stop()


@check
def the_first_identify_decides():
    h = Hub()
    ok = lambda kind: {"event": "identify_success", "client_type": kind}
    c = h.open()
    h.say(c, {"event": "identify", "data": {"type": "esp32"}})  # failed, and yet a camera now
    h.say(c, {"event": "identify", "data": {"type": "gdevelop"}})
    h.say(c, {"event": "request_latest_data"})
    g = h.open()
    h.say(g, {"event": "identify", "data": {"type": "gdevelop"}})
    h.say(g, {"event": "identify", "data": {"type": "esp32", "auth_token": TOKEN}})
    h.say(g, tag())
    odd, none, quiet, pinger = h.open(), h.open(), h.open(), h.open()
    h.say(odd, {"event": "identify", "data": {"type": "viewer"}})
    h.say(none, {"event": "identify"})
    h.say(quiet, {"event": "event_FromGDevelop"})
    h.say(pinger, {"event": "ping"})
    out = h.rest()
    assert [m["event"] for m in said(out, c)[1:]] == ["auth_failed"] * 2
    assert said(out, g)[1:] == [ok("gdevelop")] * 2
    assert said(out, odd)[1:] == said(out, none)[1:] == [ok("gdevelop")] and said(out, quiet)[1:] == []
    assert abs(said(out, pinger)[1]["timestamp"] - time.time()) < 60
    assert sorted(b["client"] for t, b in out if t == "ws.join") == [g, odd, none, quiet]
    assert h.get("status")["websocket"] == {"active_connections": 6, "cameras": 0, "esp32_connected": False,
                                            "gdevelop_clients": 4, "pages": 0}
    h.stop()


# ---------------------------------------------------------------- detections

@check
def the_text_of_every_value_is_kept():
    h = Hub()
    c = h.camera()
    flat = ('{ "x_cm" : 10.50, "event":"apriltag_data","big":12345678901234567890, "o\\u0027": {"a": [1, 2]},'
            ' "server_timestamp": 5, "name":"o\'neil \\ud83d\\ude00", "z_cm": null, "tag_id":7}')
    at = 1700000000123456789
    h.say(c, flat, time=at)
    h.say(c, '{"event":"apriltag_data","data":{"event":"forged","ev\\u0065nt":"forged","tag_id":8,"yaw":-0.0,"smartcam_ip":"x"},"y_cm":1}')
    out = h.rest()
    first, second = tags(out)
    assert first == ('{"event":"apriltag_data","x_cm":10.50,"big":12345678901234567890,"o\\u0027":{"a": [1, 2]},'
                     '"name":"o\'neil \\ud83d\\ude00","z_cm":null,"tag_id":7,"server_timestamp":1700000000.123456}')
    assert second.startswith('{"event":"apriltag_data","tag_id":8,"yaw":-0.0,"smartcam_ip":"x","server_timestamp":')
    assert abs(json.loads(second)["server_timestamp"] - time.time()) < 60
    assert said(out, c) == [ACK, ACK]
    bodies = [b for t, b in out if t == "hub.tag"]
    assert [(b["to"], b["via"], b["peer"], b["tag_id"], b["camera"]) for b in bodies] == [
        ("games", "ws", "10.0.0.1", 7, "camera"), ("games", "ws", "10.0.0.1", 8, "camera")]
    # the acknowledgement comes behind the detection, for whoever waits for it
    assert [t for t, _ in out] == ["hub.tag", "hub.say"] * 2
    h.stop()


@check
def what_is_refused_is_neither_sent_nor_kept():
    h = Hub()
    c = h.camera()
    bad = ['{"event":"apriltag_data","x_cm":"abc"}', '{"event":"apriltag_data","data":{"y_cm":[1]}}',
           '{"event":"apriltag_data","z_cm":true}', '{"event":"apriltag_data","x_cm":NaN}',
           '{"event":"apriltag_data","range_cm":1e999}', '{"event":"apriltag_data","x_cm":1,"x_cm":"s"}',
           json.dumps(tag(pad="x" * 17000)), "{'event':'ping'}", "[1]", '{"event":5}', '{"event":"apriltag_data"',
           '{"event":"apriltag_data","a":' + "[" * 5000 + "]" * 5000 + "}"]
    for text in bad:
        h.say(c, text)
    out = h.rest()
    assert {t for t, _ in out} == {"hub.say"}, [b for t, b in out if t != "hub.say"]
    errors = said(out, c)
    assert len(errors) == len(bad) and {m["event"] for m in errors} == {"error"}
    assert errors[0]["message"] == "x_cm: a number is wanted", errors[0]
    g = h.game()
    h.say(g, {"event": "request_latest_data"})
    assert said(h.rest(), g) == [{"event": "no_data_available"}]
    assert h.get("status")["detections"]["forwarded"] == 0
    h.stop()


@check
def late_games_get_the_newest():
    h = Hub()
    a, b = h.camera(camera_name="A"), h.camera(camera_name="B")
    h.say(a, tag(n=1))
    h.say(b, tag(n=2))
    h.say(a, '{"event":"apriltag_data","x_cm":"bad","n":3}')
    g = h.open()
    h.say(g, {"event": "identify", "data": {"type": "gdevelop"}})
    h.say(g, {"event": "request_latest_data"})
    got = said(h.rest(), g)
    assert [m["event"] for m in got] == ["connection_success", "identify_success", "apriltag_data", "apriltag_data"]
    assert got[2]["n"] == 2 and got[2] == got[3]
    h.stop()


@check
def datagrams_and_posts_reach_the_same_games():
    h = Hub()
    h.send("udp.rx", peer="10.0.0.7", port=4000, data=b'{"tag_id":5,"smartcam_ip":"forged","x_cm":1.0}')
    h.send("udp.rx", peer="10.0.0.8", port=4001, data=b'{"x_cm":1, "data":{"y_cm":1}}')
    for data in (b"{broken", b"[1]", b"\xff\xfe", b'{"x_cm":"abc"}', b""):
        h.send("udp.rx", peer="10.0.0.7", port=4000, data=data)
    out = h.rest()
    assert [t for t, _ in out] == ["hub.tag", "udp.tx"] * 2, out
    first = json.loads(out[0][1]["text"])
    assert first["smartcam_ip"] == "10.0.0.7" and list(first)[:3] == ["event", "tag_id", "smartcam_ip"]
    assert json.loads(out[2][1]["text"])["data"] == {"y_cm": 1}
    answer = out[1][1]
    assert (answer["peer"], answer["port"]) == ("10.0.0.7", 4000)
    ack = json.loads(answer["data"])
    assert list(ack) == ["event", "status", "tag_id", "server_timestamp"] and ack["tag_id"] == 5
    assert ack["server_timestamp"] == first["server_timestamp"] and len(answer["data"]) < 256
    assert json.loads(out[3][1]["data"])["tag_id"] is None

    ok = (200, '{"event":"apriltag_ack","status":"received"}\n')
    assert h.post("apriltag", '{"tag_id":9,"yaw":1.10,"event":"x"}', type="application/json; charset=utf-8") == ok
    for body in ("{}", "null", " [] ", "", "{ }"):
        assert h.post("apriltag", body) == (400, '{"error":"No JSON body"}\n'), body
    for body in ("{broken", "5", '{"x_cm":"a\\"b"}', b"\xff\xfe"):
        status, text = h.post("apriltag", body)
        assert status == 400 and set(json.loads(text)) == {"error"}, (body, text)
    assert h.post("apriltag", '{"tag_id":9}', type="text/plain")[0] == 415
    out = tags(h.rest())
    assert len(out) == 1 and out[0].startswith('{"event":"apriltag_data","tag_id":9,"yaw":1.10,"server_timestamp":')
    assert h.get("status")["detections"] == {"forwarded": 3, "http": 1, "refused": 2, "udp": 2}
    h.stop()


@check
def older_games_poll_one_by_one():
    h = Hub()
    empty = {"smartcam_ip": "", "tag_id": -1, "camera_name": "", "yaw": 0.0, "pitch": 0.0, "roll": 0.0, "x_cm": 0.0,
             "y_cm": 0.0, "z_cm": 0.0, "tag_size_percent": 0.0, "distance_cm": 0.0, "timestamp": 0, "list_remaining": 0}
    assert h.get("poll") == empty
    c = h.camera()
    for n in range(60):
        h.say(c, tag(n=n, tag_id=n, yaw=3.50, timestamp=1))
    h.rest()
    r = h.ask("poll", method="HEAD", path="/", query="", params={}, peer="x:1")
    assert r["headers"]["Access-Control-Allow-Origin"] == "*"
    got = [h.get("poll") for _ in range(51)]
    assert [g["tag_id"] for g in got] == list(range(10, 60)) + [-1] and got[50] == empty
    assert set(got[0]) == set(empty) - {"list_remaining"}
    assert got[0]["yaw"] == 3.5 and got[0]["camera_name"] == "" and abs(got[0]["timestamp"] - time.time()) < 60
    h.stop()


# ---------------------------------------------------------------- pictures

@check
def pictures_in_each_form():
    h = Hub()
    nothing = h.get("video_fps")
    assert nothing == {"camera": None, "fps": 0.0, "height": 0, "interval_ms": 0, "resolution": "Unknown",
                       "target_fps": 0.0, "width": 0}
    assert h.get("video_stats")["recommendation"] == "WAITING_FOR_DATA"
    c = h.camera(device="Kamera 1")
    h.send("ws.binary", client=c, data=jpeg(320, 240))
    h.send("ws.binary", client=c, data=b"no picture at all")
    h.send("ws.binary", client=c, data=b"\xff\xd8" + bytes(1 << 20))
    out = h.rest()
    frames = [b for t, b in out if t == "hub.frame"]
    assert len(frames) == 1 and frames[0]["data"] == jpeg(320, 240)
    assert {k: frames[0][k] for k in ("camera", "width", "height", "bytes")} == {
        "camera": "kamera_1", "width": 320, "height": 240, "bytes": len(jpeg())}
    assert [m["event"] for m in said(out, c)] == ["error"] * 2
    assert h.get("video_fps")["resolution"] == "320x240"
    s = h.get("video_stats")
    assert s["total_frames"] == 0 and s["waiting"] and s["dropped_frames"] == 2
    # a POST from the same address is the same camera; no name makes a camera
    size = len(jpeg(176, 144))
    ok = (200, '{"size":%d,"status":"success"}\n' % size)
    assert h.post("frame", jpeg(176, 144), type="image/jpeg", peer="10.0.0.1:77") == ok
    assert h.post("frame", jpeg(176, 144), type="image/jpeg", query="camera=Hof", peer="10.0.0.1:78") == ok
    assert h.post("frame", jpeg(176, 144), type="image/jpeg") == ok
    assert h.post("frame", "", type="") == (400, '{"message":"No data received","status":"error"}\n')
    assert h.post("frame", b"GIF89a", type="image/gif")[0] == 400
    assert [b["camera"] for t, b in h.rest() if t == "hub.frame"] == ["kamera_1", "kamera_1", "camera"]
    assert h.get("video_stats", "camera=kamera_1")["total_frames"] == 3
    assert h.get("video_fps")["camera"] == "camera"
    h.stop()


@check
def figures_follow_the_formulas():
    h = Hub()
    c = h.camera()
    t0 = time.time_ns() - 2 * 10**9
    for i in range(20):
        h.send("ws.binary", client=c, data=jpeg(fill=100 + i), time=t0 + i * 50 * 10**6)
    h.rest()
    s, f = h.get("video_stats"), h.get("video_fps")
    assert (s["avg_interval"], s["jitter"], s["target_fps"], s["efficiency"]) == (0.05, 0.0, 20.0, 100.0), s
    assert s["recommendation"] == "OPTIMAL - System performing excellently"
    assert (s["total_frames"], s["min_size"], s["max_size"]) == (20, len(jpeg(fill=100)), len(jpeg(fill=119)))
    assert (s["current_fps"], f["fps"], f["interval_ms"], s["steady"]) == (20.0, 20.0, 50, True)
    assert 0 <= s["avg_processing"] <= s["max_processing"] < 5000
    assert list(s) == sorted(s) and list(f) == sorted(f)
    h.stop()


@check
def the_interval_is_told_to_cameras_only():
    h = Hub()
    error = lambda status, text: (status, '{"message":"%s","status":"error"}\n' % text)
    assert h.post("interval", '{"interval_ms": 500}') == error(503, "ESP32 not connected")
    c, g = h.camera(), h.game()
    assert h.post("interval", '{"interval_ms": 500}') == (200, '{"fps":2.0,"interval_ms":500,"status":"success"}\n')
    assert h.post("interval", "{}") == (200, '{"fps":1.0,"interval_ms":1000,"status":"success"}\n')
    for n in ("99", "10001", "-5"):
        assert h.post("interval", '{"interval_ms": %s}' % n) == error(400, "Interval must be 100-10000ms")
    for body, kind in (('{"interval_ms":"x"}', "application/json"), ("{}", "text/plain"), ("x", "application/json")):
        assert h.post("interval", body, type=kind)[0] == 400
    out = [b for t, b in h.rest() if t == "hub.say"]
    assert [b["to"] for b in out] == ["cameras", "cameras"]
    assert json.loads(out[0]["text"]) == {"event": "set_video_interval", "interval_ms": 500}
    h.stop()


# ---------------------------------------------------------------- history, restarts, pages

@check
def sessions_end_each_by_itself():
    h = Hub("--history", "history.json")
    assert h.get("uptime") == {"connected": False, "days": 0, "hours": 0, "minutes": 0, "seconds": 0,
                               "uptime_formatted": "Not connected", "uptime_seconds": 0}
    a, b = h.camera("10.0.0.1:1", camera_name="A"), h.camera("10.0.0.2:1", camera_name="B")
    assert h.get("status")["websocket"]["cameras"] == 2
    assert h.get("uptime")["connected"] and len(h.get("history")["open_sessions"]) == 2
    h.close(a)
    h.rest()
    history = h.get("history")
    assert history["total_sessions"] == 1 and h.get("status")["websocket"]["esp32_connected"]
    session = history["sessions"][0]
    assert session["camera"] == "A" and session["status"] == "disconnected" and session["address"] == "10.0.0.1"
    assert session["duration_formatted"] == "0m 0s" and session["duration_seconds"] == 0
    assert time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(session["connect_timestamp"])) == session["connect_time"]
    assert abs(time.time() - session["disconnect_timestamp"]) < 60
    for i in range(21):
        h.close(h.camera(camera_name=f"C{i}"))
    h.rest()
    names = [s["camera"] for s in h.get("history")["sessions"]]
    assert names == [f"C{i}" for i in range(1, 21)], names
    h.stop()
    os.unlink(state_file())  # the whole pipeline starts again
    h = Hub("--history", "history.json")
    assert [s["camera"] for s in h.get("history")["sessions"]] == names[1:] + ["B"]
    assert not h.get("uptime")["connected"]
    h.stop()
    open("history.json", "w").write("{]")
    os.unlink(state_file())
    h = Hub("--history", "history.json")
    assert h.get("history")["total_sessions"] == 0 and open("history.json.bad").read() == "{]"
    h.stop()


@check
def a_killed_hub_knows_everybody_still():
    h = Hub()
    c, g = h.camera(camera_name="A"), h.game()
    h.say(c, tag(n=1))
    h.rest()
    before = h.get("status")["uptime_seconds"], h.get("history")["server_start_time"]
    h.kill()
    client = h.client
    h = Hub()
    h.client = client
    h.say(c, tag(n=2))
    out = h.rest()
    assert said(out, c) == [ACK] and len(tags(out)) == 1
    assert h.get("history")["server_start_time"] == before[1] and h.get("uptime")["connected"]
    assert h.get("status")["websocket"] == {"active_connections": 2, "cameras": 1, "esp32_connected": True,
                                            "gdevelop_clients": 1, "pages": 0}
    late = h.open()
    h.say(late, {"event": "request_latest_data"})
    assert said(h.rest(), late)[1]["n"] == 2
    h.send("ws.clients", count=0)  # wsfanout has been started again
    h.rest()
    assert h.get("status")["websocket"]["active_connections"] == 0 and h.get("history")["total_sessions"] == 1
    h.kill()
    path = state_file()
    size = os.path.getsize(path)
    with open(path, "r+b") as f:  # damaged beyond the version's number
        f.seek(8)
        while f.tell() < size:
            f.write(os.urandom(min(1 << 20, size - f.tell())))
    h = Hub()
    h.camera()
    h.get("history")
    h.get("cameras")
    h.stop()


@check
def who_left_while_the_hub_was_dead_is_forgotten():
    fan = subprocess.Popen(["wsfanout", "-i", "fifo:orders", "-o", "ws"], stdin=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    try:
        h = Hub("--engines", "ws")
        h.camera()
        h.game()
        h.kill()
        h = Hub("--engines", "ws")  # wsfanout has no clients
        end = time.monotonic() + LIMIT
        while h.get("status")["websocket"]["active_connections"]:
            assert time.monotonic() < end
            time.sleep(0.02)
        assert h.get("history")["total_sessions"] == 1
        h.stop()
    finally:
        fan.kill()
        fan.wait()


@check
def pages_are_told_what_happens():
    h = Hub()
    page = h.open(group="pages")
    first = h.next()
    assert first[0] == "hub.page" and first[1]["to"] == page and json.loads(first[1]["text"])["cameras"] == []
    c = h.camera(camera_name="A")
    h.say(c, tag(timestamp=1000))
    h.send("ws.binary", client=c, data=jpeg())
    seen = {}
    while not (seen.get("tags") and seen.get("hub", {}).get("cameras") and seen["hub"]["cameras"][0]["frame_ms"]):
        topic, body = h.next()
        if topic == "hub.page" and body["to"] == "pages":
            m = json.loads(body["text"])
            seen[m["type"]] = m
    one = seen["tags"]["tags"][0]
    assert one["camera"] == "a" and one["tag"]["tag_id"] == 5 and one["delay_ms"] == 0.0
    camera = seen["hub"]["cameras"][0]
    assert camera["tags"] == 1 and camera["connections"] == 1 and camera["video"]["resolution"] == "320x240"
    assert camera.keys() == h.get("cameras")["cameras"][0].keys()
    h.say(page, {"type": "hello"})
    h.say(page, "nonsense")
    h.say(page, tag())
    h.say(page, {"event": "identify", "data": {"type": "esp32", "auth_token": TOKEN}})
    out = h.rest()
    assert [b["to"] for t, b in out if t == "hub.page" and b["to"] != "pages"] == [page] and not tags(out)
    h.stop()


@check
def who_talks_too_much_is_not_heard():
    """Neither a page's hello nor a game's identify can be said without limit; a camera's detections can."""
    h = Hub()
    cam, calm, loud, page = h.camera(), h.game(), h.open("10.6.6.6:1"), h.open(group="pages")
    h.say(cam, tag(camera_name="long" + "g" * 5000))
    h.rest()
    began = time.monotonic()
    for _ in range(900):
        h.say(loud, {"event": "identify", "data": {"type": "gdevelop"}})
        h.say(page, {"type": "hello"})
        h.say(cam, tag())
    h.say(calm, {"event": "request_latest_data"})
    out = h.rest()
    took = time.monotonic() - began
    heard = [m for m in said(out, loud) if m["event"] == "identify_success"]
    assert 200 <= len(heard) <= 201 + 100 * took, (len(heard), took)
    alone = [b for t, b in out if t == "hub.page" and b["to"] == page]
    assert 1 <= len(alone) <= 6 + 2 * took, (len(alone), took)
    assert len(tags(out)) == 900 and said(out, cam).count(ACK) == 900
    assert said(out, calm)[-1]["event"] == "apriltag_data"
    assert not [b for t, b in out if t == "ws.kick"]
    while not (kicked := [b for t, b in h.rest() if t == "ws.kick"]):
        for _ in range(300):
            h.say(loud, "{broken")
    assert kicked[0] == {"client": loud, "code": 1008, "reason": "too many messages"}
    # many pages at once: each is told, but not each by itself
    pages = [h.open("10.7.7.%d:1" % (i % 9), group="pages") for i in range(300)]
    out = h.rest()
    alone = {b["to"] for t, b in out if t == "hub.page" and b["to"] in pages}
    assert 1 <= len(alone) <= 150, len(alone)
    while not [b for t, b in out if t == "hub.page" and b["to"] == "pages"]:
        out = [h.next()]
    h.say(calm, {"event": "ping"})
    assert said(h.rest(), calm)[-1]["event"] == "pong"
    h.stop()


@check
def no_token_no_hub():
    run = lambda *args, **env: subprocess.run(["dispatch", "hub", *args, "-o", "-"], env={**os.environ, **env},
                                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT)
    os.environ.pop("AUTH_TOKEN", None)
    open("empty", "w").close()
    for args in ((), ("--token-file", "nowhere"), ("--token-file", "empty"), ("--check",)):
        r = run(*args)
        assert r.returncode == 2 and "token" in r.stderr, (args, r)
    assert "--token-file FILE" in run().stderr
    assert run("--open").returncode == 0 and run(AUTH_TOKEN="x").returncode == 0
    with open("token", "w") as f:
        f.write(TOKEN + "\n")
    os.environ["AUTH_TOKEN"] = "another"
    h = Hub("--token-file", "token")
    h.camera()
    h.stop()
    h = Hub("--open", env={"AUTH_TOKEN": ""})
    c = h.open()
    h.say(c, {"event": "identify", "data": {"type": "esp32"}})
    assert said(h.rest(), c)[1]["event"] == "identify_success"
    h.stop()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print("\n".join(CHECKS))
    else:
        CHECKS[sys.argv[1]]()
