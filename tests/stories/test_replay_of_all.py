"""Every shipped template decides again over recorded hours what it decided live, and says what it said.

Hours of a house in which all that a template may look at changes, falls silent, comes back and is late,
in which things do not obey, people interfere, the platform starts anew, and another service wants the same
actuators. The hours are chosen at random; the same for the same seed.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
import yaml

import diat
from diat.kernel.errors import Refused

SEEDS = int(os.environ.get("REPLAY_SEEDS", "2"))
TEMPLATES = sorted(Path(diat.__file__).parent.joinpath("templates").glob("*.yaml"))
PLACE = {"place": "home"}
WARM = {"quantity": "Temperature", "unit": "Cel", **PLACE}
PARAMETERS = {
    "keep-above": WARM | {"above": 18},
    "keep-below": WARM | {"below": 23},
    "keep-within": WARM | {"low": 19, "high": 22},
    "mean-of-place": WARM,
    "notify-when-above": WARM | {"above": 22, "for": 60},
    "notify-when-below": WARM | {"below": 17},
    "notify-when-is": PLACE | {"quantity": "Door", "is": True, "for": 30},
    "peak-shaving": PLACE | {"limit": 3000},
    "switch-while": PLACE | {"quantity": "Illuminance", "condition": "Motion", "where": "home", "hold": 90},
    "water-the-garden": PLACE | {"at": "*/30 * * * *"},
}
"""What each template is asked for; the place alone if it is not here."""
WATCHED = {
    "eyes": ("Motion", None, (False, True)),
    "door": ("Door", None, (False, True)),
    "daylight": ("Illuminance", "lx", (5, 40, 300)),
    "puddle": ("WaterLeak", None, (False, False, True)),
    "smoke": ("Smoke", None, (False, False, True)),
    "wall": ("Temperature", "Cel", (2.0, 9.0, 16.5, 18.5, 20.0, 22.4, 25.0)),
    "shelf": ("Temperature", "[degF]", (40.0, 62.0, 66.0, 70.0, 75.0)),
    "meter": ("Power", "W", (2.0, 8.0, 900.0, 2500.0, 6000.0)),
    "air": ("CarbonDioxide", "[ppm]", (600.0, 900.0, 1500.0)),
    "soil": ("Moisture", "%", (20.0, 35.0, 50.0)),
}
DRIVEN = {
    "lamp": ("Illuminance", "switch"),
    "siren": ("SoundPressureLevel", "switch"),
    "lock": ("Lock", "switch"),
    "gas": ("GasSupply", "switch"),
    "sprinkler": ("WaterSupply", "switch"),
    "fan": ("Ventilation", "switch"),
    "dryer": ("Power", "switch"),
    "heater": ("Temperature", "increase"),
    "cooler": ("Temperature", "decrease"),
}
RIVALS = {
    "fire": "intrusion",
    "intrusion": "fire",
    "keep-within": "freeze-protection",
    "keep-above": "freeze-protection",
    "keep-below": "keep-within",
    "freeze-protection": "keep-above",
    "light-follows-presence": "intrusion",
    "switch-while": "light-follows-presence",
    "water-the-garden": "leak-shuts-valve",
    "leak-shuts-valve": "water-the-garden",
}
"""Another one that wants what a template drives."""
SETTINGS = {"fire": {"reset": [True]}, "leak-shuts-valve": {"reset": [True]}}
SETTINGS["intrusion"] = {"armed": ["off", "home", "away"]}


class Hours:
    """Random hours of a house with one service, and its rival."""

    def __init__(self, house, template, seed):
        self.house, self.template, self.chance = house, template, random.Random(f"{template} {seed}")
        for name, (quantity, unit, values) in WATCHED.items():
            house.watcher(name, quantity, values[0], unit=unit)
        for name, (quantity, way) in DRIVEN.items():
            house.driven(name, quantity, False, way=way)
        self.service = self.ask(template)
        self.rival = self.ask(RIVALS[template]) if template in RIVALS else None

    def ask(self, template):
        return self.house.service(template, title=template, **PARAMETERS.get(template, PLACE))

    def live(self, steps):
        acts = [self.sees] * 30 + [self.thing_turns] * 3 + [self.by_hand, self.disobeys] * 2
        acts += [self.setting] * 4 + [self.late] * 2 + [self.restart, self.rest, self.moves]
        for _ in range(steps):
            self.house.later(self.chance.choice([0, 0.004, 1, 20, 45, 100, 200, 700]))
            self.chance.choice(acts)()
        self.house.later(3600)

    def sees(self):
        for name in self.chance.sample(sorted(WATCHED), 3):
            self.house.sees(name, self.chance.choice(WATCHED[name][2]))

    def late(self):
        name = self.chance.choice(sorted(WATCHED))
        then = self.house.now - self.chance.randrange(1, 400_000)
        value = self.chance.choice(WATCHED[name][2])
        self.house.feed(f"diat/{name}/properties", {"t": then, "v": {"sees": value}})

    def thing_turns(self):
        name = self.chance.choice(sorted(WATCHED | DRIVEN))
        self.house.status(name, self.chance.choice(["online", "online", "offline"]))

    def disobeys(self):
        self.house.deaf ^= {self.chance.choice(sorted(DRIVEN))}

    def by_hand(self):
        try:
            self.house.by_hand(self.chance.choice(sorted(DRIVEN)), self.chance.random() < 0.5)
        except Refused:
            return  # safety drives it

    def setting(self):
        for name, values in SETTINGS.get(self.template, {}).items():
            self.house.put(self.service, **{name: self.chance.choice(values)})

    def restart(self):
        self.house.restart(away=self.chance.choice([0, 3, 90]))

    def rest(self):
        house = self.house
        house.pause(self.service)
        house.later(self.chance.choice([5, 500]))
        house.resume(self.service)

    def moves(self):
        name, place = self.chance.choice(["wall", "eyes", "heater"]), self.chance.choice(["home", "garage"])
        things = self.house.things
        self.house.batch(lambda: things.patch(f"urn:dev:{name}", {"diat:place": place}))


def name_of(path):
    return str(yaml.safe_load(path.read_text())["name"])


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("template", [name_of(path) for path in TEMPLATES])
def test_a_shipped_template_decides_again_what_it_decided(house, template, seed, record_property):
    hours = Hours(house, template, seed)
    hours.live(150)
    (decided,) = house.decides_again(hours.service)
    record_property("decisions", len(decided))
    if hours.rival is not None:
        house.decides_again(hours.rival)
