"""A composite against the parts that it is split into: fed with the same, they say and drive the same.

Random graphs of all kinds of steps, over random tiers, fed with random readings as time goes by.
"""

from __future__ import annotations

import json
import random

import msgspec
import pytest

from diat.cvol.composing import compose
from diat.cvol.placement.splitting import everywhere, portionable, roles_of, split, with_portions
from diat.cvol.template import Template
from tests.unit.cvol.conftest import World

TREE = {"core": ("core",), "gw": ("gw", "core"), "hut": ("hut", "gw", "core"), "barn": ("barn", "core")}
READ = {"all": "abcd", "all@hut": "a", "all@barn": "c", "all@core": "bd"}
SENSORS = {"a": "hut", "b": "gw", "c": "barn", "d": "core"}


def step_of(chance, at, numbers, truths, pulses, roles):
    """A random step, and whether it gives numbers or truths."""
    kinds = ["latest", "fuse", "window-role", "setting", "clock"]
    if numbers:
        kinds += ["hysteresis", "deadband", "window", "rate-limit", "map", "filter", "above"] * 2
    if truths:
        kinds += ["dwell", "debounce", "hold", "lasting", "machine", "sequence", "absence", "mapped"]
    if pulses:
        kinds += ["sequence", "absence", "machine"]
    if len(numbers) > 1:
        kinds += ["join", "sum"]
    kind, step = chance.choice(kinds), {"id": f"s{at}"}
    role = chance.choice(roles)
    one = chance.choice(numbers) if numbers else None
    truth = chance.choice(truths) if truths else None
    happening = chance.choice(truths + pulses) if truths + pulses else None
    seconds = chance.choice([2, 5, 15])
    # Of what is due at the very moment at which a part tells something, either may come first.
    odd = seconds + 0.007 * (at + 1)
    aggregate = chance.choice(["mean", "sum", "count", "least", "time-weighted-mean", "change"])
    frame = chance.choice(
        [
            {"kind": "tumbling", "size": seconds, "lateness": chance.choice([0, 3])},
            {"kind": "hopping", "size": 3 * seconds, "every": seconds},
            {"kind": "sliding", "size": seconds, "aggregate": "count"},
            {"kind": "session", "gap": seconds},
            {"kind": "count", "size": 3},
        ]
    )
    made = {
        "latest": ({"do": "latest", "role": role}, "number"),
        "fuse": (
            {"do": "fuse", "role": role, "by": chance.choice(["mean", "most", "spread", "sum"])},
            "number",
        ),
        "window-role": ({"do": "window", "role": role, "aggregate": aggregate, **frame}, "number"),
        "window": ({"do": "window", "input": one, "aggregate": aggregate, **frame}, "number"),
        "setting": ({"do": "setting", "property": "level"}, "number"),
        "clock": ({"do": "every", "seconds": seconds}, "pulse"),
        "hysteresis": ({"do": "hysteresis", "input": one, "on": "above", "low": 18, "high": 22}, "truth"),
        "deadband": ({"do": "deadband", "input": one, "width": 2}, "number"),
        "rate-limit": ({"do": "rate-limit", "input": one, "seconds": odd}, "number"),
        "map": ({"do": "map", "input": one, "expr": "value * 2"}, "number"),
        "filter": ({"do": "filter", "input": one, "expr": "value > 20"}, "number"),
        "above": ({"do": "map", "input": one, "expr": "value > 20"}, "truth"),
        "dwell": ({"do": "dwell", "input": truth, "min_on": odd, "min_off": odd}, "truth"),
        "debounce": ({"do": "debounce", "input": truth, "seconds": odd}, "truth"),
        "hold": ({"do": "hold", "input": truth, "seconds": odd}, "truth"),
        "lasting": ({"do": "lasting", "input": truth, "seconds": odd}, "truth"),
        "sequence": (
            {
                "do": "sequence",
                "first": happening,
                "then": chance.choice(truths + pulses or [""]),
                "within": seconds,
            },
            "pulse",
        ),
        "absence": (
            {
                "do": "absence",
                "after": happening,
                "of": chance.choice(truths + pulses or [""]),
                "within": seconds,
            },
            "pulse",
        ),
        "mapped": ({"do": "map", "input": truth, "expr": "value ? 1.5 : 0.5"}, "number"),
        "machine": (
            {
                "do": "machine",
                "inputs": {"x": happening},
                "initial": "off",
                "states": {"off": [{"to": "on", "when": "x == true"}], "on": [{"to": "off", "after": odd}]},
            },
            "word",
        ),
        "join": (
            {"do": "join", "inputs": {"x": one, "y": chance.choice(numbers or [""])}, "within": seconds},
            "word",
        ),
        "sum": (
            {"do": "map", "inputs": {"x": one, "y": chance.choice(numbers or [""])}, "expr": "x + y"},
            "number",
        ),
    }
    said, gives = made[kind]
    return step | said, gives


