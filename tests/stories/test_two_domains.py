"""Every service at once on the same things: a home, and a clinic next door that must not notice.

Who wins: fire over intrusion over light; a leak over the garden; frost over who saves; a person over all but
safety.
"""

from __future__ import annotations

import pytest

from diat.vol.arbitration import Claim

SERVICES = (
    "leak-shuts-valve",
    "light-follows-presence",
    "occupancy",
    "freeze-protection",
    "peak-shaving",
    "intrusion",
    "fire",
    "appliance-finished",
    "air-quality-ventilation",
    "water-the-garden",
)
MORE = {"peak-shaving": {"limit": 5000}, "water-the-garden": {"at": "0 13 * * *"}}


class Domain:
    """All things that one house has, ``home-lamp`` and so on, and all services over them."""

    def __init__(self, house, name):
        self.house, self.name = house, name
        for what, quantity, value, unit in (
            ("eyes", "Motion", False, None),
            ("door", "Door", False, None),
            ("daylight", "Illuminance", 5, "lx"),
            ("puddle", "WaterLeak", False, None),
            ("smoke", "Smoke", False, None),
            ("wall", "Temperature", 18.0, "Cel"),
            ("meter", "Power", 900.0, "W"),
            ("air", "CarbonDioxide", 600.0, "[ppm]"),
            ("soil", "Moisture", 20.0, "%"),
        ):
            house.watcher(f"{name}-{what}", quantity, value, unit=unit, place=name)
        for what, quantity, value in (
            ("lamp", "Illuminance", False),
            ("siren", "SoundPressureLevel", False),
            ("lock", "Lock", True),
            ("gas", "GasSupply", True),
            ("sprinkler", "WaterSupply", False),
            ("fan", "Ventilation", False),
            ("dryer", "Power", True),
        ):
            house.driven(f"{name}-{what}", quantity, value, place=name)
        house.driven(f"{name}-heater", "Temperature", False, place=name, way="increase")
        self.services = {
            each: house.service(each, title=f"{each} of the {name}", place=name, **MORE.get(each, {}))
            for each in SERVICES
        }

    def sees(self, *said):
        self.house.sees(*(f"{self.name}-{each}" if at % 2 == 0 else each for at, each in enumerate(said)))

    def winner(self, thing) -> Claim | None:
        each = self.house.things.registry.seen(f"urn:dev:{self.name}-{thing}")
        return self.house.things.interaction.arbiter.winner(each.id, each.actuator("on"))

    def wins(self, thing) -> str:
        """The template of whoever drives a thing, or ``person``, or nothing."""
        claim = self.winner(thing)
        if claim is None:
            return ""
        return next((each for each, id in self.services.items() if id == claim.holder), claim.holder)

    def on(self, thing):
        return self.house.twin(f"urn:dev:{self.name}-{thing}").values["on"].value


@pytest.fixture
def both(house):
    return Domain(house, "home"), Domain(house, "clinic")


def test_the_winners(house, both):
    home, clinic = both
    for domain in both:
        states = {each: house.state(id).state for each, id in domain.services.items()}
        assert states == dict.fromkeys(SERVICES, "running"), domain.name
    assert house.heard() == [], "all is well, and nobody is there"

    house.put(home.services["intrusion"], armed="home")
    house.until("12:10")
    home.sees("eyes", True)
    assert (home.wins("lamp"), home.on("lamp")) == ("light-follows-presence", True)
    assert (home.wins("lock"), home.on("lock")) == ("intrusion", False)
    house.by_hand("home-lamp", False)
    assert (home.wins("lamp"), home.on("lamp")) == ("person", False)

    house.until("13:00")
    home.sees("wall", 18.0, "meter", 900.0, "air", 600.0, "soil", 20.0, "daylight", 5)
    assert home.wins("sprinkler") == "water-the-garden"
    home.sees("puddle", True)
    assert (home.wins("sprinkler"), home.on("sprinkler")) == ("leak-shuts-valve", False)

    # Somebody breaks in: after the person's hour the alarm has the lamp before the light has it.
    house.until("13:20")
    home.sees("eyes", False, "door", True)
    house.until("13:21")
    assert (home.wins("siren"), home.on("siren")) == ("intrusion", True)
    assert (home.wins("lamp"), home.on("lamp")) == ("intrusion", True)

    # The burglar smokes: fire has it all, and the way out is open.
    home.sees("smoke", True)
    for thing, value in {"siren": True, "lamp": True, "lock": True, "gas": False}.items():
        assert (home.wins(thing), home.on(thing)) == ("fire", value), thing
    house.restart(away=60)
    house.put(home.services["intrusion"], armed="off")
    assert (home.wins("siren"), home.on("siren")) == ("fire", True)
    home.sees("smoke", False)
    house.put(home.services["fire"], reset=True)
    assert (home.wins("siren"), home.on("siren")) == ("", False)
    assert home.wins("lamp") == "light-follows-presence"
    assert (home.wins("lock"), home.on("lock")) == ("", True)
    assert home.on("gas") is False, "people turn it on"

    # Next door nothing happened: nobody measured the air for half an hour, or the soil for a whole one.
    assert [line for line in house.heard() if "clinic" in line] == [
        "13:00:00 clinic-fan on true",
        "13:00:00 clinic-sprinkler on true",
        "13:00:00 clinic-sprinkler on false",
        "13:15:00 clinic-fan on false",
    ]
    house.decides_again(*home.services.values(), *clinic.services.values())


def test_frost_over_a_peak_and_a_person(house, both):
    """The clinic's heater is switched off by hand, and too much is drawn, as it begins to freeze."""
    _, clinic = both
    house.by_hand("clinic-heater", False)
    house.until("12:20")
    clinic.sees("meter", 6000.0)
    assert (clinic.wins("dryer"), clinic.on("dryer")) == ("peak-shaving", False)
    clinic.sees("wall", 2.0)
    assert (clinic.wins("heater"), clinic.on("heater")) == ("freeze-protection", True)
    clinic.sees("air", 1500.0)
    assert (clinic.wins("fan"), clinic.on("fan")) == ("air-quality-ventilation", True)
    clinic.sees("wall", 9.0)
    assert (clinic.wins("heater"), clinic.on("heater")) == ("person", False) or clinic.wins(
        "heater"
    ) == "person"
    assert not [line for line in house.heard() if "home-" in line]
    house.decides_again(*clinic.services.values())
