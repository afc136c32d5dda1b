"""Parts of services at gateways: steps move there and back, with what they remember, and nothing is lost.

Two daemons on stores of their own, and the line between them, in one process.
"""

from __future__ import annotations

import math
import random
from datetime import UTC
from typing import NamedTuple

import pytest
from diat_gateway.kept import hosted
from diat_gateway.parts import Parts
from diat_gateway.withheld import Withheld

from diat.adapters.sql.record import SqlRecord as Record
from diat.cvol.execution import CompositeLayer
from diat.kernel.ids import random_id
from diat.security.decisions import Decisions
from diat.service.layer import ServiceLayer
from diat.service.placement.placing import HERE
from diat.service.placement.reviewing import Reviewer
from diat.service.templates import Templates, read_template
from diat.vol.pushdown import Rule
from tests.unit.gateway.tiers import Clock, Core, Gateway, Line

COUNT = """
name: counting
title: How many, and how much
parameters: {type: object, properties: {edge: {type: number, default: 20}}}
roles:
  sensors: {capability: read, quantity: Temperature, unit: Cel, count: "1..", freshness: 100000000}
  heater: {capability: increase, quantity: Temperature, count: "0..1"}
steps:
  - {id: five, do: window, role: sensors, kind: count, size: 5, aggregate: sum}
  - {id: level, do: latest, role: sensors}
  - {id: cold, do: hysteresis, input: level, "on": below, low: "{{edge}}", high: 24}
  - {id: heat, do: drive, role: heater, input: cold, otherwise: false}
derives:
  sum: {from: five, type: number}
  cold: {from: cold, type: boolean}
emits:
  cold: {from: cold}
"""
MEANS = """
name: means
title: Means, and whether one is high
parameters: {type: object}
roles:
  sensors: {capability: read, quantity: Temperature, unit: Cel, count: "1..", freshness: 100000000}
steps:
  - {id: mean, do: window, role: sensors, kind: tumbling, size: 10, aggregate: mean}
  - {id: high, do: hysteresis, input: mean, "on": above, low: 21.5, high: 22.5}
  - {id: warm, do: map, input: mean, expr: "value > 22"}
derives:
  mean: {from: mean, type: number}
emits:
  high: {from: high}
"""
THERMOMETER = {
    "title": "Thermometer",
    "properties": {
        "temperature": {
            "type": "number",
            "unit": "Cel",
            "@type": "quantitykind:Temperature",
            "readOnly": True,
        }
    },
}
HEATER = {
    "title": "Heater",
    "properties": {
        "on": {
            "type": "boolean",
            "idempotent": True,
            "diat:affects": {"quantity": "Temperature", "direction": "increase"},
        }
    },
}


def layers(node):
    """The layers above the first, over what the store has."""
    node.composites = CompositeLayer(node.ledger, node.things, node.time, node.store.composites())
    node.templates = Templates(node.ledger, node.store.templates())
    node.services = ServiceLayer(
        node.ledger,
        node.things,
        node.composites,
        node.templates,
        node.time,
        random_id,
        node.store.services(),
        placings=node.store.placings(),
    )


class Above(Core):
    def extend(self):
        super().extend()
        layers(self)

    def tick(self):
        self.change(lambda: (self.composites.tick(self.time()), self.services.placings.tick()))
        super().tick()


class Below(Gateway):
    def extend(self):
        layers(self)
        super().extend()
        withheld = Withheld(self.uplink, self.things, Record(self.engine))
        say, kept = self.uplink.say, hosted(self.engine)
        self.parts = Parts(self.ledger, self.composites, self.name, say, withheld, kept)
        self.uplink.on_told = self.parts.told
        self.services.acting.elsewhere = self.parts.acts_as
        self.parts.begin()

    def welcomed(self):
        super().welcomed()
        self.parts.look(again=True)

    def tick(self):
        self.change(lambda: (self.composites.tick(self.time()), self.parts.look()))
        super().tick()


