#!/usr/bin/python3
"""hub_talk.py NAME WEB_PORT WS_PORT UDP_PORT [TLS_PORT WSS_PORT]: one check of a running hub from outside, by an
independent WebSocket library, plain sockets and HTTP (test/hub.bats starts the hub). The token is in
AUTH_TOKEN."""
import asyncio
import http.client
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time

import websockets

TOKEN = os.environ["AUTH_TOKEN"]
WEB, DOOR, UDP = (int(p) for p in sys.argv[2:5])
TLS, WSS = (int(p) for p in sys.argv[5:7]) if len(sys.argv) > 6 else (0, 0)
LIMIT = 20
ACK = '{"event":"apriltag_ack","status":"received"}\n'
JPEG = b"\xff\xd8\xff\xc0\x00\x11\x08" + struct.pack(">HH", 240, 320) + bytes(range(256)) * 20 + b"\xff\xd9"


# ---------------------------------------------------------------- clients

async def connect(url, **kw):
    ws = await websockets.connect(url, ping_interval=None, compression=None, max_queue=None, max_size=None,
                                  close_timeout=0.3, **kw)
    assert (await event(ws))["event"] == "connection_success"
    return ws


async def text(ws):
    return await asyncio.wait_for(ws.recv(), LIMIT)


async def event(ws):
    return json.loads(await text(ws))


async def say(ws, **what):
    await ws.send(json.dumps(what))


def door(path="/"):
    return f"ws://127.0.0.1:{DOOR}{path}"


async def game(url=None):
    ws = await connect(url or door())
    await say(ws, event="identify", data={"type": "gdevelop"})
    assert await event(ws) == {"event": "identify_success", "client_type": "gdevelop"}
    return ws


async def camera(url=None, **kw):
    ws = await connect(url or door(), **kw)
    await say(ws, event="identify", data={"type": "esp32", "auth_token": TOKEN, "camera_name": "cam"})
    assert await event(ws) == {"event": "identify_success", "client_type": "esp32"}
    return ws


async def detect(ws, n, **more):
    await say(ws, event="apriltag_data", tag_id=n, x_cm=1.5, **more)
    assert await event(ws) == {"event": "apriltag_ack", "status": "received"}


