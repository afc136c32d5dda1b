"""A whole system as the switch says: sensors, a gateway for each aggregator, and the platform as the cloud.

All are processes on this machine, joined by real sockets. Whoever measures gives ``through``, which may put a
relay into each line.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec
import yaml

from diat.adapters.brokers.listening import free_port
from diat.kernel.clock import parse_time
from diat_gateway.vehicles.processes import Failed, Part, until_ready
from diat_gateway.vehicles.sensor import Figures
from diat_gateway.vehicles.setup import Analysis, Level, Setup, check
from diat_gateway.vehicles.switching import make_map, switch, thing_of

Through = Callable[[str, int], int]
"""A line (``first``: to an aggregator, ``second``: to the cloud) and a port to the port to connect to."""
_PORTS = 3
"""How often a daemon is started on other ports than somebody took meanwhile."""


def directly(_line: str, port: int) -> int:
    """Without anything between."""
    return port


class System:
    """The processes of one setup; a ``with`` block starts and ends them.

    Args:
        setup: the switch.
        directory: for data and logs; empty.
        through: what is put into lines.

    Attributes:
        start: Unix s of the first pictures, once ``begin`` was called.
        figures: of each sensor that has ended.
    """

    def __init__(self, setup: Setup, directory: Path, through: Through = directly) -> None:
        check(setup)
        self.setup = setup
        self._directory = directory
        self._through = through
        self._file = directory / "setup.yaml"
        self._file.write_text(yaml.safe_dump(msgspec.to_builtins(setup)))
        self._parts: list[Part] = []
        self._sensors: dict[str, Part] = {}
        self._services: dict[str, str] = {}
        self._spent: dict[Part, float] = {}
        self._brokers: dict[str, int] = {}
        self._video: dict[str, int] = {}
        self.rest: dict[str, httpx.Client] = {}
        self.start = 0.0
        self.figures: dict[str, Figures] = {}

    def __enter__(self) -> Self:
        try:
            self._daemons()
            self._units()
            self._make_maps()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, wait: float = 5.0, patience: float = 150.0) -> None:
        """Start the sensors: their first pictures are so many seconds ahead.

        Raises:
            Failed: the cloud does not know them in time.
        """
        self.start = time.time() + wait
        self._spent = {part: part.cpu() for part in self._parts}
        for name in self.setup.cameras:
            unit = self.setup.aggregator_of(name)
            given = ["--camera", name, "--start", f"{self.start:.3f}"]
            given += ["--mqtt", f"127.0.0.1:{self._through('first', self._brokers[unit])}"]
            given += ["--video", f"127.0.0.1:{self._through('first', self._video[unit])}"]
            self._sensors[name] = self._part("sensor", name, "sensor", str(self._file), *given)
        self._known(time.monotonic() + patience)

    def switch(self, level: Level, analysis: Analysis) -> None:
        """Go over to another case while all is at work."""
        self.setup = msgspec.structs.replace(self.setup, level=level, analysis=analysis)
        gateways = {name: (self.rest[name], self._services[name]) for name in self.setup.aggregators}
        switch(self.setup, self.rest["cloud"], self._services["cloud"], gateways)

    def wait(self, patience: float) -> None:
        """Wait until all sensors have ended, and the map of what they saw is there.

        Raises:
            Failed: a part failed, or they did not in time.
        """
        end = time.monotonic() + patience
        left = dict(self._sensors)
        while left:
            for name, part in list(left.items()):
                if not part.running():
                    self.figures[name] = msgspec.json.decode(part.output(), type=Figures)
                    del left[name]
            if time.monotonic() > end:
                raise Failed(f"still at work: {', '.join(left)}")
            time.sleep(0.05)
        known, since = -1, time.monotonic()
        while time.monotonic() - since < 3.0 and time.monotonic() < end:
            count = self._newest()
            if count != known:
                known, since = count, time.monotonic()
            time.sleep(0.2)

    def cpu(self) -> dict[str, float]:
        """CPU seconds of each tier since ``begin``."""
        found = dict.fromkeys(("sensor", "aggregator", "cloud"), 0.0)
        for part, before in self._spent.items():
            found[part.tier] += part.cpu() - before
        found["sensor"] += sum(each.cpu for each in self.figures.values())
        return found

    def kill(self, camera: str) -> None:
        """End a camera as a power cut would."""
        self._sensors.pop(camera).kill()

    def newest(self) -> list[dict[str, Any]]:
        """The map as the cloud has it now."""
        answer = self.rest["cloud"].get(f"/things/{self._map}/properties/vehicles")
        found = answer.json()["value"] if answer.status_code == 200 else []
        return found if isinstance(found, list) else []

    def maps(self) -> list[tuple[float, list[dict[str, Any]]]]:
        """All maps that the cloud had: time (s since ``start``) and vehicles."""
        found: list[tuple[float, list[dict[str, Any]]]] = []
        path: str | None = f"/things/{self._map}/properties/vehicles/history"
        query: dict[str, Any] = {"limit": 1000}
        while path:
            answer = self.rest["cloud"].get(path, params=query)
            if answer.status_code == 404:
                return found
            answer.raise_for_status()
            found += [(_seconds(each) - self.start, each["value"]) for each in answer.json()]
            path, query = answer.links.get("next", {}).get("url"), {}
        return found

    @property
    def _map(self) -> str:
        """The thing that has the cloud's map."""
        return thing_of(self._services["cloud"])

    def close(self) -> None:
        """End everything, the sensors first."""
        for client in self.rest.values():
            client.close()
        for part in reversed(self._parts):
            part.close()
        self._parts.clear()

    # --- the parts ---

    def _part(self, tier: str, name: str, *arguments: str) -> Part:
        part = Part(tier, name, ["diat_gateway.vehicles", *arguments], self._directory / f"{name}.log")
        self._parts.append(part)
        return part

    def _daemon(self, tier: str, name: str, *arguments: str) -> None:
        """Start a daemon and wait until it is ready; if somebody else took its port meanwhile, on another."""
        for attempt in range(_PORTS):
            http, mqtt = free_port(), free_port()
            given = ["--http", str(http), "--mqtt", str(mqtt), "--data", str(self._directory / name)]
            command = ["diat", *arguments, *given, "--no-dashboard"]
            part = Part(tier, name, command, self._directory / f"{name}.log")
            try:
                until_ready(part, http)
            except Failed as failure:
                part.close()
                if attempt == _PORTS - 1 or "in use" not in str(failure):
                    raise
                continue
            self._parts.append(part)
            self.rest[name] = httpx.Client(base_url=f"http://127.0.0.1:{http}", timeout=20.0)
            self._brokers[name] = mqtt
            return

    def _daemons(self) -> None:
        self._daemon("cloud", "cloud", "up", "--no-mirror")
        above = f"127.0.0.1:{self._through('second', self._brokers['cloud'])}"
        for name in self.setup.aggregators:
            self._daemon("aggregator", name, "gateway", "--join", above, "--name", name)
        self._joined(time.monotonic() + 120.0)

    def _joined(self, end: float) -> None:
        """Wait until the lines are up: the cloud knows each gateway, and that it is there."""
        left = set(self.setup.aggregators)
        while left:
            for name in list(left):
                answer = self.rest["cloud"].get(f"/things/urn:dev:{name}")
                if answer.status_code == 200 and answer.json().get("diat:status") == "online":
                    left.discard(name)
            if time.monotonic() > end:
                raise Failed(f"not joined: {', '.join(sorted(left))}")
            time.sleep(0.1)

    def _units(self) -> None:
        self._video["cloud"] = self._unit("cloud", "cloud")
        for name in self.setup.aggregators:
            passed = self._through("second", self._video["cloud"])
            self._video[name] = self._unit("aggregator", name, "--cloud", f"127.0.0.1:{passed}")
        for part in self._parts:
            if part.name.endswith("-unit"):
                part.says_ready()

    def _unit(self, tier: str, name: str, *more: str) -> int:
        port = free_port()
        given = ["--name", name, "--port", str(port), "--mqtt", f"127.0.0.1:{self._brokers[name]}"]
        self._part(tier, f"{name}-unit", "unit", str(self._file), *given, *more)
        return port

    def _make_maps(self) -> None:
        """The map of each tier; with the analysis in the cloud those of aggregators rest."""
        near = self.setup.analysis == "aggregator"
        for name in self.setup.aggregators:
            self._services[name] = make_map(self.rest[name], name, self.setup)
            if not near:
                self.rest[name].post(f"/services/{self._services[name]}/pause").raise_for_status()
        self._services["cloud"] = make_map(self.rest["cloud"], "cloud", self.setup, self.setup.analysis)

    def _known(self, end: float) -> None:
        """Wait until the cloud knows each camera."""
        left = set(self.setup.cameras)
        while left:
            for name in list(left):
                if self.rest["cloud"].get(f"/things/urn:dev:{name}").status_code == 200:
                    left.discard(name)
            if time.monotonic() > end:
                raise Failed(f"not known in the cloud: {', '.join(sorted(left))}")
            time.sleep(0.1)

    def _newest(self) -> Any:
        answer = self.rest["cloud"].get(f"/things/{self._map}/properties/vehicles")
        return answer.text


def _seconds(reading: dict[str, Any]) -> float:
    """To when a map belongs, Unix s; of an empty one, when it was said."""
    at = max((each["at"] for each in reading["value"]), default=0)
    if at:
        return float(at / 1000)
    return parse_time(reading["observed"]) / 1000
