"""The real thing behind the browser tests of the tag hub's pages: pipelines/hub.conf. Cameras are
Debian's python3-websockets or devsim; games too."""
import asyncio
import json
import threading
import urllib.request

import websockets

from pipeline import ROOT, free_port
from simulated import SimulatedPipeline

TOKEN = "a-token-for-tests"
LIMIT = 15
PICTURES = [(ROOT / f"media/{n:03d}.jpg").read_bytes() for n in (1, 2, 3)]


class Loop:
    """An event loop in a thread of its own, for clients that a test talks to step by step."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def do(self, work):
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, LIMIT), self.loop).result(LIMIT + 5)

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


class Camera:
    """A camera by WebSocket. Reads only when it is asked something."""

    def __init__(self, hub, name):
        self.loop = hub.loop
        self.socket = self.loop.do(self._open(f"ws://127.0.0.1:{hub.door}/", name))

    async def _open(self, url, name):
        ws = await websockets.connect(url, ping_interval=None, compression=None, max_queue=None, close_timeout=0.3)
        data = {"type": "esp32", "auth_token": TOKEN, "camera_name": name}
        await ws.send(json.dumps({"event": "identify", "data": data}))
        while json.loads(await ws.recv())["event"] != "identify_success":
            pass
        return ws

    def tag(self, tag_id, **more):
        """A detection; returns when the hub has acknowledged it."""
        self.loop.do(self.socket.send(json.dumps({"event": "apriltag_data", "tag_id": tag_id, **more})))
        self.hear("apriltag_ack")

    def picture(self, data=PICTURES[0]):
        self.loop.do(self.socket.send(data))

    def hear(self, event):
        """The next message of that kind."""
        while True:
            message = json.loads(self.loop.do(self.socket.recv()))
            if message["event"] == event:
                return message

    def close(self):
        self.loop.do(self.socket.close())


class HubPipeline(SimulatedPipeline):
    conf = "hub.conf"

    def __init__(self, cameras=0, options=()):
        super().__init__()
        self.env["AUTH_TOKEN"] = TOKEN
        self.door, udp = free_port(), free_port()
        self.loop = Loop()
        self._up(f"WS_LISTEN=127.0.0.1:{self.door}", f"UDP_LISTEN=127.0.0.1:{udp}")
        self._wait(lambda: self.get("status"), "the hub answers")
        if cameras:
            self._start("devsim", "hub", "camera", "--url", f"ws://127.0.0.1:{self.door}/", "--cameras", str(cameras),
                        "--seed", "3", "--retry", "500ms", *options)
            self._wait(lambda: self.status()["websocket"]["cameras"] == cameras, "the cameras are connected")

    def status(self):
        return json.loads(self.get("status"))

    def camera(self, name):
        return Camera(self, name)

    def engines(self, n):
        self._start("devsim", "hub", "engine", "--url", f"ws://127.0.0.1:{self.door}/", "--count", str(n))
        self._wait(lambda: self.status()["websocket"]["gdevelop_clients"] == n, "the games are connected")

    def post(self, **fields):
        """A detection by HTTP."""
        headers = {"Authorization": TOKEN, "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + "apriltag", json.dumps(fields).encode(), headers)
        with urllib.request.urlopen(request, timeout=LIMIT) as answer:
            return json.load(answer)

    def cut_sockets(self):
        """Every WebSocket is cut; new ones are taken soon after."""
        stages = self.request("supervisor", "status")["stages"]
        self.kill(next(stage["name"] for stage in stages if stage["program"].endswith("/wsfanout")))

    def close(self):
        super().close()
        self.loop.close()
