"""Steps move again when a policy, a line or a node changes, with what they remember, and not to and fro.

Two daemons on stores of their own, and the line between them, in one process; what a gateway says of itself
and of its policies comes the way it comes.
"""

import math
from datetime import UTC

import pytest
from diat_gateway.keeping import Keeping

from diat.adapters.sql.record import SqlRecord as Record
from diat.security.cedar import Compiled, statements
from diat.security.decisions import Decisions
from diat.security.policy import read_document
from diat.service.placement.placing import HERE
from diat.service.placement.reviewing import MEASURES, Reviewer
from diat.service.templates import read_template
from tests.unit.gateway.test_parts import COUNT, MEANS, Looked, Pair, sums
from tests.unit.gateway.tiers import ABOVE

ALL = {"five", "level", "cold", "heat"}


class House(Pair):
    """The pair, with somebody who looks where steps had better run, and a gateway that says how it is."""

    def __init__(self, path, **usual):
        super().__init__(path, **usual)
        daemon = Looked(self.core.things, Record(self.core.engine), self.core.time, Decisions(UTC))
        self.reviewer = Reviewer(daemon, self.core.services.placings, math.inf)
        self.keeping = Keeping(
            self.gateway.uplink,
            self.gateway.things,
            self.gateway.decider,
            ABOVE,
            self.gateway.change,
            self.gateway.time,
        )
        self.boot = 0
        self.say(roundTrip=0.02, linger=1.0, carries=131072, price=1, cpuFree=2, memoryFree=500, battery=1)

    def say(self, **figures):
        """What the gateway says of itself."""
        self.boot += 1
        body = {"b": f"f{self.boot}", "n": 1, "t": self.clock.now, "v": figures}
        self.core.take(("diat/barn/properties", body))

    def look(self):
        """One look; whether anything moves."""
        moves = self.reviewer.look()
        for move in moves:
            self.core.change(move)
        self.rest()
        return bool(moves)

    def live(self, seconds, value=22.5, *, looks=True):
        """Readings for so long, one a second; how often something moved."""
        moved = 0
        for second in range(seconds):
            self.pass_by()
            self.measure(value + second % 3)
            self.rest()
            if looks and second % 3 == 2:
                moved += self.look()
        return moved

    def policy(self, **document):
        """The gateway has this policy alone; none if nothing is said of it."""
        found = statements("p", read_document({"operations": ["send-up"], **document})) if document else []
        self.gateway.decider.rest_on(Compiled(found))

    def keep(self):
        """The gateway looks what policies keep."""
        self.keeping.look()
        self.rest()

    def replace(self, text):
        """Another service in place of the one there is."""
        self.core.change(lambda: self.core.services.delete(self.service))
        template = read_template(text.replace("name: counting", "name: another"))
        self.core.change(lambda: self.core.templates.add(template))
        self.service = self.core.change(lambda: self.core.services.create("s", template.name, {})).id
        self.rest()

    @property
    def told(self):
        return [b'"on":true' in each.payload for each in self.gateway.sent if each.topic == "diat/heater/set"]


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.close()


def test_a_policy_brings_down_what_it_keeps_and_nothing_is_lost(house):
    first = len(house.sent) - 1
    house.live(7)
    assert house.here() == {}
    house.policy(effect="deny", what={"things": ["urn:dev:th"]})
    # These are heard by nobody above, and the service above does not know yet that it is to move.
    house.live(8, 18.0, looks=False)
    house.keep()
    assert house.look(), "what must not leave is brought down at once"
    assert house.here().keys() == ALL
    house.live(4)
    said = house.reviewer.why(house.service)
    assert [step for step, each in said.items() if each.by == "policy"] == ["five", "level", "cold"]
    assert "a policy keeps temperature of Thermometer at barn" in said["five"].text
    assert house.said() == sums(house.sent[first:])
    assert True in house.told
    raw = [values for _, values in house.core.history("urn:dev:th")]
    assert len(raw) < len(house.sent) - 10


def test_what_was_kept_before_a_service_was_there_is_none_of_its(house):
    house.policy(effect="deny", what={"things": ["urn:dev:th"]})
    house.live(6, looks=False)
    house.keep()
    house.replace(COUNT)
    since = len(house.sent)
    house.live(9)
    assert house.here().keys() == ALL
    house.live(8)
    assert house.said() == sums(house.sent[since:])


def test_what_cannot_be_is_told(house):
    house.replace(COUNT.replace("{from: five, type: number}", "{from: level, type: number}"))
    house.policy(effect="deny", what={"things": ["urn:dev:th"]})
    house.keep()
    house.live(6)
    assert "a policy keeps temperature of Thermometer at barn" in house.reviewer.why(house.service)


def test_a_policy_that_is_taken_back_lets_it_travel_again(house):
    house.policy(effect="deny", what={"things": ["urn:dev:th"]})
    house.keep()
    assert house.core.things.tiers.kept("urn:dev:th", "temperature") == "barn"
    house.core.restart()
    assert house.core.things.tiers.kept("urn:dev:th", "temperature") == "barn"
    house.policy()
    house.keep()
    assert house.core.things.tiers.kept("urn:dev:th", "temperature") is None


def test_a_line_that_becomes_slow_brings_down_what_must_answer_soon(house):
    first = len(house.sent)
    house.replace(COUNT.replace("parameters:", "latency: 3\nparameters:"))
    assert house.live(12) == 0
    house.say(roundTrip=6.0)
    assert house.live(3) == 1
    assert house.here().keys() >= {"level", "cold", "heat"}
    assert house.placing.phase == "rests"
    house.live(10)
    why = house.reviewer.why(house.service)["heat"]
    assert why.by == "latency"
    assert "answers after 7.00 s, 3 s are asked for" in why.text
    assert house.said() == sums(house.sent[first:])


def test_what_goes_to_and_fro_moves_nothing_to_and_fro(house):
    house.live(int(MEASURES) + 6)
    assert house.here().keys() == ALL
    moved = 0
    for _ in range(12):
        house.say(cpuFree=0.0, memoryFree=0.0)
        moved += house.live(9, looks=True)
        house.say(cpuFree=2.0, memoryFree=500.0)
        moved += house.live(9, looks=True)
    assert moved <= 6


def test_what_is_metered_is_worth_a_move(house):
    house.replace(MEANS)
    house.say(price=0.001)
    assert house.live(int(MEASURES) + 12) == 0
    assert house.reviewer.why(house.service)["mean"].by == "stays"
    house.say(price=10)
    assert house.live(3) == 1
    house.live(9)
    assert house.reviewer.why(house.service)["mean"].by == "bytes"


def test_a_node_that_has_no_memory_left_gets_nothing(house):
    house.say(memoryFree=0.0)
    house.live(int(MEASURES) + 30)
    why = house.reviewer.why(house.service)
    assert house.here() == {}
    assert why["five"].by == "room"
    assert "memory" in why["five"].text
    house.say(memoryFree=500.0)
    house.live(30)
    assert house.here().keys() == ALL


def test_a_gateway_on_a_battery_is_spared(house):
    house.replace(MEANS)
    house.say(battery=0.01, price=0.1)
    assert house.live(int(MEASURES) + 12) == 0
    assert house.reviewer.why(house.service)["mean"].by == "effort"
    house.say(battery=1)
    assert house.live(3) == 1


def test_nothing_begins_to_move_while_the_line_is_cut(house):
    house.live(int(MEASURES) - 9)
    house.cut()
    assert house.live(30) == 0
    assert house.placing.phase == "rests"
    house.meet()
    assert house.placing.where.get("five", HERE) == HERE
    assert house.live(30) == 1
