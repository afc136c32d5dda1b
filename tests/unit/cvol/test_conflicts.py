"""The corpus of conflicts: pairs of services that fight, and pairs that only look as if they did.

Each pair runs in a house of real layers; the search is told nothing but what would be bound.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import pytest

from diat.cvol.conflicts import Conflict, Found, find
from diat.cvol.exploring import Party
from tests.unit.cvol.conftest import World

OCCUPANCY = "quantitykind:Occupancy"
HEADER = """
name: {name}
title: {name}
priority: {priority}
parameters:
  type: object
  properties: {{place: {{type: string}}, low: {{type: number}}, high: {{type: number}},
    from: {{type: string}}, to: {{type: string}}, seconds: {{type: number}}, speed: {{type: number}}}}
"""

BODIES = {
    # The light is on while somebody is there, and some time after.
    "presence": """
roles:
  motion: {capability: read, quantity: Occupancy, place: "{{place}}", type: boolean, count: "1.."}
  lamp: {capability: switch, quantity: Illuminance, place: "{{place}}", count: "1.."}
steps:
  - {id: any, do: fuse, role: motion, by: any}
  - {id: held, do: hold, input: any, seconds: "{{seconds}}"}
  - {id: light, do: drive, role: lamp, input: held, otherwise: false}
""",
    # The same, but nothing is wanted while nobody is there.
    "presence-only": """
roles:
  motion: {capability: read, quantity: Occupancy, place: "{{place}}", type: boolean, count: "1.."}
  lamp: {capability: switch, quantity: Illuminance, place: "{{place}}", count: "1.."}
steps:
  - {id: any, do: fuse, role: motion, by: any}
  - {id: light, do: drive, role: lamp, input: any, when: any}
""",
    "schedule": """
roles:
  lamp: {capability: switch, quantity: Illuminance, place: "{{place}}", count: "1.."}
steps:
  - {id: evening, do: schedule, from: "{{from}}", to: "{{to}}"}
  - {id: light, do: drive, role: lamp, input: evening}
""",
    "schedule-only": """
roles:
  lamp: {capability: switch, quantity: Illuminance, place: "{{place}}", count: "1.."}
steps:
  - {id: evening, do: schedule, from: "{{from}}", to: "{{to}}"}
  - {id: light, do: drive, role: lamp, input: evening, when: evening}
""",
    "heat": """
roles:
  level: {capability: read, quantity: Temperature, place: "{{place}}", unit: Cel}
  warmer: {capability: increase, quantity: Temperature, place: "{{place}}", count: "1.."}
steps:
  - {id: level, do: latest, role: level}
  - {id: cold, do: hysteresis, input: level, "on": below, low: "{{low}}", high: "{{high}}"}
  - {id: warm, do: drive, role: warmer, input: cold, otherwise: false}
""",
    "heat-fahrenheit": """
roles:
  level: {capability: read, quantity: Temperature, place: "{{place}}", unit: "[degF]"}
  warmer: {capability: increase, quantity: Temperature, place: "{{place}}", count: "1.."}
steps:
  - {id: level, do: latest, role: level}
  - {id: cold, do: hysteresis, input: level, "on": below, low: "{{low}}", high: "{{high}}"}
  - {id: warm, do: drive, role: warmer, input: cold, otherwise: false}
""",
    # Heats in whatever room while it is freezing in there, and lets go otherwise.
    "frost": """
roles:
  level: {capability: read, quantity: Temperature, place: "{{place}}", unit: Cel}
  warmer: {capability: increase, quantity: Temperature, place: "{{place}}", count: "1.."}
steps:
  - {id: level, do: latest, role: level}
  - {id: frost, do: hysteresis, input: level, "on": below, low: "{{low}}", high: "{{high}}"}
  - {id: warm, do: drive, role: warmer, input: frost, when: frost}
""",
    "cool": """
roles:
  level: {capability: read, quantity: Temperature, place: "{{place}}", unit: Cel}
  cooler: {capability: decrease, quantity: Temperature, place: "{{place}}", count: "1.."}
steps:
  - {id: level, do: latest, role: level}
  - {id: hot, do: hysteresis, input: level, "on": above, low: "{{low}}", high: "{{high}}"}
  - {id: chill, do: drive, role: cooler, input: hot, otherwise: false}
""",
    # By a formula, and only after it has lasted.
    "cool-formula": """
roles:
  level: {capability: read, quantity: Temperature, place: "{{place}}", unit: Cel}
  cooler: {capability: decrease, quantity: Temperature, place: "{{place}}", count: "1.."}
