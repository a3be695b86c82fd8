"""The real thing behind the browser tests of the camera wall: pipelines/espcam.conf, fed by devsim."""
import json

from pipeline import ROOT
from simulated import SimulatedPipeline


class CameraPipeline(SimulatedPipeline):
    conf = "espcam.conf"

    def __init__(self, cameras=3, every="400ms", silent="3s", options=()):
        super().__init__()
        self.saved = self.dir / "out"
        self._up(f"DEVICE={self.dir}/tty", f"DIR={self.saved}", f"SILENT={silent}", "TIMEOUT=2")
        self._start("devsim", "espcam", "--images", ROOT / "media", "--link", self.dir / "tty", "--cameras",
                    str(cameras), "--every", every, "--pace", "0", "--seed", "3", "-o", "sim", *options)
        self._wait(lambda: len(self.cameras()) == cameras, "every camera is heard")

    def cameras(self):
        return json.loads(self.get("cameras.json"))["cameras"]

    def files(self):
        return sorted(p.name for p in self.saved.glob("*.jpg"))
