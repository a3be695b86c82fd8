#!/usr/bin/python3
"""The pictures of the README: doc/*.png, of the demo and of pipelines with simulated devices, in headless
Chromium.

    make && contrib/make-pictures.py [NAME]...

Needs what `make test` needs. Starts what it shows on free ports and stops it again.
"""
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "test/browser"))
from camera import PASSWORD, CameraPipeline  # noqa: E402
from harness import Browser  # noqa: E402
from hev import HevPipeline  # noqa: E402
from hub import HubPipeline  # noqa: E402
from pipeline import BIN, free_port, wait_until  # noqa: E402
from simulated import SimulatedPipeline  # noqa: E402


class Demo:
    """pipelines/demo.conf, as `make run` starts it, with a press every two seconds."""

    def __enter__(self):
        self.dir = tempfile.TemporaryDirectory(prefix="tl.")
        self.url = f"http://127.0.0.1:{free_port()}/"
        env = dict(os.environ, TAPLINE_RUN=self.dir.name + "/run")
        self.process = subprocess.Popen(
            [BIN / "tapline", "up", "-q", ROOT / "pipelines/demo.conf", "PRESS_EVERY=2s",
             "LISTEN=" + self.url[7:-1]], env=env, stderr=subprocess.DEVNULL)
        wait_until(self._answers, "the demo is up")
        return self

    def _answers(self):
        with urllib.request.urlopen(self.url + "status", timeout=2) as r:
            return b'"serial_connected": true' in r.read()

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.dir.cleanup()


class Panel(SimulatedPipeline):
    """pipelines/panel.conf, small enough for its system page in one picture; a press every two seconds."""

    conf = "panel.conf"

    def __init__(self):
        super().__init__()
        self._start("devsim", "panel", "--link", self.dir / "tty", "--random", "2s", "-o", "board")
        self._up(f"DEVICE={self.dir}/tty", f"MEDIA={ROOT / 'media'}")
        self._wait(lambda: b'"serial_connected": true' in self.get("status"), "the panel is connected")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Ventilator(HevPipeline):
    """pipelines/hev.conf with a made-up patient."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Hub(HubPipeline):
    """pipelines/hub.conf with cameras that drift past a wall of tags, and games."""

    def __init__(self):
        super().__init__(cameras=3, options=("--rate", "5", "--pictures", "200ms", "--name", "camera"))
        self.engines(8)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Camera(CameraPipeline):
    """pipelines/camera.conf with a test picture."""

    size = (640, 480)

    def __enter__(self):
        return self

    def listen(self):
        """An RTSP server for the first that publishes."""
        self.processes.append(subprocess.Popen(
            ["ffmpeg", "-nostdin", "-loglevel", "quiet", "-rtsp_flags", "listen", "-i", self.rtsp, "-c", "copy",
             "-f", "null", "-"]))

    def __exit__(self, *_):
        self.close()


def panel(browser, demo):
    page = browser.page(demo.url, 1280, 800, scheme="dark")
    page.wait("document.body.dataset.link === 'up'")
    page.click("#unlock")
    page.wait("document.body.dataset.play === 'playing'", 20)
    time.sleep(0.7)
    return page


def phone(browser, demo):
    page = browser.page(demo.url, 390, 780, scheme="light")
    page.wait("document.body.dataset.link === 'up'")
    page.click("#unlock")
    page.wait("document.body.dataset.play === 'playing'", 20)
    time.sleep(0.7)
    return page


def system(browser, panel_alone):
    page = browser.page(panel_alone.url + "system", 1280, 1500, scheme="dark")
    page.wait("document.body.dataset.loaded === 'true'", 20)
    page.wait("document.querySelectorAll('#tap-from input').length > 3", 20)
    page.click("#tap-run")
    time.sleep(15)  # something to see in the charts
    page.js("scrollTo(0, 0)")
    return page


def cameras(browser, demo):
    page = browser.page(demo.url + "cameras", 1280, 800, scheme="light")
    page.wait("[...document.querySelectorAll('.cam-picture')].filter((i) => i.naturalWidth > 0).length === 4", 20)
    page.wait("document.querySelectorAll('.film-frame').length >= 16", 40)
    page.wait("[...document.querySelectorAll('.film-frame img')].every((i) => i.naturalWidth > 0)", 20)
    return page


def hev(browser, ventilator):
    time.sleep(90)  # something to see in the history
    page = browser.page(ventilator.url, 1280, 1300, scheme="dark")
    page.wait("document.body.dataset.fresh === 'live'", 20)
    page.click("#history-spans button")
    ventilator.do("alarm HIGH_RR medium")
    page.wait("document.querySelector('.alarm') !== null")
    time.sleep(13)  # a whole sweep
    return page


def hub(browser, server):
    page = browser.page(server.url, 1280, 1240, scheme="dark")
    page.wait("[...document.querySelectorAll('.cam-picture')].filter((i) => i.naturalWidth > 0).length === 3", 20)
    page.wait("document.querySelectorAll('.scene-camera').length === 3")
    time.sleep(12)  # the ways they came
    return page


def camera(browser, server):
    server.client("auth", password="12345")
    server.client("set", "contrast=1.1", password=PASSWORD)
    server.listen()
    page = browser.page(server.url, 1280, 1240, scheme="light")
    page.wait("document.body.dataset.picture === 'live' && document.body.dataset.stream === 'live'", 30)
    page.wait("document.querySelector('[data-process=publisher]')?.dataset.state === 'running'", 60)
    page.js("document.getElementById('set-gain').focus()")
    page.key("\ue014" * 3)  # to the right, and not applied
    page.js("document.activeElement.blur()")
    time.sleep(12)  # a whole curve
    return page


PICTURES = {"panel": (Demo, panel), "phone": (Demo, phone), "system": (Panel, system), "cameras": (Demo, cameras),
            "hev": (Ventilator, hev), "camera": (Camera, camera), "hub": (Hub, hub)}


def main():
    (ROOT / "doc").mkdir(exist_ok=True)
    for name in sys.argv[1:] or PICTURES:
        browser = Browser(language="en-GB,en")
        try:
            server, take = PICTURES[name]
            with server() as running:
                page = take(browser, running)
                page.driver.save_screenshot(str(ROOT / f"doc/{name}.png"))
                print(f"doc/{name}.png")
        finally:
            browser.close()


if __name__ == "__main__":
    main()