steps:
  - {id: level, do: latest, role: level}
  - {id: hot, do: map, inputs: {t: level}, expr: "t > 26.0"}
  - {id: long, do: lasting, input: hot, seconds: "{{seconds}}"}
  - {id: chill, do: drive, role: cooler, input: long, otherwise: false}
""",
    "shed": """
roles:
  drawn: {capability: read, quantity: Power, place: "{{place}}", unit: W}
  loads: {capability: switch, quantity: Power, place: "{{place}}", count: "1.."}
steps:
  - {id: drawn, do: latest, role: drawn}
  - {id: kept, do: shed, role: loads, input: drawn, limit: 3000, step: 1000, settle: 30}
  - {id: drive, do: drive, role: loads, input: kept}
""",
    "use": """
roles:
  motion: {capability: read, quantity: Occupancy, place: "{{place}}", type: boolean, count: "1.."}
  load: {capability: switch, quantity: Power, place: "{{place}}", count: "1.."}
steps:
  - {id: any, do: fuse, role: motion, by: any}
  - {id: use, do: drive, role: load, input: any, when: any}
""",
    "fan": """
roles:
  air: {capability: read, quantity: CarbonDioxideConcentration, place: "{{place}}", unit: "[ppm]"}
  fan: {capability: set, quantity: VolumeFlowRate, place: "{{place}}", unit: "m3/h", count: "1.."}
steps:
  - {id: air, do: latest, role: air}
  - {id: bad, do: hysteresis, input: air, "on": above, low: 800, high: 1200}
  - {id: run, do: drive, role: fan, input: bad, value: "{{speed}}", when: bad}
""",
    "armed": """
settings:
  armed: {type: boolean, default: false}
roles:
  motion: {capability: read, quantity: Occupancy, place: "{{place}}", type: boolean, count: "1.."}
  lamp: {capability: switch, quantity: Illuminance, place: "{{place}}", count: "1.."}
steps:
  - {id: any, do: fuse, role: motion, by: any}
  - {id: armed, do: setting, property: armed}
  - {id: alarm, do: map, inputs: {a: armed, m: any}, expr: "a && m"}
  - {id: dark, do: drive, role: lamp, input: alarm, value: false, when: alarm}
""",
    "mean": """
roles:
  level: {capability: read, quantity: Temperature, place: "{{place}}", unit: Cel, count: "1.."}
steps:
  - {id: mean, do: mean, role: level}
derives:
  mean: {from: mean, type: number, quantity: Temperature, unit: Cel}
""",
    # A button, which is an event, lights the lamp for a while.
    "button": """
roles:
  bell: {capability: notice, quantity: Occupancy, place: "{{place}}"}
  lamp: {capability: switch, quantity: Illuminance, place: "{{place}}", count: "1.."}
steps:
  - {id: rang, do: notice, role: bell}
  - {id: held, do: hold, input: rang, seconds: "{{seconds}}"}
  - {id: light, do: drive, role: lamp, input: held, when: held}
