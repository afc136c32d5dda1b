"""Quantity kinds: every way of naming one finds the same bare QUDT name."""

from __future__ import annotations

import pytest

from diat.wot.quantities import KINDS, default_unit, kind_of_unit, quantity_kind


@pytest.mark.parametrize(
    ("term", "kind"),
    [
        ("temperature", "Temperature"),
        ("Temperature", "Temperature"),
        ("TEMPERATURE", "Temperature"),
        ("quantitykind:Temperature", "Temperature"),
        ("http://qudt.org/vocab/quantitykind/Temperature", "Temperature"),
        ("https://qudt.org/vocab/quantitykind/Temperature", "Temperature"),
        ("saref:Temperature", "Temperature"),
        ("https://saref.etsi.org/core/Temperature", "Temperature"),
        ("https://w3id.org/saref#Temperature", "Temperature"),
        ("https://saref.etsi.org/core/v3.2.1/Temperature", "Temperature"),
        ("iot:Temperature", "Temperature"),
        ("http://iotschema.org/Temperature", "Temperature"),
        ("quantitykind:CelsiusTemperature", "Temperature"),
        ("humidity", "RelativeHumidity"),
        ("relative humidity", "RelativeHumidity"),
        ("saref:Humidity", "RelativeHumidity"),
        ("saref:Light", "Illuminance"),
        ("ElectricPower", "Power"),
        ("power", "Power"),
        ("current", "ElectricCurrent"),
        ("voltage", "Voltage"),
        ("carbon_dioxide", "CarbonDioxide"),
        ("pm25", "ParticulateMatter2.5"),
        ("motion", "Motion"),
        ("atmospheric_pressure", "AtmosphericPressure"),
        ("pressure", "Pressure"),
        ("occupancy", "Occupancy"),
        ("presence", "Occupancy"),
        ("door", "Door"),
        ("window", "Window"),
        ("smoke", "Smoke"),
        ("gas", "GasVolume"),
        ("battery", "StateOfCharge"),
        ("signal_strength", "SignalStrength"),
        ("quantitykind:Foo", "Foo"),
        ("http://qudt.org/vocab/quantitykind/FooBar", "FooBar"),
        ("foo", None),
        ("saref:Foo", None),
        ("Foo", None),
        ("", None),
        ("quantitykind:", None),
        ("timestamp", None),
        ("enum", None),
    ],
)
def test_term(term, kind):
    assert quantity_kind(term) == kind


@pytest.mark.parametrize(
    ("term", "kind"),
    [
        ("battery", "BatteryLow"),
        ("gas", "GasDetected"),
        ("moisture", "WaterLeak"),
        ("power", "PowerDetected"),
        ("light", "LightDetected"),
        ("motion", "Motion"),
        ("carbon_monoxide", "CarbonMonoxideDetected"),
    ],
)
def test_term_of_a_boolean(term, kind):
    assert quantity_kind(term, boolean=True) == kind


SENSOR_CLASSES = """
absolute_humidity apparent_power aqi area atmospheric_pressure battery carbon_monoxide carbon_dioxide
conductivity current data_rate data_size distance duration energy energy_storage frequency gas humidity
illuminance irradiance moisture nitrogen_dioxide nitrogen_monoxide nitrous_oxide ozone ph pm1 pm10 pm25
pm4 power_factor power precipitation precipitation_intensity pressure reactive_energy reactive_power
signal_strength sound_pressure speed sulphur_dioxide temperature temperature_delta
volatile_organic_compounds volatile_organic_compounds_parts voltage volume volume_storage
volume_flow_rate water weight wind_direction wind_speed
"""

BINARY_CLASSES = """
battery battery_charging carbon_monoxide cold connectivity door garage_door gas heat light lock moisture
motion moving occupancy opening plug power presence problem running safety smoke sound tamper update
vibration window
"""


@pytest.mark.parametrize("term", SENSOR_CLASSES.split())
def test_every_numeric_device_class_has_a_kind_with_a_unit(term):
    kind = quantity_kind(term)
    assert kind is not None
    assert default_unit(kind) is not None


@pytest.mark.parametrize("term", BINARY_CLASSES.split())
def test_every_boolean_device_class_has_a_kind_without_a_unit(term):
    kind = quantity_kind(term, boolean=True)
    assert kind is not None
    assert default_unit(kind) is None


def test_no_word_has_two_meanings():
    seen: dict[str, str] = {}
    for kind in KINDS:
        for word in (kind.name, *kind.words):
            folded = word.casefold().replace("_", "").replace(" ", "").replace("-", "")
            assert seen.setdefault(folded, kind.name) == kind.name, word


def test_units_and_kinds():
    assert default_unit("Temperature") == "Cel"
    assert default_unit("Foo") is None
    assert kind_of_unit("Cel") == "Temperature"
    assert kind_of_unit("lx") == "Illuminance"
    assert kind_of_unit("W") == "Power"
    assert kind_of_unit("%") is None
    assert kind_of_unit("nonsense") is None
