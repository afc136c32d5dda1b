"""Units by their UCUM codes, however a thing or a person spells them, and conversion between them.

Inside DIAT a unit is a UCUM code (https://ucum.org, case sensitive), ``Cel``, ``kW.h``, ``ug/m3``. One table
maps to it what things send. Its sources: the UCUM standard, QUDT's unit vocabulary with its ``ucumCode``
(https://qudt.org/vocab/unit/), Home Assistant's unit constants (``homeassistant/const.py``), Homie 5,
Zigbee2MQTT exposes, and plain English. To add a unit, add a row (or a prefix to a row).

Where a spelling means one thing in UCUM and another to those who build sensors, the latter counts, because
no thing on a bus measures the former: ``C`` and ``F`` are Celsius and Fahrenheit (not coulomb and farad),
``B`` and multiples are bytes (not bel), ``w`` a week. UCUM has no code for some units in use; these are
written as QUDT does or with UCUM's own annotation: ``V.A{reactive}``, ``dB[mW]``, ``{UVI}``, ``{rev}/min``.

Factors and offsets come from pint, as exact fractions, never from here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import NamedTuple

import pint


class Unit(NamedTuple):
    """A row of the table.

    Attributes:
        ucum: its UCUM code.
        pint: the same as pint writes it, ``None`` if it is not linear or pint does not know it: then it
            converts to itself only.
        kind: the QUDT quantity kind that it alone suggests, ``None`` if it may measure several.
        spellings: symbols and words beside the UCUM code; words match in any case, with or without plural.
        qudt: local names in QUDT's unit vocabulary.
        family: what pint's dimensions do not tell apart, such as bytes from degrees: units convert only
            within one family.
    """

    ucum: str
    pint: str | None
    kind: str | None = None
    spellings: tuple[str, ...] = ()
    qudt: tuple[str, ...] = ()
    family: str = ""


_PREFIXES = {
    "u": "micro", "m": "milli", "c": "centi", "d": "deci", "h": "hecto", "k": "kilo", "M": "mega",
    "G": "giga", "T": "tera", "P": "peta", "Ki": "kibi", "Mi": "mebi", "Gi": "gibi", "Ti": "tebi",
}  # fmt: skip


def _multiples(unit: Unit, prefixes: str) -> Iterator[Unit]:
    """Give the unit and its multiples by the prefixes, separated by spaces; every spelling is prefixed."""
    yield unit
    for prefix in prefixes.split():
        name = _PREFIXES[prefix]
        yield unit._replace(
            ucum=prefix + unit.ucum,
            pint=name + unit.pint if unit.pint else None,
            spellings=tuple((prefix if len(s) < 4 else name) + s for s in unit.spellings),
            qudt=tuple(name.capitalize() + q for q in unit.qudt),
        )


# Definitions, by name only, of what pint lacks. They are exact by what the names say.
_DEFINITIONS = (
    "part_per_billion = 1e-9",
    "hundred_cubic_feet = 100 * foot ** 3",
    "thousand_cubic_feet = 1000 * foot ** 3",
)

UNITS: tuple[Unit, ...] = (
    # temperature
    Unit(
        "Cel",
        "degC",
        "Temperature",
        ("°C", "C", "degC", "oC", "celsius", "degree celsius", "centigrade"),
        ("DEG_C",),
    ),
    Unit(
        "[degF]",
        "degF",
        "Temperature",
        ("°F", "F", "degF", "oF", "fahrenheit", "degree fahrenheit"),
        ("DEG_F",),
    ),
    Unit("K", "kelvin", "Temperature", ("°K", "kelvin", "degree kelvin"), ("K",)),
    Unit("MK-1", None, "CorrelatedColorTemperature", ("mired", "MK^-1")),
    # ratios and counts
    Unit(
        "1",
        "",
        None,
        ("#", "count", "unitless", "dimensionless", "ratio", "fraction"),
        ("UNITLESS", "NUM"),
        "ratio",
    ),
    Unit(
        "%",
        "percent",
        None,
        ("percent", "per cent", "pct", "%RH", "% RH", "rh"),
        ("PERCENT", "PERCENT_RH"),
        "ratio",
    ),
    Unit("[ppm]", "ppm", None, ("ppm", "parts per million"), ("PPM",), "ratio"),
    Unit("[ppb]", "part_per_billion", None, ("ppb", "parts per billion"), ("PPB",), "ratio"),
    Unit("[pH]", None, "Acidity", ("pH",), ("PH",)),
    Unit("{UVI}", None, "UltravioletIndex", ("UV index", "UVI")),
    # light
    Unit("lx", "lux", "Illuminance", ("lux",), ("LUX",)),
    Unit("klx", "kilolux", "Illuminance", ("klux", "kilolux")),
    Unit("lm", "lumen", "LuminousFlux", ("lumen",), ("LM",), "luminous flux"),
    Unit("cd", "candela", "LuminousIntensity", ("candela",), ("CD",), "luminous intensity"),
    Unit("W/m2", "watt/meter**2", "Irradiance", ("watt per square meter",), ("W-PER-M2",)),
    # pressure
    *_multiples(Unit("Pa", "pascal", "Pressure", ("pascal",), ("PA",)), "m h k M"),
    *_multiples(Unit("bar", "bar", "Pressure", (), ("BAR",)), "m c"),
    Unit("atm", "standard_atmosphere", "Pressure", ("atmosphere",), ("ATM",)),
    Unit("mm[Hg]", "mmHg", "Pressure", ("mmHg", "millimeter of mercury"), ("MilliM_HG",)),
    Unit("[in_i'Hg]", "inch_Hg", "Pressure", ("inHg", "inch of mercury"), ("IN_HG",)),
    Unit("[in_i'H2O]", "inch_H2O", "Pressure", ("inH2O", "inch of water"), ("IN_H2O",)),
    Unit("[psi]", "psi", "Pressure", ("psi", "pound per square inch"), ("PSI", "LB_F-PER-IN2")),
    # electricity
    *_multiples(Unit("W", "watt", "Power", ("watt",), ("W",)), "u m k M G T"),
    *_multiples(Unit("W.h", "watt_hour", "Energy", ("Wh", "watt hour"), ("W-HR",)), "m k M G T"),
    *_multiples(Unit("J", "joule", "Energy", ("joule",), ("J",)), "k M G"),
    *_multiples(Unit("cal", "calorie", "Energy", ("calorie",), ("CAL_TH",)), "k M G"),
    Unit("[Btu]/h", "Btu/hour", "Power", ("BTU/h", "Btu/h"), ("BTU_IT-PER-HR",)),
    *_multiples(Unit("V", "volt", "Voltage", ("volt",), ("V",)), "u m k M"),
    *_multiples(Unit("A", "ampere", "ElectricCurrent", ("ampere", "amp"), ("A",)), "u m k"),
    *_multiples(Unit("Ohm", "ohm", "Resistance", ("Ω", "ohm"), ("OHM",)), "m k M"),
    *_multiples(
        Unit("V.A", "volt_ampere", "ApparentPower", ("VA", "volt ampere"), ("V-A",), "apparent"), "m k M"
    ),
    *_multiples(
        Unit("V.A{reactive}", "volt_ampere", "ReactivePower", ("var",), ("V-A_Reactive",), "reactive"),
        "m k M",
    ),
    *_multiples(
        Unit(
            "V.A{reactive}.h",
            "volt_ampere*hour",
            "ReactiveEnergy",
            ("varh",),
            ("V-A_Reactive-HR",),
            "reactive",
        ),
        "k M",
    ),
    *_multiples(Unit("Hz", "hertz", "Frequency", ("hertz",), ("HZ",)), "m k M G"),
    *_multiples(Unit("S/cm", "siemens/centimeter", "Conductivity", (), ("S-PER-CentiM",)), "u m"),
    # length, area, volume
    *_multiples(Unit("m", "meter", None, ("meter", "metre"), ("M",)), "u m c d k"),
    Unit("[in_i]", "inch", None, ("in", "″", "inch", "inches"), ("IN",)),
    Unit("[ft_i]", "foot", None, ("ft", "foot", "feet"), ("FT",)),
    Unit("[yd_i]", "yard", None, ("yd", "yard"), ("YD",)),
    Unit("[mi_i]", "mile", None, ("mi", "mile"), ("MI",)),
    Unit("[nmi_i]", "nautical_mile", None, ("nmi", "nautical mile"), ("MI_N",)),
    Unit("m2", "meter**2", "Area", ("square meter", "square metre"), ("M2",)),
    Unit("cm2", "centimeter**2", "Area", ("square centimeter",), ("CentiM2",)),
    Unit("km2", "kilometer**2", "Area", ("square kilometer",), ("KiloM2",)),
    Unit("[sft_i]", "foot**2", "Area", ("[ft_i]2", "ft2", "sqft", "square foot", "square feet"), ("FT2",)),
    Unit("har", "hectare", "Area", ("ha", "hectare"), ("HA",)),
    *_multiples(Unit("L", "liter", "Volume", ("liter", "litre", "l"), ("L",)), "m"),
    Unit("m3", "meter**3", "Volume", ("cubic meter", "cubic metre", "cbm"), ("M3",)),
    Unit("[cft_i]", "foot**3", "Volume", ("[ft_i]3", "ft3", "cubic foot", "cubic feet"), ("FT3",)),
    Unit("100.[cft_i]", "hundred_cubic_feet", "Volume", ("CCF",)),
    Unit("1000.[cft_i]", "thousand_cubic_feet", "Volume", ("MCF",)),
    Unit("[gal_us]", "gallon", "Volume", ("gal", "gallon"), ("GAL_US",)),
    Unit("[foz_us]", "fluid_ounce", "Volume", ("fl. oz.", "fl oz", "fluid ounce"), ("OZ_VOL_US",)),
    # flow, speed, rain
    Unit("m3/h", "meter**3/hour", "VolumeFlowRate", ("m3h",), ("M3-PER-HR",)),
    Unit("m3/min", "meter**3/minute", "VolumeFlowRate", (), ("M3-PER-MIN",)),
    Unit("m3/s", "meter**3/second", "VolumeFlowRate", (), ("M3-PER-SEC",)),
    Unit("L/h", "liter/hour", "VolumeFlowRate", ("l/h",), ("L-PER-HR",)),
    Unit("L/min", "liter/minute", "VolumeFlowRate", ("l/min", "lpm"), ("L-PER-MIN",)),
    Unit("L/s", "liter/second", "VolumeFlowRate", ("l/s",), ("L-PER-SEC",)),
    Unit("mL/s", "milliliter/second", "VolumeFlowRate", ("ml/s",)),
    Unit(
        "[cft_i]/min", "foot**3/minute", "VolumeFlowRate", ("[ft_i]3/min", "ft3/min", "cfm"), ("FT3-PER-MIN",)
    ),
    Unit("[gal_us]/min", "gallon/minute", "VolumeFlowRate", ("gal/min", "gpm"), ("GAL_US-PER-MIN",)),
    Unit("[gal_us]/h", "gallon/hour", "VolumeFlowRate", ("gal/h",), ("GAL_US-PER-HR",)),
    Unit("[gal_us]/d", "gallon/day", "VolumeFlowRate", ("gal/d",), ("GAL_US-PER-DAY",)),
    Unit("m/s", "meter/second", "Speed", ("mps", "meter per second"), ("M-PER-SEC",)),
    Unit("km/h", "kilometer/hour", "Speed", ("kmh", "kph", "kilometer per hour"), ("KiloM-PER-HR",)),
    Unit("[mi_i]/h", "mile/hour", "Speed", ("mph", "mi/h", "mile per hour"), ("MI-PER-HR",)),
    Unit("[kn_i]", "knot", "Speed", ("kn", "kt", "kts", "knot"), ("KN",)),
    Unit("[ft_i]/s", "foot/second", "Speed", ("ft/s",), ("FT-PER-SEC",)),
    Unit("mm/s", "millimeter/second", "Speed", (), ("MilliM-PER-SEC",)),
    Unit("{Bft}", None, "Speed", ("Beaufort", "Bft")),
    Unit("mm/h", "millimeter/hour", None, (), ("MilliM-PER-HR",)),
    Unit("mm/d", "millimeter/day", None, (), ("MilliM-PER-DAY",)),
    Unit("[in_i]/h", "inch/hour", None, ("in/h",)),
    Unit("[in_i]/d", "inch/day", None, ("in/d",)),
    # angle and rotation
    Unit("deg", "degree", "Angle", ("°", "degree"), ("DEG",), "angle"),
    Unit("rad", "radian", "Angle", ("radian",), ("RAD",), "angle"),
    Unit(
        "{rev}/min",
        "revolutions_per_minute",
        None,
        ("rpm", "revolution per minute"),
        ("REV-PER-MIN",),
        "rotation",
    ),
    Unit("/min", "1/minute", None, ("1/min", "bpm", "min-1"), ("PER-MIN",)),
    # mass and concentration
    *_multiples(Unit("g", "gram", "Mass", ("gram",), ("GM",)), "u m k"),
    Unit("t", "metric_ton", "Mass", ("tonne",), ("TONNE",)),
    Unit("[lb_av]", "pound", "Mass", ("lb", "lbs", "pound"), ("LB",)),
    Unit("[oz_av]", "ounce", "Mass", ("oz", "ounce"), ("OZ",)),
    Unit("[stone_av]", "stone", "Mass", ("st", "stone"), ("Stone_UK",)),
    *_multiples(Unit("g/m3", "gram/meter**3", None, (), ("GM-PER-M3",)), "u m"),
    *_multiples(Unit("g/L", "gram/liter", None, ("g/l",), ("GM-PER-L",)), "u m"),
    Unit("mg/dL", "milligram/deciliter", None, ("mg/dl",), ("MilliGM-PER-DeciL",)),
    Unit("mmol/L", "millimole/liter", None, ("mmol/l",), ("MilliMOL-PER-L",)),
    Unit("/m3", "1/meter**3", None, ("p/m3", "1/m3"), ("PER-M3",)),
    # time
    *_multiples(Unit("s", "second", "Time", ("second", "sec"), ("SEC",)), "u m"),
    Unit("min", "minute", "Time", ("minute",), ("MIN",)),
    Unit("h", "hour", "Time", ("hour", "hr"), ("HR",)),
    Unit("d", "day", "Time", ("day",), ("DAY",)),
    Unit("wk", "week", "Time", ("w", "week"), ("WK",)),
    Unit("mo", "month", "Time", ("month",), ("MO",)),
    Unit("a", "year", "Time", ("y", "year"), ("YR",)),
    # information
    *_multiples(Unit("bit", "bit", "AmountOfData", (), ("BIT",), "information"), "k M G"),
    *_multiples(
        Unit("By", "byte", "AmountOfData", ("B", "byte"), ("BYTE",), "information"),
        "k M G T P Ki Mi Gi Ti",
    ),
    *_multiples(Unit("bit/s", "bit/second", "DataRate", ("bps",), ("BIT-PER-SEC",), "information"), "k M G"),
    *_multiples(
        Unit("By/s", "byte/second", "DataRate", ("B/s",), ("BYTE-PER-SEC",), "information"), "k M G Ki Mi Gi"
    ),
    # levels, which are logarithms
    Unit("dB", None, None, ("decibel",), ("DeciB",)),
    Unit("dB[SPL]", None, "SoundPressureLevel", ("dBA", "dB(A)"), ("DeciB_A",)),
    Unit("dB[mW]", None, "SignalStrength", ("dBm", "decibel milliwatt"), ("DeciB_M", "DeciB-MilliW")),
)

_BY_CODE = {unit.ucum: unit for unit in UNITS}
_QUDT = re.compile(r"(?:unit:|https?://(?:www\.)?qudt\.org/(?:vocab|\d[\d.]*/vocab)/unit[/#])(.+)")
_PER = re.compile(r"\.([a-zA-Z_\[\]]+)-(\d)$")
_LIKENESS = str.maketrans("º˚⋅·∙\N{MINUS SIGN}μ\N{FRACTION SLASH}", "°°...-u/")


def _tidy(unit: str) -> str:
    """One spelling for what only differs in writing: ``µg/m³`` and ``μg.m-3`` become ``ug/m3``."""
    tidy = unicodedata.normalize("NFKC", unit.strip().translate(_LIKENESS)).translate(_LIKENESS)
    return _PER.sub(lambda per: f"/{per[1]}{per[2].removeprefix('1')}", tidy)


def _fold(unit: str) -> str:
    return re.sub(r"[\s_-]+", "", unit.casefold().replace("degrees", "degree").replace("metre", "meter"))


def _index() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Compile the table: exact spellings, spellings in any case unless two units differ only there, QUDT."""
    exact = {_tidy(s): unit.ucum for unit in UNITS for s in unit.spellings} | {u.ucum: u.ucum for u in UNITS}
    folded: dict[str, set[str]] = {}
    for spelling, code in exact.items():
        if len(spelling) > 1:
            folded.setdefault(_fold(spelling), set()).add(code)
            if len(spelling) > 3 and spelling.replace(" ", "").isalpha():
                folded.setdefault(_fold(spelling) + "s", set()).add(code)
    loose = {spelling: codes.pop() for spelling, codes in folded.items() if len(codes) == 1}
    return exact, loose, {name: unit.ucum for unit in UNITS for name in unit.qudt}


