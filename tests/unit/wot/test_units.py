"""Units: every spelling finds its UCUM code, and conversions are pint's, exact and fast."""

from __future__ import annotations

import timeit

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diat.kernel.errors import Inconvertible
from diat.wot.quantities import KINDS, default_unit, kind_of_unit, quantity_kind
from diat.wot.unit_table import UNITS
from diat.wot.units import conversion, converter, moves_zero, ucum


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("Cel", "Cel"),
        ("°C", "Cel"),
        ("℃", "Cel"),
        ("ºC", "Cel"),
        ("celsius", "Cel"),
        ("Degrees Celsius", "Cel"),
        ("C", "Cel"),
        ("unit:DEG_C", "Cel"),
        ("http://qudt.org/vocab/unit/DEG_C", "Cel"),
        ("°F", "[degF]"),
        ("K", "K"),
        ("lx", "lx"),
        ("lux", "lx"),
        ("µg/m³", "ug/m3"),
        ("μg/m³", "ug/m3"),
        ("kWh", "kW.h"),
        ("kwh", "kW.h"),
        ("kW⋅h", "kW.h"),
        ("m.s-1", "m/s"),
        ("µg·m⁻³", "ug/m3"),
        ("%", "%"),
        ("percent", "%"),
        ("Percent", "%"),
        ("hPa", "hPa"),
        ("ppm", "[ppm]"),
        ("dBm", "dB[mW]"),
        ("km/h", "km/h"),
        ("m³/h", "m3/h"),
        ("m³", "m3"),
        ("ft³", "[cft_i]"),
        ("L/min", "L/min"),
        ("V", "V"),
        ("mV", "mV"),
        ("VA", "V.A"),
        ("var", "V.A{reactive}"),
        ("VAR", "V.A{reactive}"),
        ("kvar", "kV.A{reactive}"),
        ("kVArh", "kV.A{reactive}.h"),
        ("‰", "[ppth]"),
        ("lqi", "1"),
        ("VOC Index points", "1"),
        ("°", "deg"),
        ("s", "s"),
        ("min", "min"),
        ("d", "d"),
        ("B", "By"),
        ("MB", "MBy"),
        ("Mbit/s", "Mbit/s"),
        ("MiB", "MiBy"),
        ("µS/cm", "uS/cm"),
        ("W/m²", "W/m2"),
        ("mmHg", "mm[Hg]"),
        ("inHg", "[in_i'Hg]"),
        ("psi", "[psi]"),
        ("UV index", "{UVI}"),
        ("rpm", "{rev}/min"),
        ("unit:KiloW-HR", "kW.h"),
        ("unit:C", None),
        ("W", "W"),
        ("MW", "MW"),
        ("mW", "mW"),
        ("watts", "W"),
        ("kilowatt", "kW"),
        ("Kilowatt hours", "kW.h"),
        ("metre", "m"),
        ("", None),
        ("bananas", None),
        ("mw", None),
        ("unit:BANANA", None),
    ],
)
def test_spelling(spelling, code):
    assert ucum(spelling) == code


def test_every_code_is_its_own_spelling_and_no_spelling_has_two():
    seen: dict[str, str] = {}
    for unit in UNITS:
        assert ucum(unit.ucum) == unit.ucum
        for spelling in (unit.ucum, *unit.spellings):
            assert seen.setdefault(spelling, unit.ucum) == unit.ucum, spelling
            assert ucum(spelling) == unit.ucum, spelling
        for name in unit.qudt:
            assert ucum(f"unit:{name}") == unit.ucum


def test_pint_knows_every_unit_that_is_not_marked_otherwise():
    plain = pint.UnitRegistry()
    for unit in UNITS:
        if unit.pint is not None and unit.pint not in {
            "part_per_billion",
            "hundred_cubic_feet",
            "thousand_cubic_feet",
        }:
            plain.Unit(unit.pint)


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (68, "[degF]", "Cel", 20.0),
        (20, "Cel", "[degF]", 68.0),
        (0, "Cel", "K", 273.15),
        (36, "km/h", "m/s", 10.0),
        (1, "kW.h", "J", 3_600_000.0),
        (50, "%", "1", 0.5),
        (1, "1", "%", 100.0),
        (1, "%", "[ppm]", 10_000.0),
        (1000, "[ppb]", "[ppm]", 1.0),
        (1, "By", "bit", 8.0),
        (1, "MBy/s", "Mbit/s", 8.0),
        (1013.25, "hPa", "kPa", 101.325),
        (1, "100.[cft_i]", "[cft_i]", 100.0),
        (2, "m3/h", "L/min", 33.333333333333336),
        (1, "mg/m3", "ug/m3", 1000.0),
    ],
)
def test_conversion(value, source, target, expected):
    convert = converter(source, target)
    assert convert is not None
    assert convert(value) == expected