class Pair:
    """A core, a gateway with a thermometer and a heater, and a service of the core that uses them."""

    def __init__(self, path, seed=0, *, usual=None):
        self.clock = Clock()
        self.core = Above(path / "core", self.clock)
        self.gateway = Below(path / "gateway", self.clock, usual=usual)
        self.line = Line(self.core, self.gateway, seed)
        self.sent, self.n, self.up = [], 0, False
        self.gateway.take(("wot/td/th", THERMOMETER), ("wot/td/heater", HEATER))
        self.meet()
        self.measure(22.0)
        self.core.change(lambda: self.core.templates.add(read_template(COUNT)))
        made = self.core.change(lambda: self.core.services.create("counting", "counting", {}))
        self.service = made.id
        self.rest()

    def meet(self):
        self.line.meet()
        self.up = True
        self.rest()

    def cut(self):
        self.line.part()
        self.up = False

    def rest(self):
        if self.up:
            self.line.run()

    def measure(self, value):
        self.n += 1
        self.sent.append(value)
        body = {"b": 1, "n": self.n, "t": self.clock.now, "v": {"temperature": value}}
        self.gateway.take(("diat/th/properties", body))

    def pass_by(self, seconds=1):
        self.clock.now += round(seconds * 1000)
        self.core.tick()
        self.gateway.tick()

    def want(self, *steps):
        where = dict.fromkeys(steps, self.gateway.name)
        self.core.change(lambda: self.core.services.placings.want(self.service, where))

    @property
    def placing(self):
        return self.core.services.placings.committed(self.service)[1]

    def here(self):
        return {step: tier for step, tier in self.placing.where.items() if tier != HERE}

    def said(self, name="sum"):
        found = [
            values[name]
            for _, values in self.core.history(f"urn:diat:composite:{self.service}")
            if name in values
        ]
        return [value for at, value in enumerate(found) if at == 0 or value != found[at - 1]]

    def notes(self):
        return [each for each in self.gateway.notes("urn:dev:th") if "given up" in each]

    def close(self):
        self.core.stop()
        self.gateway.stop()


@pytest.fixture
def pair(tmp_path):
    made = Pair(tmp_path)
    yield made
    made.close()


def sums(values):
    """What the window must have said: the sum of every five."""
    found = [float(sum(values[at : at + 5])) for at in range(0, len(values) - 4, 5)]
    return [value for at, value in enumerate(found) if at == 0 or value != found[at - 1]]


def test_steps_move_down_with_what_they_remember(pair):
    for value in (21.0, 21.5):
        pair.pass_by()
        pair.measure(value)
    pair.rest()
    start = pair.core.composites.states.committed[pair.service].steps["five"]["open"][0]
    pair.want("five", "level", "cold", "heat")
    pair.rest()
    assert pair.placing.phase == "rests"
    assert pair.here() == dict.fromkeys(("five", "level", "cold", "heat"), "barn")
    part = pair.gateway.composites.states.committed[f"{pair.service}--barn"]
    assert part.steps["five"]["open"][0] == start
    for value in (23.0, 19.0, 18.0, 25.0, 22.0, 20.5):
        pair.pass_by()
        pair.measure(value)
    pair.rest()
    assert pair.said() == sums(pair.sent[3 - start :])
    assert pair.said("cold")[-2:] == [True, False]
    told = [each for each in pair.gateway.sent if each.topic == "diat/heater/set"]
    assert [b'"on":true' in each.payload for each in told][-2:] == [True, False]


def test_what_is_read_above_no_longer_travels(pair):
    pair.want("five", "level", "cold", "heat")
    pair.rest()
    for _ in range(20):
        pair.pass_by()
        pair.measure(22.5)
    pair.rest()
    assert pair.core.things.pushdown.pushed.committed["urn:dev:th"].needs == {}
    assert pair.gateway.uplink.rules("urn:dev:th") == {}


def test_what_is_too_much_to_wait_is_counted_and_told(pair, monkeypatch):
    monkeypatch.setattr("diat.cvol.composite.MOST_HELD", 4)
    pair.want("five")
    pair.line.tell()  # it is told to stop, and its mark is on the way: from here on it waits
    for value in range(1, 10):
        pair.measure(float(value))
    assert pair.notes() == []
    pair.rest()
    (note,) = pair.notes()
    assert note.endswith("what its steps remembered: 5 readings were given up")
    assert pair.said() == [22 + 6 + 7 + 8 + 9]


