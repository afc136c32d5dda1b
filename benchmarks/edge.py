"""What goes over the uplink of a gateway: with everything in the core, and with placement.

Real processes: the platform, ``diat gateway`` with a broker of its own, and things that speak to that over
MQTT. The same readings come in each run, second by second, and the services have to answer the same.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks import edge_gateway
from benchmarks.processes import BenchmarkFailed, Child
from diat.adapters.brokers.listening import free_port

READY = 90.0
SETTLES = 150.0
"""Seconds within which services have to be where they had better be."""
WINDOW = """
name: bench-means
title: Means of ten seconds
parameters: {type: object, properties: {place: {type: string}}, required: [place]}
roles:
  sensors:
    {capability: read, quantity: Temperature, place: "{{place}}", unit: Cel, count: "1..", freshness: 600}
steps:
  - {id: mean, do: window, role: sensors, kind: tumbling, size: 10, lateness: 2, aggregate: mean}
derives:
  mean: {from: mean, type: number, unit: Cel}
"""
SWITCH = """
name: bench-switch
title: Heat below a band
parameters: {type: object, properties: {place: {type: string}}, required: [place]}
roles:
  sensor:
    {capability: read, quantity: RelativeHumidity, place: "{{place}}", unit: "%", count: "1", freshness: 600}
  fan: {capability: decrease, quantity: RelativeHumidity, place: "{{place}}", count: "1"}
steps:
  - {id: level, do: latest, role: sensor}
  - {id: damp, do: hysteresis, input: level, "on": above, low: 45, high: 55}
  - {id: drive, do: drive, role: fan, input: damp, otherwise: false}
emits:
  damp: {from: damp}