def test_conversion_with_irrational_factor():
    convert = converter("deg", "rad")
    assert convert is not None
    assert convert(180) == pytest.approx(3.141592653589793)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("Cel", "%"),
        ("W", "V.A"),
        ("V.A", "V.A{reactive}"),
        ("deg", "%"),
        ("By", "1"),
        ("bit/s", "Hz"),
        ("dB[mW]", "W"),
        ("MK-1", "K"),
        ("lm", "cd"),
        ("{rev}/min", "Hz"),
        ("nonsense", "Cel"),
        ("Cel", "nonsense"),
        ("°C", "K"),
    ],
)
def test_no_conversion(source, target):
    assert converter(source, target) is None


def test_identity_also_for_codes_nobody_knows():
    convert = converter("[arb'U]", "[arb'U]")
    assert convert is not None
    assert convert(21.5) == 21.5


_CONVERTIBLE = [(a.ucum, b.ucum) for a in UNITS for b in UNITS if a.pint and b.pint and a.family == b.family]


@given(st.sampled_from(_CONVERTIBLE), st.floats(-1e6, 1e6))
def test_there_and_back(pair, value):
    there, back = converter(*pair), converter(*reversed(pair))
    assert (there is None) == (back is None)
    if there and back:
        assert back(there(value)) == pytest.approx(value, rel=1e-9, abs=1e-6)


@given(st.text(max_size=40))
def test_any_text_is_answered(text):
    assert ucum(text) is None or ucum(ucum(text)) == ucum(text)
    assert quantity_kind(text) is None or quantity_kind(text)


def test_a_call_is_cheap():
    convert = converter("[degF]", "Cel")
    assert convert is not None
    assert min(timeit.repeat(lambda: convert(68.0), number=10_000, repeat=5)) / 10_000 < 2e-6


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_units_of_kinds_agree(kind):
    unit = default_unit(kind.name)
    if unit is not None:
        assert ucum(unit) == unit
        assert kind_of_unit(unit) is None or default_unit(kind_of_unit(unit)) is not None


def test_kinds_of_units_are_kinds():
    names = {kind.name for kind in KINDS}
    assert {unit.kind for unit in UNITS} - names == {None}
    for unit in UNITS:
        usual = default_unit(unit.kind) if unit.kind else None
        if usual and unit.pint:
            assert converter(unit.ucum, usual), (unit.ucum, usual)


@pytest.mark.parametrize(
    ("spelling", "kind", "code"),
    [("w", "Power", "W"), ("w", "Time", "wk"), ("w", None, None), ("w", "Energy", None), ("W", "Time", "W")],
)
def test_what_is_measured_tells_a_watt_from_a_week(spelling, kind, code):
    assert ucum(spelling, kind) == code


CONVERTIBLE = [
    (here.ucum, there.ucum)
    for here in UNITS
    for there in UNITS
    if converter(here.ucum, there.ucum) is not None
]


@given(st.sampled_from(CONVERTIBLE), st.floats(-1e6, 1e6), st.sampled_from([None, "TemperatureDifference"]))
def test_there_and_back_is_where_it_began(pair, value, kind):
    source, target = pair
    there = converter(source, target, kind)(value)
    back = converter(target, source, kind)(there)
    zero = abs(converter(target, source, kind)(0.0))
    assert back == pytest.approx(value, rel=1e-12, abs=1e-12 * (1 + zero))


def test_a_temperature_has_a_zero_to_be_moved_and_a_difference_has_none():
    assert converter("Cel", "[degF]")(10) == 50
    assert converter("Cel", "[degF]", "TemperatureDifference")(10) == 18
    assert converter("Cel", "K", "TemperatureDifference")(10) == 10
    assert moves_zero("Cel", "K")
    assert not moves_zero("Cel", "K", "TemperatureDifference")
    assert not moves_zero("hPa", "kPa")


@pytest.mark.parametrize(
    ("source", "wanted", "words"),
    [
        ("Cel", "hPa", ("Cel", "hPa")),
        ("Cel", "bananas", ("bananas",)),
        (None, "degF", ("degF",)),
        ("deg", "1", ("deg", "1")),
    ],
)
def test_what_does_not_convert_names_both_units(source, wanted, words):
    with pytest.raises(Inconvertible) as refused:
        conversion(source, wanted)
    assert refused.value.field == "unit"
    assert all(word in str(refused.value) for word in words)


def test_the_unit_asked_for_is_answered_by_its_code():
    code, convert = conversion("Cel", "degF")
    assert (code, convert(20)) == ("[degF]", 68)
