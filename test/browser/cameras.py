"""The real thing behind the browser tests of the camera wall: pipelines/espcam.conf, fed by devsim."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from pipeline import BIN, ROOT, free_port, wait_until


class CameraPipeline:
    """`url` (ends in /); `do` says something to the simulated cameras."""

    def __init__(self, cameras=3, every="400ms", silent="3s", options=()):
        self.dir = Path(tempfile.mkdtemp(prefix="tl."))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.saved = self.dir / "out"
        self.env = dict(os.environ, TAPLINE_RUN=str(self.dir / "run"))
        self.log = open(self.dir / "log", "wb")
        self.processes = []
        try:
            self._start("tapline", "up", ROOT / "pipelines/espcam.conf", f"DEVICE={self.dir}/tty", f"DIR={self.saved}",
                        f"LISTEN=127.0.0.1:{self.port}", f"SILENT={silent}", "TIMEOUT=2")
            self._start("devsim", "espcam", "--images", ROOT / "media", "--link", self.dir / "tty", "--cameras",
                        str(cameras), "--every", every, "--pace", "0", "--seed", "3", "-o", "sim", *options)
            wait_until(lambda: len(self.cameras()) == cameras, "every camera is heard")
        except AssertionError:
            sys.stderr.write((self.dir / "log").read_text())
            self.close()
            raise

    def _start(self, *command):
        process = subprocess.Popen([BIN / command[0], *command[1:]], env=self.env, stdin=subprocess.DEVNULL,
                                   stdout=self.log, stderr=self.log)
        self.processes.append(process)

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:
            return answer.read()

    def cameras(self):
        return json.loads(self.get("cameras.json"))["cameras"]

    def files(self):
        return sorted(p.name for p in self.saved.glob("*.jpg"))

    def do(self, text):
        subprocess.run([BIN / "tapline", "req", "sim", "do", f"text={text}"], env=self.env, check=True,
                       stdout=subprocess.DEVNULL)

    def restart(self, stage):
        subprocess.run([BIN / "tapline", "restart", stage], env=self.env, check=True, stdout=subprocess.DEVNULL)

    def kill(self, stage):
        status = subprocess.run([BIN / "tapline", "status", "--json"], env=self.env, check=True, capture_output=True)
        for one in json.loads(status.stdout)["stages"]:
            if one["name"] == stage and one["pid"]:
                os.kill(one["pid"], signal.SIGKILL)

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)
