"""What affordances mean that do not say so: from the unit, from the name, and how sure that is."""

from __future__ import annotations

import pytest

from diat.vol.dialects.meaning import (
    EXPOSE,
    Meaning,
    classed,
    corrected,
    measured,
    quantity,
    undeclared,
    unit,
    wanted,
    watched,
    with_meaning,
)
from diat.wot.td import merge_patch

FIXED = {"type": "number", "readOnly": True}


@pytest.mark.parametrize(
    ("name", "code", "meaning"),
    [
        ("temperature", "Cel", Meaning("Temperature", "name", 0.8)),
        ("temperature", None, Meaning("Temperature", "name", 0.5)),
        ("x", "Cel", Meaning("Temperature", "unit", 0.7)),
        ("power_factor_l2", "%", Meaning("PowerFactor", "name", 0.8)),
        ("voltage_phase_b", "V", Meaning("Voltage", "name", 0.8)),
        ("battery2", "%", Meaning("StateOfCharge", "name", 0.8)),
        ("tvoc", "[ppb]", Meaning("VolatileOrganicCompounds", "name", 0.8)),
        ("voc_index", "1", Meaning("VolatileOrganicCompoundsIndex", "name", 0.8)),
        ("color_temp", "MK-1", Meaning("CorrelatedColorTemperature", "name", 0.8)),
        ("rain", "[in_i]", Meaning("PrecipitationDepth", "name", 0.8)),
        ("local_temperature_calibration", "Cel", Meaning("TemperatureDifference", "name", 0.8)),
        # wrong would be worse than none
        ("temperature", "%", None),
        ("distance", "%", None),
        ("air_quality", "%", None),
        ("volume", None, None),
        ("light", None, None),
        ("speed", None, None),
        ("max_temperature", "Cel", None),
        ("alarm_temperature", "Cel", None),
        ("humidity_calibration", "%", None),
        ("position", "%", None),
        ("x", None, None),
    ],
)
def test_a_number(name, code, meaning):
    assert measured((name,), code) == meaning


def test_what_is_set_must_be_named():
    assert wanted(("countdown",), "s") is None
    assert wanted(("speed",), None) is None
    assert wanted(("heating_setpoint",), "Cel") == Meaning("Temperature", "name", 0.8)
    assert wanted(("heating_setpoint",), "Cel", EXPOSE) == Meaning("Temperature", "expose")


def test_words_of_a_vocabulary_are_certain():
    assert measured(("temperature",), "Cel", EXPOSE) == Meaning("Temperature", "expose")
    assert measured(("device_temperature",), "Cel", EXPOSE) == Meaning("Temperature", "unit", 0.7)
    assert watched(("contact",), EXPOSE) == Meaning("Opening", "expose")
    assert watched(("contact",)) == Meaning("Opening", "name", 0.5)
    assert watched(("temperature",)) is None
    assert classed("battery") == Meaning("StateOfCharge", "device-class")
    assert classed("battery", boolean=True) == Meaning("BatteryLow", "device-class")
    assert classed("enum") is None


def test_how_it_is_known_is_written_down_unless_it_is_declared():
    assert quantity(None) == {}
    assert quantity("Power") == {"@type": "quantitykind:Power"}
    assert quantity(classed("power")) == {"@type": "quantitykind:Power", "diat:meaningFrom": "device-class"}
    assert quantity(measured(("x",), "W")) == {
        "@type": "quantitykind:Power",
        "diat:meaningFrom": "unit",
        "diat:confidence": 0.7,
    }


def test_a_w_is_a_watt_or_a_week_by_what_is_measured():
    assert unit("w", "Power") == ("W", ())
    assert unit("w", "Time") == ("wk", ())
    code, (note,) = unit("w")
    assert code is None
    assert "'w'" in note


@pytest.mark.parametrize(
    ("name", "affordance", "kind"),
    [
        ("temperature", {**FIXED, "unit": "Cel"}, "Temperature"),
        ("temperature", {"type": "number", "unit": "Cel"}, "Temperature"),
        ("temperature", {"type": "number"}, "Temperature"),
        ("officeTemperature", {**FIXED, "unit": "Cel"}, "Temperature"),
        ("indoor-humidity", {**FIXED, "unit": "%"}, "RelativeHumidity"),
        ("x", {**FIXED, "unit": "hPa"}, "Pressure"),
        ("motion", {"type": "boolean", "readOnly": True}, "Motion"),
        # it says what it is, though not in words of ours
        ("temperature", {**FIXED, "@type": "ex:Fever"}, None),
        # it may be an aim as well as a value
        ("x", {"type": "number", "unit": "Cel"}, None),
        ("targetTemperature", {**FIXED, "unit": "Cel"}, None),
        ("desired_humidity", {**FIXED, "unit": "%"}, None),
        ("motion", {"type": "boolean"}, None),
        ("soil_humidity", {**FIXED, "unit": "%"}, None),
        ("temperature", {**FIXED, "unit": "complicated"}, None),
        ("temperature", {"type": "string", "readOnly": True}, None),
        ("speaker_volume", FIXED, None),
    ],
)
def test_a_property_of_a_description_without_a_type(name, affordance, kind):
    found = undeclared(name, affordance)
    assert (found.kind if found else None) == kind


def test_a_description_keeps_everything_else():
    td = {"title": "T", "properties": {"t": {**FIXED, "unit": "Cel", "x": 1}, "odd": 7}, "actions": {}}
    meant = with_meaning(td)
    assert meant["properties"]["t"] == {
        **td["properties"]["t"],
        **quantity(Meaning("Temperature", "unit", 0.7)),
    }
    assert meant["properties"]["odd"] == 7
    assert {**meant, "properties": td["properties"]} == td
    assert with_meaning({"properties": []}) == {"properties": []}


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ({"@type": "quantitykind:DewPointTemperature"}, {"@type": "quantitykind:DewPointTemperature"}),
        ({"@type": None}, {}),
        ({"title": "T"}, {**quantity(Meaning("Temperature", "unit", 0.7)), "title": "T"}),
        (
            {"@type": "quantitykind:Power", "diat:confidence": 0.9},
            {"@type": "quantitykind:Power", "diat:confidence": 0.9},
        ),
    ],
)
def test_what_a_person_says_is_no_more_supposed(said, left):
    td = {"properties": {"x": quantity(Meaning("Temperature", "unit", 0.7))}}
    patch = {"title": "Mine", "properties": {"x": said, "gone": None}}
    assert corrected(merge_patch(td, patch), patch)["properties"]["x"] == left


def test_what_a_person_says_of_what_it_does_is_no_more_supposed():
    fed = {"diat:affects": {"quantity": "Power", "direction": "increase"}}
    guessed = {"diat:meaningFrom": "name", "diat:confidence": 0.5}
    patch = {"properties": {"x": fed}}
    assert corrected({"properties": {"x": {**guessed, **fed}}}, patch)["properties"]["x"] == fed
    # what it is was supposed, and still is
    typed = {"@type": "quantitykind:Lock", **guessed, **fed}
    assert corrected({"properties": {"x": typed}}, patch)["properties"]["x"] == typed