def request(method, path, port=WEB, body=None, **headers):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    c.request(method, path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
    r = c.getresponse()
    got = r.status, r.read(), r.headers
    c.close()
    return got


def post(path, body, port=WEB, token=TOKEN, kind="application/json"):
    headers = {"Content_Type": kind, **({"Authorization": token} if token is not None else {})}
    status, text, _ = request("POST", path, port, body, **headers)
    return status, text.decode()


def get(path):
    status, body, headers = request("GET", path)
    assert status == 200 and headers["Content-Type"].startswith("application/json"), (path, status)
    return json.loads(body)


# ---------------------------------------------------------------- checks

async def every_way_in():
    """A detection by WebSocket on both ports, by POST on both, by UDP: every game gets each once."""
    games = [await game(), await game(f"ws://127.0.0.1:{WEB}/websocket"), await game(door("/any/path?x=1"))]
    ws = await camera()
    await detect(ws, 1)
    await ws.close()
    ws = await camera(f"ws://127.0.0.1:{WEB}/websocket")
    await detect(ws, 2)
    assert post("/apriltag", '{"tag_id":3,"x_cm":10.50}') == (200, ACK)
    assert post("/apriltag", '{"tag_id":4}', DOOR) == (200, ACK)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(LIMIT)
    s.connect(("127.0.0.1", UDP))
    s.send(b'{"tag_id":5,"smartcam_ip":"1.2.3.4"}')
    ack = json.loads(s.recv(255))
    assert (ack["event"], ack["status"], ack["tag_id"]) == ("apriltag_ack", "received", 5)
    for g in games:
        got = [await text(g) for _ in range(5)]
        assert [json.loads(t)["tag_id"] for t in got] == [1, 2, 3, 4, 5]
        assert '"x_cm":10.50,' in got[2] and json.loads(got[4])["smartcam_ip"] == "127.0.0.1"
        assert all(abs(json.loads(t)["server_timestamp"] - time.time()) < 60 for t in got)
    late = await game()
    assert (await event(late))["tag_id"] == 5
    assert get("/status")["websocket"]["gdevelop_clients"] == 4


async def the_token_guards():
    g = await game()
    for port in WEB, DOOR:
        for token in None, "", "wrong":
            assert post("/apriltag", '{"tag_id":1}', port, token) == (401, '{"error":"Invalid auth_token"}\n'), (port, token)
    # answered before the body is read
    s = socket.create_connection(("127.0.0.1", DOOR), LIMIT)
    s.sendall(b"POST /apriltag HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n")
    s.settimeout(LIMIT)
    assert s.recv(4096).startswith(b"HTTP/1.1 401 ")
    s.close()
    for body, status in (("{}", 400), ("{broken", 400), ('{"x_cm":"a"}', 400), ('{"a":"%s"}' % ("x" * 70000), 413)):
        assert post("/apriltag", body)[0] == status, body[:20]
    assert post("/apriltag", "{}", kind="text/plain")[0] == 415
    c = await connect(door())
    await say(c, event="apriltag_data", tag_id=1)
    assert (await event(c))["error"] == "Missing auth_token"
    await say(g, event="request_latest_data")
    assert await event(g) == {"event": "no_data_available"}
    assert get("/status")["detections"]["forwarded"] == 0


async def page_shows(page, what):
    """The next state a page is told that fulfils `what`."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        m = await event(page)
        if m["type"] == "hub" and what(m):
            return m
    raise AssertionError("a page is not told")


async def pictures_and_figures():
    page = await websockets.connect(f"ws://127.0.0.1:{WEB}/hub/ws", ping_interval=None, compression=None,
                                    max_queue=None, close_timeout=0.3)
    assert (await event(page))["cameras"] == []
    status, body, headers = request("GET", "/photo")
    assert (status, body) == (404, b"No frame available yet. Waiting for ESP32...")
    assert headers["Content-Type"].startswith("text/html")
    assert get("/connection_uptime")["uptime_formatted"] == "Not connected"
    path = "/client_e32__http_post_to_serverhub__smartcam_video_stream"
    assert post(path, "no picture", token=None) == (400, '{"message":"this is no picture","status":"error"}\n')
    assert get("/cameras.json")["cameras"] == []
    ws = await camera()
    for _ in range(3):
        await ws.send(JPEG)
    while get("/video_stats")["total_frames"] < 3:
        await asyncio.sleep(0.02)
    deadline = time.monotonic() + LIMIT
    while (r := request("GET", "/photo?t=1"))[0] != 200 and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    status, body, headers = r
    assert (status, body, headers["Content-Type"]) == (200, JPEG, "image/jpeg")
    assert headers["Cache-Control"] == "no-cache, no-store, must-revalidate" and headers["Pragma"] == "no-cache"
    assert headers["Expires"] == "0" and headers["X-Frame-Age"].endswith("s")
    float(headers["X-Frame-Age"][:-1])
    assert request("GET", "/cameras/cam.jpg")[1] == JPEG
    small = JPEG[:300] + b"\xff\xd9"
    assert post(path, small, token=None, kind="image/jpeg") == (200, '{"size":302,"status":"success"}\n')
    assert post(path, b"", token=None)[0] == 400
    for origin, status in ("http://evil.example", 403), ("null", 403), (f"http://127.0.0.1:{WEB}", 200):
        assert request("POST", path, body=small, Origin=origin, Content_Type="text/plain")[0] == status, origin
    assert get("/video_fps")["resolution"] == "320x240"
    assert get("/connection_uptime")["connected"] and get("/connection_history")["sessions"] == []
    assert post("/set_video_interval", '{"interval_ms":500}', token=None) == (
        200, '{"fps":2.0,"interval_ms":500,"status":"success"}\n')
    assert await event(ws) == {"event": "set_video_interval", "interval_ms": 500}
    state = await page_shows(page, lambda m: m["engines"] and m["cameras"])
    assert state["cameras"][0]["id"] == "cam" and state["engines"]["us_p99"] > 0 and state["interval_ms"] == 500
    await ws.close()
    state = await page_shows(page, lambda m: m["history"]["sessions"])
    assert state["status"]["websocket"]["pages"] == 1 and not state["uptime"]["connected"]
    while not get("/connection_history")["sessions"]:
        await asyncio.sleep(0.02)
    for path in "/status", "/video_fps", "/video_stats", "/connection_uptime", "/connection_history":
        assert request("HEAD", path)[:2] == (200, b""), path
    assert request("POST", "/status")[0] == 405 and request("GET", "/nowhere")[0] == 404
    assert get("/client_gdevelop_to_server__smartcam_data_get")["tag_id"] == -1


def raw_camera():
    """A WebSocket as the camera's library writes it: the mask is zero, what is sent comes in pieces."""
    s = socket.create_connection(("127.0.0.1", DOOR), LIMIT)
    s.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: TinyWebsockets Client\r\nConnection: Upgrade\r\n"
              b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
              b"Origin: https://github.com/gilmaimon/TinyWebsockets\r\n\r\n")
    f = s.makefile("rb")
    head = []
    while (line := f.readline()) != b"\r\n":
        head.append(line)
    assert head[0].startswith(b"HTTP/1.1 101")
    assert b"Upgrade: websocket\r\n" in head and b"Connection: Upgrade\r\n" in head, head
    return s, f


