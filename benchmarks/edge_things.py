"""A hundred things in twenty rooms, by formula: what they say each second is the same in every run.

Each has the firmware's own rules, and so keeps to itself what it is told to.
"""

from __future__ import annotations

import importlib
import json
import math
import time
from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from diat.nodes.native import find_firmware
from diat.vol.traffic import packet

find_firmware()
# What runs on a chip carries no types.
Rule: Any = importlib.import_module("diat_node.reporting").Rule
PER_ROOM = 5
SENSORS = 3
TAKES = ["every", "delta", "above", "below", "mean", "min", "max", "silence"]
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
title: Dry above a band
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


def services(rooms: int) -> list[tuple[str, str, dict[str, Any]]]:
    """Title, template and parameters of the services."""
    return [
        (f"{template} {room}", template, {"place": f"hq/{room}"})
        for room in range(rooms)
        for template in ("bench-means", "bench-switch")
    ]


def warm(at: float, room: int, which: int) -> float:
    """What a thermometer says at a time."""
    return round(20 + 3 * math.sin((at + 7 * room + 2 * which) / 9), 2)


def damp(at: float, room: int) -> float:
    """What a hygrometer says at a time."""
    return round(50 + 12 * math.sin((at + 3 * room) / 8), 1)


def means(room: int, first: int, seconds: int) -> list[float]:
    """What the windows of a room must come to, from a second on."""
    every = range(first, first + seconds - 9, 10)
    window = [range(begin, begin + 10) for begin in every]
    count = 10 * SENSORS
    return [
        round(sum(warm(at, room, which) for at in each for which in range(SENSORS)) / count, 6)
        for each in window
    ]


class Rooms:
    """Five things to a room, over one connection: three thermometers, a hygrometer and a fan.

    Attributes:
        bytes: of the messages with values that they have sent.
    """

    def __init__(self, rooms: int, port: int) -> None:
        """``port`` is that of the broker beside them."""
        self._rooms = rooms
        self._n = 0
        self._told: list[tuple[float, int, Any]] = []
        self._rules: dict[tuple[str, str], Any] = {}
        self._configs: dict[str, Any] = {}
        self.bytes = 0
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="bench-things")
        self._client.on_message = self._heard
        self._client.connect("127.0.0.1", port)
        self._client.subscribe([("diat/+/set", 1), ("diat/+/config", 1)])
        self._client.loop_start()

    def close(self) -> None:
        """Leave."""
        self._client.loop_stop()
        self._client.disconnect()

    def announce(self) -> None:
        """Say what there is."""
        for room in range(self._rooms):
            for at in range(SENSORS):
                self._td(f"t{room}-{at}", room, {"temperature": _measured_as("Temperature", "Cel")})
            self._td(f"h{room}", room, {"humidity": _measured_as("RelativeHumidity", "%")})
            affects = {"quantity": "RelativeHumidity", "direction": "decrease"}
            fan = {"type": "boolean", "idempotent": True, "diat:affects": affects}
            self._td(f"f{room}", room, {"on": fan})

    def say(self, room: int, at: float, moment: float) -> None:
        """All samples of a room at a time; no two things sample at the same moment."""
        self._n += 1
        now = round(moment * 1000)
        for which in range(SENSORS):
            apart = (37 * room + 113 * which) % 449
            self._sample(f"t{room}-{which}", "temperature", warm(at, room, which), now + apart)
        self._sample(f"h{room}", "humidity", damp(at, room), now + (37 * room + 339) % 449)

    def told_from(self, moment: float) -> dict[str, list[Any]]:
        """What the fan of each room was told from a time on."""
        found: dict[str, list[Any]] = {f"fan {room}": [] for room in range(self._rooms)}
        for at, room, value in list(self._told):
            if at >= moment:
                found[f"fan {room}"].append(value)
        return found

    def _sample(self, name: str, prop: str, value: float, now: int) -> None:
        rule = self._rules.get((name, prop))
        for said, at in rule.take(value, now, now) if rule is not None else [(value, now)]:
            body = {"b": 1, "n": self._n, "t": at, "v": {prop: said}}
            topic, payload = f"diat/{name}/properties", json.dumps(body).encode()
            self.bytes += packet(topic, payload)
            self._client.publish(topic, payload, 1)

    def _heard(self, client: paho.Client, _: Any, message: paho.MQTTMessage) -> None:
        _, name, what = message.topic.split("/")
        body = json.loads(message.payload) if message.payload else {}
        if what == "config":
            if self._configs.get(name) == body.get("id"):
                return
            self._configs[name] = body.get("id")
            for prop in ("temperature", "humidity"):
                rule = body.get("report", {}).get(prop)
                self._rules.pop((name, prop), None)
                if rule:
                    self._rules[name, prop] = Rule(rule)
        client.publish(f"diat/{name}/results", json.dumps({"id": body.get("id"), "status": "completed"}), 1)
        if what == "set":
            self._told.append((time.time(), int(name[1:]), body["v"]["on"]))

    def _td(self, name: str, room: int, properties: dict[str, Any]) -> None:
        td: dict[str, Any] = {"title": name, "diat:place": f"hq/{room}", "properties": properties}
        td |= {"diat:pushdown": TAKES, "diat:precision": "double"}
        self._client.publish(f"wot/td/{name}", json.dumps(td), 1, retain=True)


def speak(all_of_them: Sequence[Rooms], rooms: int, at: float, moment: float) -> None:
    """Have all systems hear the same of a second, spread over the first half of it."""
    begin = time.time()
    for room in range(rooms):
        for each in all_of_them:
            each.say(room, at, moment)
        time.sleep(max(0.0, begin + 0.5 * (room + 1) / rooms - time.time()))


def _measured_as(quantity: str, unit: str) -> dict[str, Any]:
    return {"type": "number", "unit": unit, "@type": f"quantitykind:{quantity}", "readOnly": True}