"""
MODES = ("core", "placement")


class Run(msgspec.Struct):
    """What one run came to.

    Attributes:
        up: bytes in an hour over the line upward, as measured, with all that is of no service.
        services: of the services alone.
        predicted: of the services, as the platform said.
        above: of the services, had everything been in the core, from the readings that did not travel.
        answers: place and what to what was said and done, in order.
        moved: how many services had steps at the gateway.
    """

    mode: str
    up: float
    services: float
    predicted: float
    above: float
    answers: dict[str, list[Any]]
    moved: int


def measure(rooms: int, seconds: int, said: Callable[[str], None] = print) -> list[Run]:
    """Run the same in all modes; each room has five things and two services.

    Raises:
        BenchmarkFailed: something did not come, or services answered differently.
    """
    runs = []
    for mode in MODES:
        with tempfile.TemporaryDirectory(prefix="diat-edge-") as directory:
            runs.append(_run(Path(directory), mode, rooms, seconds, said))
    for each in runs[1:]:
        for what, answers in runs[0].answers.items():
            if each.answers.get(what) != answers:
                raise BenchmarkFailed(
                    f"{what} in mode {each.mode}: {each.answers.get(what)!r} instead of {answers!r}"[:500]
                )
    return runs


def report(runs: list[Run], said: Callable[[str], None] = print) -> None:
    """Print the figures of runs, side by side."""
    said(f"{'':12}{'uplink':>12}{'services':>12}{'predicted':>12}{'in core':>12}{'saved':>8}   bytes an hour")
    for each in runs:
        saved = 1 - each.services / each.above if each.above else 0.0
        said(
            f"{each.mode:12}{each.up:12,.0f}{each.services:12,.0f}{each.predicted:12,.0f}"
            f"{each.above:12,.0f}{saved:8.1%}   {each.moved} services with steps at the gateway"
        )
    count = sum(len(found) for found in runs[0].answers.values())
    said(f"the services answered the same in all of them: {count} answers each")


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; the exit code."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m benchmarks.edge", description=__doc__)
    parser.add_argument("--rooms", type=int, default=20, help="of five things each")
    parser.add_argument("--seconds", type=int, default=60, help="that each run is measured for")
    parser.add_argument("--things", type=int, default=1000, help="beside a gateway alone; 0: not measured")
    given = parser.parse_args(arguments)
    try:
        report(measure(given.rooms, given.seconds))
        if given.things:
            edge_gateway.measure(given.things, 1000.0, 20.0, "asked")
    except BenchmarkFailed as failure:
        print(f"benchmark failed: {failure}")
        return 1
    return 0


# --- one run ---


def _run(path: Path, mode: str, rooms: int, seconds: int, said: Callable[[str], None]) -> Run:
    core_http, core_mqtt, edge_http, edge_mqtt = (free_port() for _ in range(4))
    placement = "--no-placement" if mode == "core" else "--placement"
    core = ["diat", "up", "--data", str(path / "core"), "--http", str(core_http), "--mqtt", str(core_mqtt)]
    edge = ["diat", "gateway", "--join", f"mqtt://127.0.0.1:{core_mqtt}", "--name", "edge"]
    edge += [
        "--data",
        str(path / "edge"),
        "--http",
        str(edge_http),
        "--mqtt",
        str(edge_mqtt),
        "--figures",
        "5",
    ]
    with (
        Child([*core, placement, "--no-dashboard"], path / "core.log"),
        Child([*edge, "--no-dashboard"], path / "edge.log"),
        httpx.Client(base_url=f"http://127.0.0.1:{core_http}", timeout=20) as api,
    ):
        _until(lambda: _there(api), "the platform did not answer")
        _until(lambda: any(each["tier"] == "gateway" for each in _daemons(api)), "the gateway did not join")
        things = _Things(rooms, edge_mqtt)
        try:
            return _measured(api, things, mode, rooms, seconds, said)
        finally:
            things.close()


def _measured(
    api: httpx.Client, things: _Things, mode: str, rooms: int, seconds: int, said: Callable[[str], None]
) -> Run:
    things.announce()
    _until(lambda: _gateway(api)["things"] >= 5 * rooms, "its things did not come up")
    things.say(0.0)
    for source in (WINDOW, SWITCH):
        api.post(
            "/templates", content=source, headers={"content-type": "application/yaml"}
        ).raise_for_status()
    services: dict[str, str] = {}
    for room in range(rooms):
        for template in ("bench-means", "bench-switch"):
            body = {
                "title": f"{template} {room}",
                "template": template,
                "parameters": {"place": f"hq/{room}"},
            }
            made = api.post("/services", json=body)
            made.raise_for_status()
            services[f"{template} {room}"] = made.json()["id"]
    _settle(api, things, mode, len(services))
    base = _next(things, 10)
    moment = base
    while moment < base + seconds:
        _wait_for(moment)
        things.say(moment - base, moment)
        moment += 1
    _wait_for(moment + 4)
    shown = _gateway(api)
    link = shown["link"]
    answers = {f"fan {room}": found for room, found in things.told_from(base).items()}
    for title, service in services.items():
        if title.startswith("bench-means"):
            answers[title] = _means(api, service, base, int(title.split()[1]), seconds)
    said(f"{mode}: measured over {link['seconds']:.0f} s")
    return Run(
        mode=mode,
        up=link["up"]["bytes_per_hour"],
        services=link["services_bytes_per_hour"],
        predicted=link["predicted_bytes_per_hour"],
        above=link["everything_above_bytes_per_hour"],
        answers=answers,
        moved=sum(1 for each in link["services"] if each["steps_here"]),
    )


def _settle(api: httpx.Client, things: _Things, mode: str, services: int) -> None:
    """Have things speak until the services are where they had better be."""
    end = time.time() + SETTLES
    at = math.ceil(time.time())
    while time.time() < end:
        _wait_for(at)
        things.say(at % 60, at)
        at += 1
        if at % 5 == 0:
            link = _gateway(api).get("link", {})
            moved = sum(1 for each in link.get("services", []) if each["steps_here"])
            if mode == "core" and time.time() > end - SETTLES + 40:
                return
            if mode != "core" and moved == services:
                return
    if mode != "core":
        raise BenchmarkFailed(f"{services - moved} of {services} services did not move to the gateway")


def _next(things: _Things, seconds: int) -> int:
    """The next even time that is far enough away, things speaking until then."""
    base = math.ceil((time.time() + 12) / seconds) * seconds
    for at in range(math.ceil(time.time()), base):
        _wait_for(at)
        things.say(0.0, at, dry=True)  # so that every run begins alike
    return base


def _means(api: httpx.Client, service: str, base: int, room: int, seconds: int) -> list[Any]:
    """What the windows came to: what they must have if that was said in a row, else all that was said."""
    thing = f"urn:diat:composite:{service}"
    found = api.get(f"/things/{thing}/properties/mean/history", params={"from": base * 1000, "limit": 1000})
    found.raise_for_status()
    values = [round(each["value"], 6) for each in found.json()]
    said = [value for at, value in enumerate(values) if at == 0 or value != values[at - 1]]
    wanted = [
        round(sum(_warm(at, room, which) for at in range(begin, begin + 10) for which in range(3)) / 30, 6)
        for begin in range(0, seconds - 9, 10)
    ]
    rows = [said[at : at + len(wanted)] for at in range(len(said))]
    return wanted if wanted in rows else said


def _apart(room: int, which: int) -> int:
    """Milliseconds by which things are apart: no two say something at the same moment."""
    return (37 * room + 113 * which) % 449


def _warm(at: float, room: int, which: int) -> float:
    return round(20 + 3 * math.sin((at + 7 * room + 2 * which) / 9), 2)


class _Things:
    """Five things to a room, over one connection: three thermometers, a hygrometer and a fan."""

    def __init__(self, rooms: int, port: int) -> None:
        self._rooms = rooms
        self._n = 0
        self._told: list[tuple[float, int, Any]] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="bench-things")
        self._client.on_message = self._heard
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("diat/+/set", 1)
        self._client.loop_start()

    def close(self) -> None:
        self._client.loop_stop()
        self._client.disconnect()

    def announce(self) -> None:
        for room in range(self._rooms):
            for at in range(3):
                self._td(f"t{room}-{at}", room, {"temperature": _measured_as("Temperature", "Cel")})
            self._td(f"h{room}", room, {"humidity": _measured_as("RelativeHumidity", "%")})
            affects = {"quantity": "RelativeHumidity", "direction": "decrease"}
            fan = {"type": "boolean", "idempotent": True, "diat:affects": affects}
            self._td(f"f{room}", room, {"on": fan})

    def say(self, at: float, moment: float | None = None, *, dry: bool = False) -> None:
        """All readings of a second; spread over the first half of it."""
        now = round((moment if moment is not None else time.time()) * 1000)
        begin = time.time()
        for room in range(self._rooms):
            self._n += 1
            for which in range(3):
                self._report(
                    f"t{room}-{which}", now + _apart(room, which), temperature=_warm(at, room, which)
                )
            damp = 40.0 if dry else 50 + 12 * math.sin((at + 3 * room) / 8)
            self._report(f"h{room}", now + _apart(room, 3), humidity=round(damp, 1))
            time.sleep(max(0.0, begin + 0.5 * (room + 1) / self._rooms - time.time()))

    def told_from(self, moment: float) -> dict[int, list[Any]]:
        """What the fan of each room was told from a time on."""
        found: dict[int, list[Any]] = {room: [] for room in range(self._rooms)}
        for at, room, value in self._told:
            if at >= moment:
                found[room].append(value)
        return found

    def _heard(self, client: paho.Client, _: Any, message: paho.MQTTMessage) -> None:
        name, body = message.topic.split("/")[1], json.loads(message.payload)
        client.publish(f"diat/{name}/results", json.dumps({"id": body["id"], "status": "completed"}), 1)
        self._told.append((time.time(), int(name[1:]), body["v"]["on"]))

    def _td(self, name: str, room: int, properties: dict[str, Any]) -> None:
        td: dict[str, Any] = {"title": name, "diat:place": f"hq/{room}", "properties": properties}
        self._client.publish(f"wot/td/{name}", json.dumps(td), 1, retain=True)

    def _report(self, name: str, now: int, **values: Any) -> None:
        body = {"b": 1, "n": self._n, "t": now, "v": values}
        self._client.publish(f"diat/{name}/properties", json.dumps(body), 1)


def _measured_as(quantity: str, unit: str) -> dict[str, Any]:
    return {"type": "number", "unit": unit, "@type": f"quantitykind:{quantity}", "readOnly": True}


def _there(api: httpx.Client) -> bool:
    try:
        return api.get("/health/ready").status_code == 200
    except httpx.HTTPError:
        return False


def _daemons(api: httpx.Client) -> list[dict[str, Any]]:
    answer = api.get("/daemons")
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()
    return found


def _gateway(api: httpx.Client) -> dict[str, Any]:
    return next(each for each in _daemons(api) if each["tier"] == "gateway")


def _until(true: Callable[[], bool], what: str) -> None:
    end = time.time() + READY
    while not true():
        if time.time() > end:
            raise BenchmarkFailed(what)
        time.sleep(0.3)


def _wait_for(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))


if __name__ == "__main__":
    raise SystemExit(main())