def random_composite(chance):
    roles = {
        name: {
            "capability": "read",
            "quantity": "Temperature",
            "place": f"hq/{name}",
            "unit": "Cel",
            "freshness": 100_000,
            "count": "1..",
        }
        for name in SENSORS
    }
    roles["all"] = {**roles["a"], "place": "hq"}
    roles["warmer"] = {"capability": "increase", "quantity": "Temperature", "place": "hq", "count": "0..1"}
    steps, numbers, truths, pulses = [], [], [], []
    for at in range(chance.randint(3, 9)):
        step, gives = step_of(chance, at, numbers, truths, pulses, [*SENSORS, *SENSORS, "all"])
        steps.append(step)
        {"number": numbers, "truth": truths, "pulse": pulses, "word": []}[gives].append(step["id"])
    words = {"number": "number", "truth": "boolean"}
    if truths:
        steps.append({"id": "drive", "do": "drive", "role": "warmer", "input": chance.choice(truths)})
    derives = {
        f"d-{name}": {"from": name, "type": words[kind]}
        for kind, found in (("number", numbers), ("truth", truths))
        for name in chance.sample(found, min(2, len(found)))
    }
    emits = {
        f"e-{name}": {"from": name} for name in [each["id"] for each in steps if each["id"] != "drive"][-2:]
    }
    template = Template.model_validate(
        {
            "name": "random",
            "title": "random",
            "parameters": {"type": "object"},
            "roles": roles,
            "steps": steps,
            "derives": derives,
            "emits": emits,
            "settings": {"level": {"type": "number", "default": 21}},
        }
    )
    return compose(template, {}, "whole", "random")


def tiers_of(composite):
    """For each step the tiers at which it can have what it works on."""
    ways = {}
    anywhere = everywhere(composite)
    for wire in composite.wires:
        found = [TREE[SENSORS[role]] for role in roles_of(wire) if role in SENSORS]
        for role in roles_of(wire):
            if role == "all":
                found.append(("core",))
            elif role.startswith("all@"):
                found.append(TREE[role.removeprefix("all@")])
        found += [ways[source] for _, source in wire.sources if source not in anywhere]
        ways[wire.step.id] = (
            tuple(tier for tier in found[0] if all(tier in way for way in found)) if found else ("core",)
        )
    return ways


def placed(chance, composite):
    """A random placement in which no value comes to one step by two ways, one longer than the other."""
    for attempt in range(40):
        where = tried(chance, composite, lazy=attempt / 40)
        together = {}
        for wire in composite.wires:
            if wire.step.id not in where:
                continue
            here = where[wire.step.id]
            for role in roles_of(wire) if wire.step.id != "drive" else ():
                for thing in READ.get(role, role):
                    together.setdefault(thing, set()).add(here)
            for _, source in wire.sources:
                if where.get(source, here) != here:
                    together.setdefault(source, set()).add(here)
        if all(len(tiers) == 1 for tiers in together.values()):
            return where
    return dict.fromkeys(where, "core")


