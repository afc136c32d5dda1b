"""What services above and at a gateway need of a node beside it: joined, told to it, and taken back."""

import json
import sys
from pathlib import Path

import pytest

from diat.vol.pushdown import Rule as Usual
from tests.unit.gateway.test_parts import HEATER, THERMOMETER, Above, Below
from tests.unit.gateway.tiers import Clock, Line

sys.path.insert(0, str(Path(__file__).parents[3] / "firmware"))

from diat_node.reporting import Rule

THING = "urn:dev:th"
ABLE = ["every", "delta", "above", "below", "mean", "min", "max", "silence"]
EDGES = {"above": 24.0, "below": 20.0, "every": 300.0, "delta": 0.0, "silence": 300.0}
WARM = {"quantity": "Temperature", "place": "hq", "low": 20, "high": 24, "unit": "Cel"}


class Beside:
    """A core, a gateway, a node of the firmware and a heater beside that."""

    def __init__(self, path):
        self.clock, self.n = Clock(), 0
        self.core = Above(path / "core", self.clock)
        self.gateway = Below(path / "gateway", self.clock, usual=Usual(every=900.0))
        self.line = Line(self.core, self.gateway)
        self.rule, self.known = Rule(), {}
        td = {**THERMOMETER, "diat:place": "hq", "diat:pushdown": ABLE, "diat:precision": "double"}
        self.gateway.take(("wot/td/th", td), ("wot/td/heater", {**HEATER, "diat:place": "hq"}))
        self.keep()
        self.line.meet()
        self.rest()
        self.sample(22.0)

    def keep(self):
        for each in (self.core, self.gateway):
            each.services.placings.needed.keep = 300.0
        placings, uplink = self.gateway.services.placings, self.gateway.uplink
        placings.needed.wanted_above, uplink.on_asked = uplink.whole, placings.again
        uplink.pushing.refused = placings.needed.refused

    def rest(self):
        self.line.run()
        self.obey()
        self.line.run()

    def obey(self):
        said = [each.payload for each in self.gateway.sent if each.topic == "diat/th/config"]
        config = json.loads(said[-1]) if said else {}
        if config and config != self.known:
            self.known = config
            self.rule = Rule(config["report"].get("temperature"))
            answer = {"id": config["id"], "status": "completed"}
            self.gateway.take(("diat/th/results", answer))

    @property
    def told(self):
        return self.known.get("report", {}).get("temperature", {})

    def sample(self, value):
        """The node measures; what it sends."""
        self.clock.now += 1000
        found = self.rule.take(value, self.clock.now, self.clock.now) if self.told else [(value, 0)]
        for each, _ in found:
            self.n += 1
            body = {"b": 1, "n": self.n, "t": self.clock.now, "v": {"temperature": each}}
            self.gateway.take(("diat/th/properties", body))
        self.core.tick()
        self.gateway.tick()
        self.rest()
        return [each for each, _ in found]

    def ask(self, node, template="keep-within", **parameters):
        made = node.change(lambda: node.services.create("asked", template, parameters or WARM))
        self.rest()
        return made.id

    def end(self, node, service):
        node.change(lambda: node.services.delete(service))
        node.change(node.services.placings.tick)
        self.rest()

    def commands(self):
        told = [each for each in self.gateway.sent if each.topic == "diat/heater/set"]
        return [json.loads(each.payload)["v"]["on"] for each in told]


@pytest.fixture
def beside(tmp_path):
    made = Beside(tmp_path)
    yield made
    made.core.stop()
    made.gateway.stop()


def test_what_a_service_above_needs_reaches_the_node_and_no_more_travels(beside):
    service = beside.ask(beside.core)
    assert beside.told == EDGES
    assert beside.gateway.uplink.rules(THING)["temperature"].steps() == EDGES
    before = len(beside.core.history(THING))
    samples = (22.0, 23.9, 21.0, 19.0, 18.0, 20.0, 24.0, 24.5, 26.0)
    sent = [value for each in samples for value in beside.sample(each)]
    assert sent == [22.0, 19.0, 20.0, 24.5]
    assert [each["temperature"] for _, each in beside.core.history(THING)[before:]] == sent
    assert beside.commands()[-2:] == [True, False]
    beside.end(beside.core, service)
    assert beside.told == {}
    assert beside.sample(22.2) == [22.2]


def test_a_service_at_the_gateway_is_joined_with_it(beside):
    above = beside.ask(beside.core)
    here = beside.ask(beside.gateway, "mean-of-place", quantity="Temperature", place="hq", unit="Cel")
    assert beside.told == {"delta": 0.0, "silence": 300.0}
    # What the node says now for the gateway goes no further than it must.
    before = len(beside.core.history(THING))
    assert [value for each in (22.1, 22.2, 19.0) for value in beside.sample(each)] == [22.1, 22.2, 19.0]
    assert [each["temperature"] for _, each in beside.core.history(THING)[before:]][-1:] == [19.0]
    assert len(beside.core.history(THING)) - before < 3
    beside.end(beside.gateway, here)
    assert beside.told == EDGES
    beside.end(beside.core, above)
    assert beside.told == {}


def test_after_a_restart_of_either_nothing_is_told_anew(beside):
    beside.ask(beside.core)
    told = [each.payload for each in beside.gateway.sent if each.topic == "diat/th/config"]
    before = beside.core.things.pushdown.pushed.committed[THING]
    beside.sample(22.0)
    beside.core.restart()
    beside.keep()
    beside.gateway.restart()
    beside.keep()
    beside.line.told = 0
    beside.core.sent.clear()
    beside.line.meet()
    beside.rest()
    assert beside.core.things.pushdown.pushed.committed[THING].reference == before.reference
    assert beside.told == EDGES
    assert beside.sample(22.3) == []
    assert beside.sample(19.0) == [19.0]
    assert len(told) >= 1


def test_a_node_that_refuses_is_told_to_send_everything(beside):
    beside.core.change(lambda: beside.core.services.create("asked", "keep-within", WARM))
    beside.line.run()
    said = [json.loads(each.payload) for each in beside.gateway.sent if each.topic == "diat/th/config"]
    answer = {"id": said[-1]["id"], "status": "failed", "error": "temperature: no"}
    beside.gateway.take(("diat/th/results", answer))
    beside.gateway.change(beside.gateway.services.placings.tick)
    beside.rest()
    assert beside.told == {}
    # The gateway does it for it.
    before = len(beside.core.history(THING))
    for value in (22.5, 22.6, 19.0):
        beside.sample(value)
    assert [each["temperature"] for _, each in beside.core.history(THING)[before:]][-1] == 19.0
    assert len(beside.core.history(THING)) - before < 3
