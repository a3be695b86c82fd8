"""The real thing behind the browser tests of the ventilator's screen: pipelines/hev.conf, fed by devsim."""
import json

from pipeline import free_port
from simulated import SimulatedPipeline


class HevPipeline(SimulatedPipeline):
    conf = "hev.conf"

    def __init__(self, device=True, options=()):
        super().__init__()
        ports = [f"{name}_PORT={free_port()}" for name in ("WEBUI", "QUERY", "NATIVE")]
        self._up(f"DEVICE={self.dir}/tty", *ports)
        if device:
            self._start("devsim", "hev", "--link", self.dir / "tty", "--seed", "3", "-o", "sim", *options)
        self._wait(lambda: self.state()["serial"] == device and (not device or self.state()["age_ms"] is not None),
                   "the screen's rules hear the device")

    def state(self):
        return json.loads(self.get("hev/state.json"))

    def device(self):
        """What the simulated ventilator says of itself."""
        return self.request("sim", "state")

    def alarms(self):
        return [alarm["name"] for alarm in self.state()["alarms"]]