def raw_frame(payload, first=0x81):
    n = len(payload)
    size = bytes([0x80 | n]) if n < 126 else b"\xfe" + struct.pack(">H", n)
    return bytes([first]) + size + bytes(4) + payload


async def rude_peers():
    """The quirks of real cameras work; who is rude is closed with the right code; nobody else notices."""
    g = await game()
    s, f = raw_camera()
    for piece in (raw_frame(json.dumps({"event": "identify", "data": {"type": "esp32", "auth_token": TOKEN}}).encode()),
                  raw_frame(b'{"event":"apriltag_', 0x01) + raw_frame(b'data","tag_id":1}', 0x80)):
        for i in range(0, len(piece), 7):
            s.sendall(piece[i:i + 7])
            await asyncio.sleep(0.001)
    assert (await event(g))["tag_id"] == 1
    for payload, code in ((b"\x81\x02{}", 1002), (raw_frame(b"\xff\xfe"), 1007),
                          (b"\x81\xff" + struct.pack(">Q", (1 << 20) + 1) + bytes(4) + b"x", 1009)):
        bad, bf = raw_camera()
        bad.sendall(payload)
        seen = b""
        while struct.pack(">H", code) not in seen:
            data = bf.read1(4096)
            assert data, (code, seen)
            seen += data
        bad.close()
    half, _ = raw_camera()
    half.sendall(raw_frame(b"x" * 100)[:50])
    silent = [socket.create_connection(("127.0.0.1", DOOR), LIMIT) for _ in range(100)]
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    deaf.close()
    never = await connect(door())
    await say(never, event="identify", data={"type": "gdevelop"})
    never.transport.pause_reading()
    ws = await camera()
    for n in range(300):
        await say(ws, event="apriltag_data", tag_id=n, pad="x" * 2000)
    got = [json.loads(await text(g))["tag_id"] for _ in range(300)]
    assert got == list(range(300))
    for x in silent + [half, s]:
        x.close()


def pid_of(name):
    stages = subprocess.run(["tapline", "req", "supervisor", "status"], capture_output=True, text=True, check=True)
    return next(s["pid"] for s in json.loads(stages.stdout)["stages"] if s["name"] == name)


async def killed_stages():
    """Each stage may be killed: cameras and games stay connected (but those of wsfanout come again)."""
    g, ws = await game(), await camera()
    await detect(ws, 1)
    assert (await event(g))["tag_id"] == 1
    for name in ("rules", "web", "udp"):
        pid = pid_of(name)
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + LIMIT
        while pid_of(name) in (pid, 0, None) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        await detect(ws, 2)
        assert (await event(g))["tag_id"] == 2, name
    os.kill(pid_of("ws"), signal.SIGKILL)
    try:
        await text(ws)
        raise AssertionError("still connected")
    except websockets.ConnectionClosed:
        pass
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            g, ws = await game(), await camera()
            break
        except (OSError, websockets.InvalidHandshake, websockets.ConnectionClosed):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
    await detect(ws, 3)
    while (await event(g))["tag_id"] != 3:
        pass
    deadline = time.monotonic() + LIMIT
    while get("/status")["websocket"] != {"active_connections": 2, "cameras": 1, "esp32_connected": True,
                                          "gdevelop_clients": 1, "pages": 0}:
        assert time.monotonic() < deadline, get("/status")
        await asyncio.sleep(0.02)
    assert get("/connection_history")["total_sessions"] == 1


async def behind_tls():
    trust = ssl.create_default_context(cafile="cert.pem")
    ws = await camera(f"wss://localhost:{TLS}/websocket", ssl=trust)
    g = await connect(f"wss://localhost:{WSS}/", ssl=trust)
    await say(g, event="event_FromGDevelop")
    await say(g, event="ping")
    assert (await event(g))["event"] == "pong"
    await detect(ws, 7)
    assert (await event(g))["tag_id"] == 7
    c = http.client.HTTPSConnection("localhost", TLS, timeout=LIMIT, context=trust)
    c.request("GET", "/status")
    assert json.load(c.getresponse())["websocket"]["esp32_connected"]
    c.close()


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(globals()[sys.argv[1]](), 80))
