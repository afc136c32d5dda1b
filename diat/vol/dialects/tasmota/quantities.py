"""What Tasmota's names of measured values mean: their unit, and the kind where the unit does not tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_TEMPERATURE, _PRESSURE, _SPEED = "TempUnit", "PressureUnit", "SpeedUnit"


class Quantity(NamedTuple):
    """What a name means.

    Attributes:
        unit: as people write it, or the key under which the announcement says it; None if there is none.
        kind: QUDT quantity kind, None if the unit alone tells or nothing does.
    """

    unit: str | None = None
    kind: str | None = None


QUANTITIES: dict[str, Quantity] = {
    "ActivePower": Quantity("W"),
    "Ambient": Quantity("lx"),
    "ApparentPower": Quantity("VA"),
    "Battery": Quantity("%", "StateOfCharge"),
    "CarbonDioxide": Quantity("ppm", "CarbonDioxide"),
    "CCT": Quantity("K", "CorrelatedColorTemperature"),
    "CF1": Quantity("µg/m³", "ParticulateMatter1"),
    "CF2.5": Quantity("µg/m³", "ParticulateMatter2.5"),
    "CF10": Quantity("µg/m³", "ParticulateMatter10"),
    "Current": Quantity("A"),
    "CurrentNeutral": Quantity("A"),
    "Deg": Quantity("°"),
    "DewPoint": Quantity(_TEMPERATURE, "DewPointTemperature"),
    "Distance": Quantity("cm", "Distance"),
    "eCO2": Quantity("ppm", "CarbonDioxide"),
    "Energy": Quantity("kWh"),
    "ExportActive": Quantity("kWh"),
    "ExportReactive": Quantity("kVArh", "ReactiveEnergy"),
    "ExportTariff": Quantity("kWh"),
    "Factor": Quantity("1", "PowerFactor"),
    "Frequency": Quantity("Hz"),
    "Humidity": Quantity("%", "RelativeHumidity"),
    "Illuminance": Quantity("lx"),
    "ImportActive": Quantity("kWh"),
    "ImportReactive": Quantity("kVArh", "ReactiveEnergy"),
    "Moisture": Quantity("%", "Moisture"),
    "Period": Quantity("Wh"),
    "pH": Quantity("pH"),
    "PhaseAngle": Quantity("°"),
    "PM1": Quantity("µg/m³", "ParticulateMatter1"),
    "PM2.5": Quantity("µg/m³", "ParticulateMatter2.5"),
    "PM10": Quantity("µg/m³", "ParticulateMatter10"),
    "Power": Quantity("W"),
    "Pressure": Quantity(_PRESSURE),
    "ReactivePower": Quantity("VAr"),
    "SeaPressure": Quantity(_PRESSURE, "AtmosphericPressure"),
    "Speed": Quantity(_SPEED),
    "Temperature": Quantity(_TEMPERATURE),
    "Today": Quantity("kWh"),
    "Total": Quantity("kWh"),
    "TotalTariff": Quantity("kWh"),
    "TVOC": Quantity("ppb", "VolatileOrganicCompounds"),
    "Voltage": Quantity("V"),
    "Weight": Quantity("kg"),
    "Yesterday": Quantity("kWh"),
}

_NOT_ELECTRIC = frozenset({"AS3935", "LD2410"})
"""Sensors whose Energy is a strength without a unit."""


def quantity_at(path: tuple[str | int, ...]) -> Quantity | None:
    """What the value at this place of a report is, by the innermost name that says so."""
    words = [step for step in path if isinstance(step, str)]
    if words[0] in _NOT_ELECTRIC and words[-1] == "Energy":
        return Quantity()
    for name in reversed(words[1:]):
        # Analog inputs are numbered: Temperature1.
        found = QUANTITIES.get(name) or (QUANTITIES.get(name[:-1]) if name[-1:].isdigit() else None)
        if found:
            return found
    return None


def unit_of(quantity: Quantity, announced: Mapping[str, Any]) -> str | None:
    """How its unit is written."""
    if quantity.unit in (_TEMPERATURE, _PRESSURE, _SPEED):
        said = announced.get(quantity.unit)
        return said if isinstance(said, str) else None
    return quantity.unit
