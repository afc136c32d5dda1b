"""How rooms behave: pure, stepped by simulated seconds, no clock and no MQTT.

A room is one heat store behind one wall::

    capacity · dT/dt  =  heat + gains - loss · (T - outside)

so without change of heat it nears its equilibrium exponentially; the step below is that exact solution,
and its result does not depend on how an interval is cut into steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, kw_only=True, slots=True)
class Building:
    """What a room is made of.

    Attributes:
        capacity: heat stored per kelvin by air, furniture and inner walls, J/K.
        loss: heat lost per kelvin above outside, through walls and draught, W/K.
        gains: heat that comes by itself, from people and appliances, W.
        outside: temperature outside, °C.
    """

    capacity: float
    loss: float
    gains: float
    outside: float

    @property
    def time_constant(self) -> float:
        """Seconds in which a difference to the equilibrium falls to 1/e."""
        return self.capacity / self.loss

    def equilibrium(self, heat: float) -> float:
        """The temperature in °C that the room nears while ``heat`` W come from heaters."""
        return self.outside + (self.gains + heat) / self.loss


class Heater:
    """An electric heater: all or nothing, without delay.

    Attributes:
        power: W while it is on.
        on: whether it heats; assigned by whoever commands it.
    """

    def __init__(self, power: float) -> None:
        self.power = power
        self.on = False

    @property
    def heat(self) -> float:
        """What it gives now, W."""
        return self.power if self.on else 0.0


class Room:
    """The air of one room.

    Attributes:
        temperature: true temperature, °C.
    """

    def __init__(self, building: Building, *, temperature: float, heater: Heater) -> None:
        self.temperature = temperature
        self._building = building
        self._heater = heater
        # What hangs in the air does not change with heating: 45 % at the start, drier when warmer.
        self._vapour = 0.45 * saturation_pressure(temperature)

    def step(self, seconds: float) -> None:
        """Let so many simulated seconds pass with the heater as it is now."""
        target = self._building.equilibrium(self._heater.heat)
        fade = math.exp(-seconds / self._building.time_constant)
        self.temperature = target + (self.temperature - target) * fade

    @property
    def heating(self) -> bool:
        """Whether its heater is on."""
        return self._heater.on

    @property
    def humidity(self) -> float:
        """Relative humidity, %."""
        return min(100.0, 100 * self._vapour / saturation_pressure(self.temperature))


class Thermometer:
    """Measures a room with an evenly spread error.

    Attributes:
        noise: largest error, K.
    """

    def __init__(self, room: Room, *, random: Random, noise: float = 0.01) -> None:
        self.noise = noise
        self._room = room
        self._random = random

    def measure(self, digits: int = 2) -> float:
        """The temperature as shown, °C."""
        return round(self._room.temperature + self._random.uniform(-self.noise, self.noise), digits)


def saturation_pressure(temperature: float) -> float:
    """Pressure of saturated water vapour over water, Pa, at a temperature in °C (Magnus)."""
    return 611.2 * math.exp(17.62 * temperature / (243.12 + temperature))
