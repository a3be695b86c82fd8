"""The real thing behind the browser tests: pipelines/panel.conf on a pseudo-terminal.

The panel is played by this process, not by devsim, so that both are checked against the protocol.
"""
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
import tty
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/tool"))
from ports import free_port  # noqa: E402

BIN = Path(os.environ.get("TAPLINE_BIN", ROOT / "build/bin"))
START_SECONDS = 20


def wait_until(check, what, seconds=START_SECONDS):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            value = check()
            if value:
                return value
        except OSError:
            pass
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


class Panel:
    """The board's end of a pseudo-terminal behind a symbolic link that may come and go."""

    def __init__(self, link):
        self.link = Path(link)
        self.commands = []
        self.master = None
        self.plug()

    def plug(self):
        if self.master is not None:
            return
        self.master, slave = os.openpty()
        tty.setraw(slave, termios.TCSANOW)
        # Our own slave end stays open, so that the master never sees "nobody has opened it yet".
        self.slave = slave
        fresh = self.link.with_suffix(".new")
        fresh.symlink_to(os.ttyname(slave))
        fresh.rename(self.link)
        # A read() under way would keep the terminal open after close(), hence select and a wake-up.
        stop, self.wake = os.pipe()
        self.reader = threading.Thread(target=self._read, args=(self.master, stop), daemon=True)
        self.reader.start()

    def unplug(self):
        if self.master is None:
            return
        self.link.unlink(missing_ok=True)
        os.close(self.wake)
        self.reader.join()
        os.close(self.slave)
        os.close(self.master)
        self.master = None

    def write(self, text):
        os.write(self.master, text.encode())

    def _read(self, fd, stop):
        pending = b""
        while stop not in select.select([fd, stop], [], [])[0]:
            *lines, pending = (pending + os.read(fd, 4096)).split(b"\n")
            self.commands += [line.decode().strip() for line in lines]
        os.close(stop)


class PanelPipeline:
    """`url` (ends in /), press, led_commands, restart_ws, unplug, plug, close: see harness.Server."""

    conf = "panel.conf"

    def __init__(self, buttons=10, media=ROOT / "media"):
        self.dir = Path(tempfile.mkdtemp(prefix="tl."))
        self.panel = Panel(self.dir / "tty")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.env = dict(os.environ, TAPLINE_RUN=str(self.dir / "run"))
        self.log = open(self.dir / "log", "wb")
        self.process = subprocess.Popen(
            [BIN / "tapline", "up", ROOT / "pipelines" / self.conf, f"DEVICE={self.dir}/tty",
             f"LISTEN=127.0.0.1:{self.port}", f"MEDIA={media}", f"BUTTONS={buttons}"],
            env=self.env, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            wait_until(self._connected, "the pipeline is up")
        except AssertionError:
            sys.stderr.write((self.dir / "log").read_text())
            self.close()
            raise

    def _connected(self):
        with urllib.request.urlopen(self.url + "status", timeout=2) as r:
            return b'"serial_connected": true' in r.read()

    def press(self, number):
        self.panel.write(f"PRESS {number:03d}\r\n")

    def led_commands(self):
        return list(self.panel.commands)

    def restart_ws(self):
        subprocess.run([BIN / "tapline", "restart", "ws"], env=self.env, check=True,
                       stdout=subprocess.DEVNULL)

    def kill_stage(self, name):
        status = subprocess.run([BIN / "tapline", "status", "--json"], env=self.env, check=True,
                                capture_output=True)
        for stage in json.loads(status.stdout)["stages"]:
            if stage["name"] == name and stage["pid"]:
                os.kill(stage["pid"], signal.SIGKILL)

    def unplug(self):
        self.panel.unplug()

    def plug(self):
        self.panel.plug()

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.panel.unplug()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)
