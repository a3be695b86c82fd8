#!/usr/bin/python3
"""The example game of contrib/clients, opened from disk, and a hub that comes and goes."""
import json
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from case import BrowserCase  # noqa: E402
from harness import ROOT  # noqa: E402
from pipeline import free_port  # noqa: E402

GAME = (ROOT / "contrib/clients/game.html").as_uri()
SECONDS = 20


class Hub:
    """test/tool/hub_fake.py, which says some detections to whoever identifies."""

    def __init__(self, port, tags):
        self.lines = tempfile.NamedTemporaryFile("w", suffix=".json")
        for tag in tags:
            print(json.dumps({"event": "apriltag_data", **tag}), file=self.lines, flush=True)
        self.proc = subprocess.Popen(["/usr/bin/python3", ROOT / "test/tool/hub_fake.py", str(port),
                                      "--say", self.lines.name], stdout=subprocess.PIPE, text=True)
        assert self.proc.stdout.readline() == "ready\n"

    def close(self):
        self.proc.kill()
        self.proc.wait()
        self.proc.stdout.close()
        self.lines.close()


class TestExampleGame(BrowserCase):
    def start(self, *tags):
        self.hub = Hub(self.port, tags)
        self.addCleanup(self.hub.close)

    def until(self, script, want):
        end = time.monotonic() + SECONDS
        while (got := self.browser.driver.execute_script("return " + script)) != want:
            self.assertLess(time.monotonic(), end, f"{script} is {got!r}, not {want!r}")
            time.sleep(0.02)

    def test_detections_come_and_the_hub_may_go_and_come_back(self):
        self.port = free_port()
        tag = {"camera_name": "eye", "x_cm": 4.5, "y_cm": 0, "z_cm": 80, "yaw": 3, "range_cm": 80.1}
        self.start({**tag, "tag_id": 7, "server_timestamp": 1.5},
                   {**tag, "tag_id": 8, "server_timestamp": time.time()}, {"tag_id": None})
        self.browser.page(f"{GAME}?ws://127.0.0.1:{self.port}/websocket")
        state = "document.getElementById('line').dataset."
        self.until(state + "connected", "yes")
        self.until(state + "tags", "3")
        self.until("hub.latest({tag: 7})?.replayed", True)
        self.until("hub.latest({tag: 8})?.replayed", False)
        self.until("hub.latest({camera: 'eye', tag: 8})?.x_cm", 4.5)
        self.until("hub.latest({camera: 'nobody'})", None)
        self.until("hub.latest({tag: 7, maxAge: 0})", None)
        self.hub.close()
        self.until(state + "connected", "no")
        self.start({**tag, "tag_id": 9})
        self.until(state + "connected", "yes")
        self.until("hub.latest({tag: 9})?.camera_name", "eye")
        self.until("window.pageErrors", [])

    def test_a_dead_link_is_noticed(self):
        self.port = free_port()
        self.start()
        self.browser.page(f"{GAME}?ws://127.0.0.1:{self.port}/websocket")
        self.until("document.getElementById('line').dataset.connected", "yes")
        self.hub.proc.send_signal(19)  # stopped: the connection stays, nothing comes
        self.browser.driver.execute_script("hub.quiet = 2")
        self.until("hub.connected", False)
        self.hub.proc.send_signal(18)
        self.until("hub.connected", True)


if __name__ == "__main__":
    unittest.main()
