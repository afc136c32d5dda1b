"""What a thing does not say of its properties is supposed, found by, and put right by a person for good."""

from __future__ import annotations

import pytest

THERMOMETER = {
    "title": "Thermometer",
    "properties": {
        "temperature": {"type": "number", "unit": "Cel", "readOnly": True},
        "flow_temperature": {"type": "number", "unit": "Cel", "readOnly": True},
        "level": {"type": "number", "readOnly": True},
    },
}
PATCH = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
def vague(thing, place):
    return thing(THERMOMETER | {"diat:place": place})


def kinds(house, thing):
    found = house.get(thing.path)["properties"]
    return {name: (each.get("@type"), each.get("diat:confidence")) for name, each in found.items()}


def test_a_thing_is_found_by_what_its_units_and_names_suggest(vague, house, place):
    assert kinds(house, vague) == {
        "temperature": ("quantitykind:Temperature", 0.8),
        "flow_temperature": ("quantitykind:Temperature", 0.8),
        "level": (None, None),
    }
    (found,) = house.get("/things", quantity="temperature", place=place, capability="read")
    assert found["id"] == vague.id
    assert found["properties"]["temperature"]["diat:meaningFrom"] == "name"


def test_what_a_person_puts_right_stays(vague, house, rest, until):
    patch = {
        "properties": {
            "temperature": {"@type": "quantitykind:DewPointTemperature"},
            "flow_temperature": {"@type": None},
        }
    }
    assert rest.patch(vague.path, json=patch, headers=PATCH).status_code == 204
    right = {
        "temperature": ("quantitykind:DewPointTemperature", None),
        "flow_temperature": (None, None),
        "level": (None, None),
    }
    assert kinds(house, vague) == right
    vague.announce(THERMOMETER | {"title": "Newer firmware"})
    until(lambda: house.get(vague.path)["title"] == "Newer firmware")
    assert kinds(house, vague) == right
    assert "diat:meaningFrom" not in house.get(vague.path)["properties"]["temperature"]
