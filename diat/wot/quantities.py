"""Quantity kinds by their QUDT names, however a thing or a person names them.

A kind says what is measured: ``Temperature``, ``RelativeHumidity``. Inside DIAT it is the local name in
QUDT's vocabulary (https://qudt.org/vocab/quantitykind/). One table maps to it what things say; its sources
are QUDT, SAREF core and its extensions (https://saref.etsi.org/core/), iotschema (http://iotschema.org/),
and the device classes of Home Assistant's ``sensor``, ``number`` and ``binary_sensor``. To add a kind, add a
row.

QUDT has finer kinds than things tell apart; those are taken together: active and electric power as
``Power``, thermodynamic and Celsius temperature as ``Temperature``, potential difference as ``Voltage``.

QUDT has no words for what boolean sensors watch, nor for some numbers of the building trade. For these the
kinds are ours (marked below), named after what is watched, and true means what Home Assistant's ``on``
means: detected, open, unlocked, wet, low, connected. ``WaterSupply`` and ``GasSupply`` are what valves are
that say what they let through (true: it flows), ``Ventilation`` is what fans do (true: air is moved). Some
device classes mean a number on a ``sensor`` and a state on a ``binary_sensor`` (``battery``: the charge, or
that it is low): ask with ``boolean=True`` there.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from diat.wot.unit_table import UNITS


class Kind(NamedTuple):
    """A row of the table.

    Attributes:
        name: its name, QUDT's where QUDT has one.
        unit: the UCUM code usually meant, ``None`` for boolean kinds and numbers without one.
        words: other names, in any case, words run together or joined by ``_``, ``-`` or space.
        states: device classes that mean this kind on a ``binary_sensor`` and another on a ``sensor``.
        also: UCUM codes of other units that it comes in, where ``unit`` alone does not tell the kind.
    """

    name: str
    unit: str | None = None
    words: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


_CONCENTRATIONS = ("[ppm]", "[ppb]", "ug/m3", "mg/m3", "g/m3")
_LENGTHS = ("m", "um", "mm", "cm", "dm", "km", "[in_i]", "[ft_i]", "[yd_i]", "[mi_i]", "[nmi_i]")

KINDS: tuple[Kind, ...] = (
    # climate
    Kind("Temperature", "Cel", ("CelsiusTemperature", "ThermodynamicTemperature", "TemperatureSensing",
                                "TemperatureData", "CurrentTemperature", "AirTemperature",
                                "AmbientTemperature", "RoomTemperature", "LocalTemperature")),
    Kind("TemperatureDifference", "Cel", ("temperature_delta",)),
    Kind("RelativeHumidity", "%", ("humidity", "HumiditySensing", "HumidityData", "AirHumidity")),
    Kind("AbsoluteHumidity", "g/m3", also=("mg/m3",)),
    Kind("Pressure", "hPa", ("PressureData",)),
    Kind("AtmosphericPressure", "hPa", ("barometric_pressure", "AirPressure", "barometer")),
    Kind("DewPointTemperature", "Cel", ("dew_point", "DewPoint")),
    # light
    Kind("Illuminance", "lx", ("LuminousFluxPerArea", "light", "light_level", "IlluminanceSensing",
                               "IlluminanceData", "AmbientLight")),
    Kind("LuminousFlux", "lm"),
    Kind("LuminousIntensity", "cd"),
    Kind("Irradiance", "W/m2", ("solar_irradiance",)),
    Kind("CorrelatedColorTemperature", "K", ("ColorTemperature", "ColourTemperature",
                                              "color_temp")),
    Kind("UltravioletIndex", "{UVI}", ("uv_index", "uvi")),  # ours
    # electricity
    Kind("Power", "W", ("ElectricPower", "ActivePower", "electrical_power")),
    Kind("Energy", "kW.h", ("ElectricEnergy", "ElectricalEnergy", "ActiveEnergy")),
    Kind("StoredEnergy", "kW.h", ("energy_storage",)),  # ours
    Kind("Voltage", "V", ("ElectricPotential", "ElectricPotentialDifference", "EnergyPerElectricCharge")),
    Kind("ElectricCurrent", "A", ("current", "ElectricalCurrent")),
    Kind("ApparentPower", "V.A", ("ComplexPower",)),
    Kind("ReactivePower", "V.A{reactive}"),
    Kind("ReactiveEnergy", "V.A{reactive}.h"),
    Kind("PowerFactor", "1", also=("%",)),
    Kind("Frequency", "Hz"),
    Kind("Resistance", "Ohm", ("ElectricResistance", "ElectricalResistance")),
    Kind("Conductivity", "uS/cm", ("ElectricConductivity", "ElectricalConductivity")),
    Kind("StateOfCharge", "%", ("battery", "battery_level", "BatteryCharge")),
    # air and water quality: the substance matters more than mole or mass fraction, so these are ours
    Kind("CarbonDioxide", "[ppm]", ("co2", "eco2", "CarbonDioxideConcentration"), also=_CONCENTRATIONS),
    Kind("CarbonMonoxide", "[ppm]", ("co", "CarbonMonoxideConcentration"), also=_CONCENTRATIONS),
    Kind("NitrogenDioxide", "ug/m3", ("no2",), also=_CONCENTRATIONS),
    Kind("NitrogenMonoxide", "ug/m3", ("no",), also=_CONCENTRATIONS),
    Kind("NitrousOxide", "ug/m3", ("n2o",), also=_CONCENTRATIONS),
    Kind("Ozone", "ug/m3", ("o3",), also=_CONCENTRATIONS),
    Kind("SulphurDioxide", "ug/m3", ("so2", "SulfurDioxide"), also=_CONCENTRATIONS),
    Kind("ParticulateMatter1", "ug/m3", ("pm1", "pm1.0"), also=_CONCENTRATIONS),
    Kind("ParticulateMatter2.5", "ug/m3", ("pm25", "pm2.5", "ParticulateMatter25"), also=_CONCENTRATIONS),
    Kind("ParticulateMatter4", "ug/m3", ("pm4",), also=_CONCENTRATIONS),
    Kind("ParticulateMatter10", "ug/m3", ("pm10",), also=_CONCENTRATIONS),
    Kind("VolatileOrganicCompounds", "ug/m3", ("voc", "tvoc", "volatile_organic_compounds_parts"),
         also=_CONCENTRATIONS),
    Kind("VolatileOrganicCompoundsIndex", "1", ("voc_index",)),  # ours
    Kind("Formaldehyde", "mg/m3", ("hcho",), also=_CONCENTRATIONS),
    Kind("AirQualityIndex", "1", ("aqi", "air_quality", "iaq", "aqi25", "aqi_25_index")),
    Kind("Acidity", "[pH]", ("ph",)),
    # matter and motion
    Kind("Moisture", "%", ("soil_moisture", "moisture_content")),  # ours
    Kind("Volume", "L", ("volume_storage", "LiquidVolume")),
    Kind("WaterVolume", "m3", ("water", "water_consumption")),  # ours
    Kind("GasVolume", "m3", ("gas", "gas_consumption")),  # ours
    Kind("VolumeFlowRate", "m3/h", ("flow", "flow_rate")),
    Kind("Mass", "kg", ("weight",)),
    Kind("Length", "m", also=_LENGTHS),
    Kind("Distance", "m", also=_LENGTHS),
    Kind("Area", "m2"),
    Kind("Speed", "m/s", ("velocity", "LinearVelocity")),
    Kind("WindSpeed", "m/s"),  # ours
    Kind("WindDirection", "deg"),  # ours
    Kind("Angle", "deg", ("PlaneAngle", "rotation")),
    Kind("PrecipitationDepth", "mm", ("precipitation", "rain", "rainfall"), also=_LENGTHS),  # ours
    Kind("PrecipitationRate", "mm/h", ("precipitation_intensity", "rain_rate"),  # ours
         also=("mm/d", "[in_i]/h", "[in_i]/d")),
    Kind("SoundPressureLevel", "dB", ("sound_pressure", "noise", "noise_level"), also=("dB[SPL]",)),
    # time, data, radio
    Kind("Time", "s", ("duration",)),
    Kind("AmountOfData", "By", ("data_size",)),
    Kind("DataRate", "bit/s"),
    Kind("SignalStrength", "dB[mW]", ("rssi",), also=("dB",)),
    Kind("LinkQuality", "1", ("linkquality", "lqi")),  # ours
    # what is where on the ground: lists, as docs/reference/vehicles.md says; ours
    Kind("Detections"),
    Kind("VehicleMap"),
    # what boolean sensors watch; all ours
    Kind("Motion", None, ("moving_object", "MotionDetected", "pir")),
    Kind("Occupancy", None, ("presence", "OccupancyDetected", "PresenceDetected", "OccupancySensing")),
    Kind("Moving"),
    Kind("Vibration"),
    Kind("Opening", None, ("contact", "opened")),
    Kind("Door"),
    Kind("GarageDoor"),
    Kind("Window", None, ("window_open",)),
    Kind("Gate"),
    Kind("Shade"),
    Kind("Damper"),
    Kind("Valve"),
    Kind("WaterSupply"),
    Kind("GasSupply"),
    Kind("Ventilation"),
    Kind("Lock", None, ("unlocked",)),
    Kind("Smoke", None, ("SmokeDetected",)),
    Kind("GasDetected", None, (), ("gas",)),
    Kind("CarbonMonoxideDetected", None, (), ("carbon_monoxide", "co")),
    Kind("WaterLeak", None, ("leak",), ("moisture", "water")),
    Kind("HeatDetected", None, ("heat",)),
    Kind("ColdDetected", None, ("cold",)),
    Kind("LightDetected", None, (), ("light",)),
    Kind("SoundDetected", None, ("sound",), ("noise",)),
    Kind("PowerDetected", None, (), ("power",)),
    Kind("Plug", None, ("plugged_in",)),
    Kind("Running"),
    Kind("BatteryLow", None, (), ("battery",)),
    Kind("BatteryCharging"),
    Kind("Connectivity"),
    Kind("Problem"),
    Kind("Safety"),
    Kind("Tamper", None, ("tampered",)),
    Kind("UpdateAvailable", None, ("update",)),
)  # fmt: skip

_NAMESPACES = re.compile(
    r"(?P<qudt>(?:quantitykind|qudt-?kind|qk):|https?://(?:www\.)?qudt\.org/(?:\d[\d.]*/)?vocab/quantitykind[/#])"
    r"|(?:saref|s4\w+|iot|iotschema):"
    r"|https?://(?:saref\.etsi\.org/[\w.]+/|w3id\.org/saref#|(?:www\.)?iotschema\.org/)(?:v[\d.]+/)?"
)


def _fold(word: str) -> str:
    return re.sub(r"[\s_-]+", "", word.casefold())


_WORDS = {_fold(word): kind.name for kind in KINDS for word in (kind.name, *kind.words)}
_STATES = {_fold(word): kind.name for kind in KINDS for word in kind.states}
_UNITS = {kind.name: kind.unit for kind in KINDS}
_ALSO = {kind.name: kind.also for kind in KINDS}
_KIND_OF_UNIT = {unit.ucum: unit.kind for unit in UNITS}


@lru_cache(maxsize=4096)
def quantity_kind(term: str, *, boolean: bool = False) -> str | None:
    """The bare QUDT kind that a term means; None if the term is not known.

    Args:
        term: a kind (bare in any case, ``quantitykind:X`` or the full IRI), a SAREF or iotschema term, or a
            device class of Home Assistant. A QUDT term outside the table comes back bare, as it stands.
        boolean: the value is true or false, which decides device classes with two meanings.
    """
    name = term.strip()
    if namespace := _NAMESPACES.match(name):
        name = name[namespace.end() :]
    folded = _fold(name)
    known = (_STATES.get(folded) if boolean else None) or _WORDS.get(folded)
    if known or not (namespace and namespace["qudt"]):
        return known
    return name or None


def default_unit(kind: str) -> str | None:
    """The UCUM code usually meant when a value of this (bare) kind comes without a unit."""
    return _UNITS.get(kind)


def kind_of_unit(ucum: str) -> str | None:
    """The kind that a UCUM code alone suggests, None if it may be several (``%``, ``mm``) or is unknown."""
    return _KIND_OF_UNIT.get(ucum)


def agrees(kind: str, ucum: str | None) -> bool:
    """Whether values of this (bare) kind may come in a unit; without one any number may be of it."""
    usual = _UNITS.get(kind)
    if usual is None:  # a kind of what is true or false, or none of the table
        return False
    if ucum is None or ucum == usual or ucum in _ALSO[kind]:
        return True
    alone = _KIND_OF_UNIT.get(ucum)
    return alone is not None and alone in (kind, _KIND_OF_UNIT[usual])
