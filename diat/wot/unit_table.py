"""The table of units: a row for each, with everything that it is called.

Its sources: the UCUM standard, QUDT's unit vocabulary with its ``ucumCode`` (https://qudt.org/vocab/unit/),
Home Assistant's unit constants (``homeassistant/const.py``), Homie 5, Zigbee2MQTT exposes, and plain English.
To add a unit, add a row (or a prefix to a row).

Where a spelling means one thing in UCUM and another to those who build sensors, the latter counts, because
no thing on a bus measures the former: ``C`` and ``F`` are Celsius and Fahrenheit (not coulomb and farad),
``B`` and multiples are bytes (not bel). UCUM has no code for some units in use; these are written as QUDT
does or with UCUM's own annotation: ``V.A{reactive}``, ``dB[mW]``, ``{UVI}``, ``{rev}/min``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


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
            spellings=tuple(before + s for s in unit.spellings for before in _before(s, prefix, name)),
            qudt=tuple(name.capitalize() + q for q in unit.qudt),
        )


def _before(spelling: str, prefix: str, name: str) -> tuple[str, ...]:
    """How a spelling is prefixed: symbols by letters, words by words; four letters may be either."""
    return ((prefix,) if len(spelling) <= 4 else ()) + ((name,) if len(spelling) >= 4 else ())


# Definitions, by name only, of what pint lacks. They are exact by what the names say.
DEFINITIONS = (
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
        # Zigbee2MQTT's plain numbers have words for units.
        (
            "#",
            "count",
            "unitless",
            "dimensionless",
            "ratio",
            "fraction",
            "index",
            "lqi",
            "VOC index points",
            "PM2.5 index",
        ),
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
    Unit("[ppth]", "permille", None, ("‰", "permille", "per mille"), ("PERMILLE",), "ratio"),
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
    Unit("wk", "week", "Time", ("week",), ("WK",)),
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

BY_KIND = {("w", "Power"): "W", ("w", "Time"): "wk"}
"""Spellings that mean one unit to some and another to others: what is measured decides, or nothing does."""