_EXACT, _LOOSE, _BY_QUDT = _index()


@lru_cache(maxsize=4096)
def ucum(unit: str) -> str | None:
    """The UCUM code of a unit spelled in UCUM, QUDT, Home Assistant or plain English; None if unknown."""
    if qudt := _QUDT.fullmatch(unit.strip()):
        return _BY_QUDT.get(qudt[1])
    tidy = _tidy(unit)
    return _EXACT.get(tidy) or _EXACT.get(tidy.replace(" ", "")) or _LOOSE.get(_fold(tidy))


@lru_cache(maxsize=1)
def _registry() -> pint.UnitRegistry[Fraction]:
    # Made at first use: it takes 0.2 s, and most daemons bind things of one unit and never convert.
    registry: pint.UnitRegistry[Fraction] = pint.UnitRegistry(non_int_type=Fraction)
    for definition in _DEFINITIONS:
        registry.define(definition)
    return registry


def _same(value: float) -> float:
    return value


@lru_cache(maxsize=4096)
def converter(source: str, target: str) -> Callable[[float], float] | None:
    """A function from values in one UCUM unit to values in another; None if they do not convert.

    It is compiled once and cached. Equal codes give the identity, also for codes that are not in the table.
    Results are rounded once or twice at most, so that 68 [degF] is exactly 20 Cel.
    """
    if source == target:
        return _same
    here, there = _BY_CODE.get(source), _BY_CODE.get(target)
    if not here or not there or here.family != there.family or here.pint is None or there.pint is None:
        return None
    try:
        # Linear, so two points tell all; as fractions they are exact, offsets included.
        at_0, at_1 = (
            Fraction(_registry().Quantity(Fraction(x), here.pint).to(there.pint).magnitude) for x in (0, 1)
        )
    except pint.DimensionalityError:
        return None
    return _linear(at_1 - at_0, at_0)


def _linear(slope: Fraction, intercept: Fraction) -> Callable[[float], float]:
    """Compile ``slope * x + intercept``, over one denominator if floats hold its parts exactly."""
    denominator = lcm(slope.denominator, intercept.denominator)
    parts = (int(slope * denominator), int(intercept * denominator), denominator)
    if max(abs(part) for part in parts) > 2**53:
        factor, offset = float(slope), float(intercept)
        return lambda value: value * factor + offset
    factor, offset, divisor = map(float, parts)
    return lambda value: (value * factor + offset) / divisor
