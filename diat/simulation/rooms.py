"""The three rooms of the house: what they are made of and what stands in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Protocol

from diat.nodes.native import NativeNode
from diat.simulation.cadence import Cadence
from diat.simulation.link import Address
from diat.simulation.physics import Building, Heater, Room, Thermometer
from diat.simulation.tasmota import TasmotaRelay, TasmotaThermometer
from diat.simulation.zigbee2mqtt import Bridge
from diat.simulation.zigbee_devices import ZigbeePlug, ZigbeeThermometer

OUTSIDE = 8.0
"""Temperature outside, °C."""

UNPLACED = {"295AB4": ("Bedroom thermometer", "home/bedroom"), "ABBD20": ("Bedroom heater", "home/bedroom")}
"""Title and place of the nodes whose dialect cannot say them, by their chip: a person has to."""


class Node(Protocol):
    """Something with an MQTT connection that stands in a room."""

    def start(self) -> None:
        """Connect, now or as soon as there is a broker; returns at once."""

    def stop(self) -> None:
        """Leave in order."""

    def step(self, now: float) -> None:
        """Report what is due at ``now``, in seconds of a steady clock."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A room and the things in it."""

    room: Room
    nodes: Sequence[Node]


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What a room is given.

    Attributes:
        address: the broker of its things.
        random: where the noise comes from.
        memory: folder in which native things remember their commands; None: within the process only.
    """

    address: Address
    random: Random
    memory: Path | None = None

    def memory_of(self, thing: str) -> Path | None:
        """What stands for the flash of one thing."""
        return None if self.memory is None else self.memory / thing


class NativeHeater:
    """A native thing that switches a heater and tells what it draws."""

    def __init__(self, setting: Setting, thing: str, title: str, place: str, heater: Heater) -> None:
        self._heater = heater
        self._cadence = Cadence(every=5.0)
        self._node = NativeNode(
            setting.address,
            thing,
            heater_td(thing, title, place),
            setters={"heating": self._switch},
            memory=setting.memory_of(thing),
        )
        self.start, self.stop = self._node.start, self._node.stop

    def step(self, now: float) -> None:
        """Report every five seconds; a change is reported when it happens."""
        if self._cadence.due(now):
            self._report()

    def _report(self) -> None:
        self._node.report({"heating": self._heater.on, "power": self._heater.heat})

    def _switch(self, value: Any) -> bool:
        self._heater.on = bool(value)
        self._node.report({"power": self._heater.heat})
        return self._heater.on


class NativeThermometer:
    """A native thing that reports a temperature."""

    def __init__(
        self, setting: Setting, thing: str, title: str, place: str, thermometer: Thermometer
    ) -> None:
        self._thermometer = thermometer
        self._cadence = Cadence(every=1.0, delta=0.03)
        self._node = NativeNode(setting.address, thing, thermometer_td(thing, title, place))
        self.start, self.stop = self._node.start, self._node.stop

    def step(self, now: float) -> None:
        """Report every second, and at once when it moved by 0.03 K."""
        temperature = self._thermometer.measure()
        if self._cadence.due(now, temperature):
            self._node.report({"temperature": temperature})


def heater_td(thing: str, title: str, place: str) -> dict[str, Any]:
    """A heater as it describes itself."""
    return {
        "id": f"urn:dev:{thing}",
        "title": title,
        "diat:place": place,
        "properties": {
            "heating": {
                "type": "boolean",
                "idempotent": True,
                "diat:affects": {"quantity": "Temperature", "direction": "increase"},
            },
            "power": {"type": "number", "unit": "W", "@type": "quantitykind:Power", "readOnly": True},
        },
    }


def thermometer_td(thing: str, title: str, place: str) -> dict[str, Any]:
    """A thermometer as it describes itself."""
    temperature = {"type": "number", "unit": "Cel", "@type": "quantitykind:Temperature", "readOnly": True}
    return {
        "id": f"urn:dev:{thing}",
        "title": title,
        "diat:place": place,
        "properties": {"temperature": temperature},
    }


def living(setting: Setting) -> Scene:
    """Too cold at 16 °C, and it stays so until the native heater is switched on; measured over Zigbee.

    With 60 simulated seconds a second, the heater brings it to 20 °C in 22 s; at 22 °C it then rises by
    0.11 K/s, at 20 °C it falls by 0.07 K/s: switching 0.25 s late overshoots by less than 0.1 K.
    """
    building = Building(capacity=300e3, loss=92, gains=736, outside=OUTSIDE)
    heater = Heater(1104)
    room = Room(building, temperature=16.0, heater=heater)
    thermometer = Thermometer(room, random=setting.random)
    bridge = Bridge(
        setting.address,
        (
            ZigbeeThermometer("0x00158d0007e3a1b2", "living_thermometer", "home/living", room, thermometer),
            ZigbeePlug("0x0c4314fffe5d2a90", "living_lamp", "home/living", load=9.5),
        ),
    )
    warmth = NativeHeater(setting, "living-heater", "Living room heater", "home/living", heater)
    return Scene(room, (bridge, warmth))


def bedroom(setting: Setting) -> Scene:
    """Around 18 °C by itself; a Tasmota node measures it, another one switches the heater."""
    heater = Heater(900)
    building = Building(capacity=350e3, loss=40, gains=400, outside=OUTSIDE)
    room = Room(building, temperature=18.0, heater=heater)
    thermometer = Thermometer(room, random=setting.random)
    return Scene(
        room,
        (
            TasmotaThermometer(setting.address, "3C:71:BF:29:5A:B4", "Bedroom thermometer", thermometer),
            TasmotaRelay(setting.address, "DC:4F:22:AB:BD:20", "Bedroom heater", heater),
        ),
    )


def office(setting: Setting) -> Scene:
    """Around 19 °C by itself from what the computers give; native thermometer and heater."""
    heater = Heater(1200)
    building = Building(capacity=400e3, loss=50, gains=550, outside=OUTSIDE)
    room = Room(building, temperature=19.5, heater=heater)
    thermometer = Thermometer(room, random=setting.random)
    return Scene(
        room,
        (
            NativeThermometer(
                setting, "office-thermometer", "Office thermometer", "home/office", thermometer
            ),
            NativeHeater(setting, "office-heater", "Office heater", "home/office", heater),
        ),
    )


ROOMS: dict[str, Callable[[Setting], Scene]] = {"living": living, "bedroom": bedroom, "office": office}
"""All rooms by name."""
