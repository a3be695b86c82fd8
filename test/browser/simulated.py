"""A pipeline and the simulated device it is fed by, for browser tests."""
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


class SimulatedPipeline:
    """`url` (ends in /); `do` says something to the simulated device, whose endpoint is `sim`."""

    conf = None  # of pipelines/
    sim = "sim"

    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="tl."))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.env = dict(os.environ, TAPLINE_RUN=str(self.dir / "run"))
        self.log = open(self.dir / "log", "wb")
        self.processes = []

    def _up(self, *variables):
        self._start("tapline", "up", ROOT / "pipelines" / self.conf, f"LISTEN=127.0.0.1:{self.port}", *variables)

    def _start(self, *command):
        process = subprocess.Popen([BIN / command[0], *command[1:]], env=self.env, stdin=subprocess.DEVNULL,
                                   stdout=self.log, stderr=self.log)
        self.processes.append(process)

    def _wait(self, check, what):
        try:
            wait_until(check, what)
        except AssertionError:
            sys.stderr.write((self.dir / "log").read_text())
            self.close()
            raise

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:
            return answer.read()

    def request(self, *words):
        """tapline req; the reply."""
        done = subprocess.run([BIN / "tapline", "req", *words], env=self.env, check=True, capture_output=True)
        return json.loads(done.stdout)

    def do(self, text):
        self.request(self.sim, "do", f"text={text}")

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