def tried(chance, composite, lazy):
    anywhere, where, ways = everywhere(composite), {}, tiers_of(composite)
    for wire in composite.wires:
        if wire.step.id in anywhere:
            continue
        way = ways[wire.step.id]
        lowest = max((way.index(where[s]) for _, s in wire.sources if where.get(s) in way), default=0)
        stays = way[lowest:] if chance.random() < lazy else way[lowest : lowest + 2]
        where[wire.step.id] = chance.choice(stays or way[-1:])
    return where


class Watched(World):
    """A world that takes down what a thing says and is told."""

    def __init__(self):
        super().__init__()
        self.heard = []
        self.last = {}
        self.composites.allow_by(None)  # there is no service that they act for
        self.things.interaction.permit = None
        self.things.observers.listen("test", self._read, self._occurred)
        self.things.registry.gateway_of = lambda thing: next(
            (tier for name, tier in SENSORS.items() if thing == f"urn:dev:{name}" and tier != "core"), None
        )

    def _read(self, watcher, thing, name, reading):
        if self.last.get(name) != (value := json.dumps(reading.value)):
            self.last[name] = value
            self.heard.append((reading.received, name, value))

    def _occurred(self, watcher, thing, name, reading):
        self.heard.append((reading.received, f"event {name}", json.dumps(reading.value)))

    def said_of(self, name):
        return [(at, value) for at, each, value in self.heard if each == name]

    def deploy(self, *composites):
        for name in SENSORS:
            self.sensor(name, place=f"hq/{name}")
            self.measure(name, 20.0)
        self.actuator("heater", place="hq/a")
        for each in composites:
            for name in each.derives:
                self.things.observers.watch("test:1", each.thing, name)
            for name in each.emits:
                self.things.observers.watch("test:1", each.thing, name, event=True)
            self.batch(lambda each=each: self.composites.deploy(each))
        self.later(1)
        self.heard.clear()  # while not all of them are there they say what they say


def lived(world, seed):
    chance = random.Random(seed)
    for _ in range(60):
        for name in chance.sample(list(SENSORS), chance.choice([1, 1, 2])):
            late = chance.choice([0, 0, 0, 1500])
            world.measure(name, chance.choice([16.0, 19.5, 20.0, 21.25, 24.0, 30.1]), at=world.now - late)
        world.later(chance.choice([0.5, 1, 2, 7, 20]))
    return world.told()


@pytest.mark.parametrize("seed", range(14))
def test_the_parts_say_what_the_whole_says(seed):
    chance = random.Random(seed)
    composite = random_composite(chance)
    whole, parts = Watched(), Watched()
    whole.deploy(composite)
    portions = {
        step: ("hut", "barn", "core")
        for step, role in portionable(composite).items()
        if role == "all" and chance.random() < 0.7
    }
    made = with_portions(composite, portions)
    # Here all are in one registry; at a gateway there are its own things and no others.
    for tier, place in (("hut", "hq/a"), ("barn", "hq/c")):
        if f"all@{tier}" in made.roles:
            made.roles[f"all@{tier}"] = msgspec.structs.replace(made.roles[f"all@{tier}"], place=place)
    where = placed(chance, made)
    # Of timers of one moment those below come first.
    names = {"core": "whole", "gw": "part-2", "barn": "part-1", "hut": "part-0"}
    split_up = split(made, where, "core", names.__getitem__, {"level": 21})
    parts.deploy(*(split_up.by_tier[tier] for tier in names if tier in split_up.by_tier))
    expected = lived(whole, seed)
    told = lived(parts, seed)
    for name in {name for _, name, _ in whole.heard + parts.heard}:
        assert parts.said_of(name) == whole.said_of(name), name
    assert [value for _, value in told] == [value for _, value in expected]