def test_a_service_that_ends_lets_go_at_the_gateway(pair):
    pair.want("five", "level", "cold", "heat")
    pair.rest()
    pair.pass_by()
    pair.measure(15.0)
    pair.rest()
    pair.core.change(lambda: pair.core.services.delete(pair.service))
    pair.rest()
    told = [each for each in pair.gateway.sent if each.topic == "diat/heater/set"]
    assert [b'"on":true' in each.payload for each in told] == [True, False]
    assert pair.gateway.composites.everything() == []


class Looked(NamedTuple):
    """What a review looks at."""

    things: object
    record: object
    clock: object
    decider: object


def test_what_is_predicted_is_what_travels(tmp_path):
    pair = Pair(tmp_path, usual=Rule(every=900))
    try:
        predicted_and_measured(pair)
    finally:
        pair.close()


def predicted_and_measured(pair):
    pair.core.change(lambda: pair.core.services.delete(pair.service))
    pair.core.change(lambda: pair.core.templates.add(read_template(MEANS)))
    pair.service = pair.core.change(lambda: pair.core.services.create("means", "means", {})).id
    pair.rest()
    placings = pair.core.services.placings
    daemon = Looked(pair.core.things, Record(pair.core.engine), pair.core.time, Decisions(UTC))
    reviewer = Reviewer(daemon, placings, math.inf)
    chance, moves = random.Random(3), []
    for second in range(90):
        pair.pass_by(0.99)
        pair.clock.now += chance.randint(0, 20)
        pair.measure(round(chance.uniform(18, 26), 2))
        pair.rest()
        if second % 3 == 0 and not moves:
            moves = reviewer.look()
    assert moves, "it is worth it"
    pair.core.change(moves[0])
    pair.rest()
    # The mean is told in any case: what follows from it is known above without a further byte.
    assert pair.here() == {"mean": "barn", "warm": "barn"}
    settled = pair.clock.now
    for second in range(240):
        pair.pass_by(0.99)
        pair.clock.now += chance.randint(0, 20)
        pair.measure(round(chance.uniform(18, 26), 2))
        pair.rest()
        if second % 20 == 0:
            reviewer.look()
    measured = reviewer.link("barn", settled).services[pair.service].bytes
    assert pair.placing.predicted["barn"] == pytest.approx(measured, rel=0.1)
    assert pair.placing.above["barn"] > 3 * measured


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_lost_or_doubled_whatever_happens(tmp_path, seed):
    pair, chance = Pair(tmp_path, seed), random.Random(seed)
    first = len(pair.sent) - 1
    try:
        for _ in range(60):
            pair.pass_by(chance.choice([0.2, 1, 20]))
            pair.measure(float(chance.randint(15, 28)))
            what = chance.random()
            if what < 0.12:
                pair.want(
                    *chance.choice(
                        [("five",), ("level", "cold", "heat"), (), ("five", "level", "cold", "heat")]
                    )
                )
            elif what < 0.2 and pair.up:
                pair.cut()
            elif what < 0.35 and not pair.up:
                pair.meet()
            elif what < 0.4:
                pair.gateway.restart()
                pair.up and pair.meet()
            elif what < 0.45:
                pair.line.told = len(pair.core.sent)  # what was not delivered is lost
                pair.core.restart()
                pair.core.change(pair.core.things.pushdown.connected)
                pair.up and pair.meet()
            elif pair.up and what < 0.8:
                pair.line.frame(times=chance.choice([1, 1, 2]))
                pair.line.tell(twice=chance.random() < 0.3)
        if not pair.up:
            pair.meet()
        for _ in range(6):
            pair.pass_by(20)
            pair.rest()
        assert pair.placing.phase == "rests"
        assert pair.said() == sums(pair.sent[first:])
    finally:
        pair.close()