""",
}


class Asked(NamedTuple):
    """A service: which template, at which priority, with which parameters."""

    body: str
    priority: str = "automation"
    said: dict[str, Any] = {}  # noqa: RUF012 - never changed


def of(body: str, priority: str = "automation", **said: Any) -> Asked:
    return Asked(body, priority, {"place": "hq/1", **said})


class Pair(NamedTuple):
    """Two services, whether they are in conflict (of which kind), and words of the witness."""

    name: str
    one: Asked
    other: Asked
    kind: str | None = None
    words: tuple[str, ...] = ()
    winner: str | None = None


BAND = {"low": 20, "high": 24}
CORPUS = [
    # --- one heater
    Pair("the same heater and the same band", of("heat", **BAND), of("heat", **BAND)),
    Pair(
        "the same heater, bands that overlap",
        of("heat", low=20, high=24),
        of("heat", low=18, high=22),
        "direct",
        ("Cel", "“one” wants Heater", "“other” wants it"),
        "other",
    ),
    Pair("the same heater, bands apart", of("heat", low=16, high=18), of("heat", low=20, high=22), "direct"),
    Pair("the same band in another unit", of("heat", **BAND), of("heat-fahrenheit", low=68, high=75.2)),
    Pair(
        "another band in another unit", of("heat", **BAND), of("heat-fahrenheit", low=65, high=70), "direct"
    ),
    Pair(
        "heaters of rooms apart",
        of("heat", place="hq/1/east", **BAND),
        of("heat", place="hq/2", low=10, high=12),
    ),
    Pair(
        "a room within the floor",
        of("heat", place="hq/1", **BAND),
        of("heat", place="hq/1/east", low=16, high=18),
        "direct",
    ),
    Pair(
        "a room within the floor, the same band",
        of("heat", place="hq/1", **BAND),
        of("heat", place="hq/1/east", **BAND),
    ),
    Pair("frost and a band above it", of("heat", **BAND), of("frost", "safety", low=4, high=6)),
    Pair(
        "frost that heats further than the band",
        of("heat", low=2, high=3),
        of("frost", "safety", low=4, high=6),
        "direct",
        ("wants Heater off", "wants it on"),
        "other",
    ),
    Pair(
        "safety is obeyed though it came later",
        of("frost", "safety", low=4, high=6),
        of("heat", low=2, high=3),
        "direct",
        (),
        "one",
    ),
    Pair(
        "convenience gives way",
        of("heat", "convenience", **BAND),
        of("heat", low=18, high=22),
        "direct",
        (),
        "other",
    ),
    # --- heater against cooler
    Pair("heating below, cooling far above", of("heat", low=18, high=20), of("cool", low=24, high=26)),
    Pair(
        "heating and cooling overlap",
        of("heat", low=20, high=24),
        of("cool", low=21, high=23),
        "opposed",
        ("Heater on", "Cooler on", "work against each other"),
    ),
    Pair("heating and cooling meet at an edge", of("heat", low=18, high=21), of("cool", low=21, high=24)),
    Pair(
        "heating here, cooling there",
        of("heat", place="hq/1", **BAND),
        of("cool", place="hq/2", low=10, high=12),
    ),
    Pair(
        "heating a room, cooling its floor",
        of("heat", place="hq/1/east", low=22, high=25),
        of("cool", place="hq/1", low=18, high=20),
        "opposed",
    ),
    Pair("cooling by a formula, above", of("heat", low=20, high=24), of("cool-formula", seconds=600)),
    Pair(
        "cooling by a formula, within",
        of("heat", low=24, high=28),
        of("cool-formula", seconds=600),
        "opposed",
    ),
    Pair(
        "the same cooler by band and formula",
        of("cool", low=25, high=26),
        of("cool-formula", seconds=1),
        "direct",
    ),
    # --- one lamp
    Pair(
        "presence and schedule",
        of("presence", seconds=60),
        of("schedule", **{"from": "18:00", "to": "23:00"}),
        "direct",
        ("Occupancy", "Lamp"),
    ),
    Pair(
        "presence that wants nothing when nobody is there, and a schedule likewise",
        of("presence-only"),
        of("schedule-only", **{"from": "18:00", "to": "23:00"}),
    ),
    Pair(
        "two schedules of the same hours",
        of("schedule", **{"from": "18:00", "to": "23:00"}),
        of("schedule", **{"from": "18:00", "to": "23:00"}),
    ),
    Pair(
        "two schedules of other hours",
        of("schedule", **{"from": "18:00", "to": "23:00"}),
        of("schedule", **{"from": "06:00", "to": "08:00"}),
        "direct",
        ("at ",),
    ),
    Pair(
        "two schedules that only light",
        of("schedule-only", **{"from": "18:00", "to": "23:00"}),
        of("schedule-only", **{"from": "06:00", "to": "08:00"}),
    ),
    Pair("presence with the same patience", of("presence", seconds=60), of("presence", seconds=60)),
    Pair(
        "presence with more patience",
        of("presence", seconds=60),
        of("presence", seconds=600),
        "direct",
        ("after a while",),
    ),
    Pair(
        "presence and an alarm that makes it dark",
        of("presence", seconds=60),
        of("armed", "safety"),
        "direct",
        ("armed of “other” true",),
        "other",
    ),
    Pair("an alarm and a lamp elsewhere", of("presence", place="hq/2", seconds=60), of("armed", "safety")),
    Pair("a button and presence only", of("button", seconds=60), of("presence-only")),
    Pair(
        "a button and presence", of("button", seconds=60), of("presence", seconds=30), "direct", ("happens",)
    ),
    # --- loads
    Pair("shedding and using", of("use"), of("shed"), "direct", ("Power",), "other"),
    Pair("shedding here, using there", of("use", place="hq/2"), of("shed")),
    Pair("fans at the same speed", of("fan", speed=100), of("fan", speed=100)),
    Pair("fans at other speeds", of("fan", speed=100), of("fan", speed=200), "direct", ("at 100", "at 200")),
    # --- other quantities, other places, reading only
    Pair("heating and lighting", of("heat", **BAND), of("presence", seconds=60)),
    Pair("heating and ventilating", of("heat", **BAND), of("fan", speed=100)),
    Pair("heating and a mean", of("heat", **BAND), of("mean")),
    Pair("two means", of("mean"), of("mean")),
]


def furnish(world: World) -> None:
    """A house in which every template finds what it needs, in three places."""
    for number, place in enumerate(("hq/1", "hq/1/east", "hq/2")):
        world.sensor(f"t{number}", place=place)
        world.measure(f"t{number}", 21.0)
        switch(world, f"h{number}", "Heater", place, "Temperature", "increase")
        switch(world, f"c{number}", "Cooler", place, "Temperature", "decrease")
        world.announce(
            f"m{number}",
            **{
                "title": "Motion",
                "diat:place": place,
                "properties": {
                    "there": {"type": "boolean", "@type": "quantitykind:Occupancy", "readOnly": True}
                },
                "events": {"pressed": {"@type": OCCUPANCY}},
            },
        )
        world.report(f"m{number}", there=False)
        switch(world, f"l{number}", "Lamp", place, "Illuminance", "switch")
        switch(world, f"p{number}", "Plug", place, "Power", "switch")
        for name, prop, quantity, unit, writable in (
            ("w", "power", "Power", "W", False),
            ("a", "co2", "CarbonDioxideConcentration", "[ppm]", False),
            ("f", "speed", "VolumeFlowRate", "m3/h", True),
        ):
            said = {
                "type": "number",
                "unit": unit,
                "@type": f"quantitykind:{quantity}",
                "readOnly": not writable,
            }
            world.announce(
                f"{name}{number}", **{"title": "Fan", "diat:place": place, "properties": {prop: said}}
            )
            world.report(f"{name}{number}", **{prop: 500.0})


def switch(world: World, name: str, title: str, place: str, quantity: str, direction: str) -> None:
    affects = {"quantity": quantity, "direction": direction}
    on = {"type": "boolean", "idempotent": True, "diat:affects": affects}
    world.announce(name, **{"title": title, "diat:place": place, "properties": {"on": on}})


def run(world: World, asked: Asked, title: str) -> Party:
    """A service of this kind at work."""
    name = f"{asked.body}-{title}"
    source = HEADER.format(name=name, priority=asked.priority) + BODIES[asked.body]
    world.template(source)
    service = world.service(name, title, **asked.said)
    composite = world.composites.composite(service)
    assert composite is not None
    state = world.state(service)
    assert state.state in ("running", "degraded"), state.missing
    return Party(composite=composite, bindings=state.bindings, since=world.now)


def search(world: World, pair: Pair) -> Found:
    furnish(world)
    one, other = run(world, pair.one, "one"), run(world, pair.other, "other")
    objects = {each.id: each for each in world.things.registry.everything()}
    return find(one, [other], objects, world.composites.site)


@pytest.mark.parametrize("pair", CORPUS, ids=[pair.name for pair in CORPUS])
def test_who_fights_is_told_and_nobody_else(world, pair):
    found = search(world, pair)
    kinds = sorted({each.kind for each in found.conflicts})
    assert kinds == ([pair.kind] if pair.kind else []), [each.sentence for each in found.conflicts]
    if pair.kind is None:
        assert found.complete, "nothing was found, but not everything was tried"
        return
    told = found.conflicts[0]
    for words in pair.words:
        assert words in told.sentence, told.sentence
    if pair.winner is not None:
        assert told.winner == pair.winner
    assert (told.other, told.title) == (told.other, "other")


def test_the_corpus_is_large_and_of_both_kinds():
    assert len(CORPUS) >= 30
    assert 12 <= sum(pair.kind is not None for pair in CORPUS) <= len(CORPUS) - 12


def test_the_sentence_is_one_that_a_person_understands(world):
    found = search(world, Pair("", of("heat", low=20, high=24), of("heat", low=18, high=22)))
    assert isinstance(found.conflicts[0], Conflict)
    wanted = "after 17 Cel, at 23 Cel “one” wants Heater on and “other” wants it off"
    assert found.conflicts[0].sentence == wanted


def test_what_it_takes_is_bounded(world):
    """Two services over very many thresholds: the search ends in time and says that it left something out."""
    furnish(world)
    edges = " || ".join(f"(t > {n}.25 && t < {n}.75)" for n in range(15, 26))
    body = BODIES["cool-formula"].replace("t > 26.0", edges)
    BODIES["many"] = body.replace("t: level}", "t: level, u: level}")
    try:
        one, other = run(world, of("many", seconds=5), "one"), run(world, of("many", seconds=5), "other")
    finally:
        del BODIES["many"]
    objects = {each.id: each for each in world.things.registry.everything()}
    began = time.monotonic()
    found = find(one, [other], objects)
    assert time.monotonic() - began < 20
    assert not found.conflicts
    assert not found.complete
