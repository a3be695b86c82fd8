"""The real thing behind the browser tests of the camera's page: pipelines/camera.conf with ffmpeg's test picture."""
import json
import os
import signal
import subprocess

from pipeline import BIN, free_port
from simulated import SimulatedPipeline

PASSWORD = "rot-gelb-blau"


class CameraPipeline(SimulatedPipeline):
    conf = "camera.conf"
    size = (320, 240)

    def __init__(self):
        super().__init__()
        self.env["AUTH_PASSWORD"] = PASSWORD
        self.ports = {name: free_port() for name in ("DATA_PORT", "SETTINGS_PORT", "AUTH_PORT")}
        self.rtsp = f"rtsp://127.0.0.1:{free_port()}/ES_MTX"
        self._up("SOURCE=test", "SERVER_HOST=127.0.0.1", f"WIDTH={self.size[0]}", f"HEIGHT={self.size[1]}",
                 f"RTSP_URL={self.rtsp}", f"SETTINGS={self.dir}/settings.json",
                 *(f"{name}={port}" for name, port in self.ports.items()))
        self._wait(self._runs, "the camera runs")

    def _runs(self):
        state = self.state()
        return state["control"] and self.process(state, "camera").get("state") == "running"

    def state(self):
        return json.loads(self.get("camera/state.json"))

    @staticmethod
    def process(state, name):
        return next((one for one in state["processes"] if one["name"] == name), {})

    def stored(self):
        return self.request("cam", "settings")["settings"]

    def client(self, *words, password=None):
        """tapline camera; its exit status."""
        env = dict(self.env)
        del env["AUTH_PASSWORD"]
        if password:
            env["AUTH_PASSWORD"] = password
        ports = [f"--{name.lower().replace('_', '-')}={port}" for name, port in self.ports.items()]
        return subprocess.run([BIN / "tapline", "camera", *ports, *words], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=self.log, timeout=20, start_new_session=True).returncode

    def kill_process(self, name):
        os.kill(self.process(self.state(), name)["pid"], 9)

    def _signal(self, stage, number):
        status = subprocess.run([BIN / "tapline", "status", "--json"], env=self.env, check=True, capture_output=True)
        os.kill(next(one["pid"] for one in json.loads(status.stdout)["stages"] if one["name"] == stage), number)

    def stop_stage(self, stage):
        """It stands still, as a program does that hangs."""
        self._signal(stage, signal.SIGSTOP)

    def go_on_stage(self, stage):
        self._signal(stage, signal.SIGCONT)
