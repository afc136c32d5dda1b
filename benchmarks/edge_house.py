"""The demo house with its things and their dialects, at temperatures that are the same in every run.

What the demo's rooms do by physics they do here by formula: heaters may be told what they like.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from random import Random
from typing import Any

import httpx

from diat.simulation.link import Address
from diat.simulation.rooms import ROOMS, UNPLACED, NativeHeater, NativeThermometer, Setting

GAP = 0.06
"""Seconds between what two things say, so that what comes first does so everywhere."""
_WARM = {"quantity": "Temperature", "unit": "Cel"}
SERVICES: list[tuple[str, str, dict[str, Any]]] = [
    ("living warm", "keep-within", {**_WARM, "place": "home/living", "low": 20, "high": 22}),
    ("mean of home", "mean-of-place", {**_WARM, "place": "home"}),
    ("office warm", "keep-above", {**_WARM, "place": "home/office", "above": 19}),
    ("bedroom too warm", "notify-when-above", {**_WARM, "place": "home/bedroom", "above": 18.5}),
]
"""The demo's two, and two more; title, template and parameters."""
_COURSE = {"living": (21.0, 2.0, 6.0), "bedroom": (18.0, 1.0, 8.0), "office": (19.5, 1.5, 7.0)}
"""Room to mean, swing and slowness of its temperature."""


class _Still(Random):
    """No noise."""

    def uniform(self, a: float, b: float) -> float:
        return 0.0


class DemoHouse:
    """The three rooms of the demo beside one broker."""

    def __init__(self, port: int) -> None:
        setting = Setting(address=Address("127.0.0.1", port), random=_Still())
        self._scenes = {name: make(setting) for name, make in ROOMS.items()}
        self.nodes = [node for scene in self._scenes.values() for node in scene.nodes]
        self._heating = dict.fromkeys(self._scenes, False)
        self._switched: list[tuple[float, str, bool]] = []
        for node in self.nodes:
            node.start()

    def close(self) -> None:
        """Leave."""
        for node in self.nodes:
            node.stop()

    @property
    def bytes(self) -> int:
        """What the native things among them have sent, with all that keeps them connected."""
        native = [each for each in self.nodes if isinstance(each, NativeHeater | NativeThermometer)]
        return sum(each.node.sent for each in native)

    def weather(self, at: float) -> None:
        """Have the rooms be as warm as they are at a time; look at their heaters."""
        for name, scene in self._scenes.items():
            if scene.room.heating != self._heating[name]:
                self._heating[name] = scene.room.heating
                self._switched.append((time.time(), name, scene.room.heating))
            mean, swing, slow = _COURSE[name]
            scene.room.temperature = mean + swing * math.sin(at / slow)

    def switched_from(self, moment: float) -> dict[str, list[bool]]:
        """How the heater of each room was switched from a time on."""
        found: dict[str, list[bool]] = {name: [] for name in self._scenes}
        for at, name, on in list(self._switched):
            if at >= moment:
                found[name].append(on)
        return found

    def place(self, api: httpx.Client) -> bool:
        """Say what the things of a dialect cannot say themselves; whether all of them are there."""
        found: dict[str, str] = {}
        for td in api.get("/things", params={"limit": 1000}).json():
            found |= {chip: td["id"] for chip in UNPLACED if td["id"].endswith(chip)}
        for chip, thing in found.items():
            title, place = UNPLACED[chip]
            body = {"title": title, "diat:place": place}
            headers = {"content-type": "application/merge-patch+json"}
            api.patch(f"/things/{thing}", json=body, headers=headers).raise_for_status()
        return len(found) == len(UNPLACED)


def speak(houses: Sequence[DemoHouse], at: float, moment: float) -> None:
    """Have all systems hear the same of a second."""
    for each in houses:
        each.weather(at)
    for nodes in zip(*(each.nodes for each in houses), strict=True):
        for node in nodes:
            node.step(moment)
        time.sleep(GAP)
