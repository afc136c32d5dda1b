"""What crosses from tier to tier for a service: counted where it is known, for this service alone."""

from datetime import UTC

import pytest

from diat.adapters.sql.record import SqlRecord as Record
from diat.security.decisions import Decisions
from diat.service.crossing import THINGS, Crossings, Leg
from diat.service.placement.placing import HERE, part_id
from diat.service.placement.reviewing import Reviewer
from diat.vol.traffic import packet
from diat.wire import frame, topics
from diat.wire.envelope import encode
from tests.unit.gateway.test_parts import THERMOMETER, Looked, Pair


@pytest.fixture
def pair(tmp_path):
    made = Pair(tmp_path)
    yield made
    made.close()


class Looking:
    """Somebody who looks at what crosses once a second."""

    def __init__(self, pair):
        self.pair = pair
        daemon = Looked(pair.core.things, Record(pair.core.engine), pair.core.time, Decisions(UTC))
        self.reviewer = Reviewer(daemon, pair.core.services.placings)
        self.crossings = Crossings(daemon, pair.core.services.placings, self.reviewer)

    def look(self):
        return self.crossings.of(self.pair.service)

    def live(self, seconds, beside=lambda: None):
        """The thermometer says two values a second; what crosses after so many seconds."""
        for second in range(seconds):
            for at in range(2):
                self.pair.pass_by(0.5)
                self.pair.measure(21.0 + (second + at) % 3)
            beside()
            self.pair.rest()
            self.look()
            if second % 10 == 0:
                self.report()
        return self.look()

    def report(self):
        """What the gateway says of what did not travel, and the look of whoever decides on placement."""
        untold = self.pair.gateway.uplink.heard.untold()
        entry = frame.entry(frame.untold("barn"), encode(untold))
        self.pair.core.take((topics.up("barn"), frame.pack([entry])))
        self.reviewer.look(moves=False)


def test_what_runs_above_is_read_over_the_line(pair):
    looking = Looking(pair)
    assert looking.look().seconds == 0
    lines = looking.live(30).lines()
    assert lines[THINGS, "barn"].messages == pytest.approx(2.0, abs=0.2)
    assert lines["barn", HERE].messages == pytest.approx(2.0, abs=0.2)
    assert lines["barn", HERE].bytes > 2 * len('{"v":{"temperature":21.0}}')
    assert (THINGS, HERE) not in lines


def test_what_runs_below_stays_there_but_for_what_it_tells(pair):
    pair.want("five", "level", "cold", "heat")
    pair.rest()
    lines = Looking(pair).live(40).lines()
    # A sum of every five, and whatever else it says: far less than what it reads.
    assert 0.2 < lines["barn", HERE].messages < 1.0
    assert lines[THINGS, "barn"].messages == pytest.approx(2.0, abs=0.3)


def test_what_things_say_and_are_told_themselves_is_counted_as_it_is_sent(pair):
    body = {"b": 1, "n": 0, "v": {"temperature": 22.0}}
    pair.core.take(("wot/td/near", THERMOMETER))
    pair.rest()
    looking = Looking(pair)

    def say():
        body["n"] += 1
        pair.core.take(("diat/near/properties", encode(body)))

    looking.live(1)
    legs = looking.live(20, say).legs
    near = legs[Leg(THINGS, HERE, "urn:dev:near", "temperature")]
    assert near.messages == pytest.approx(1.0, abs=0.1)
    size = packet("diat/near/properties", encode(body))
    assert near.bytes == pytest.approx(near.messages * size, rel=0.1)
    heater = Leg(HERE, "barn", "urn:dev:heater", "on")
    assert legs[heater].messages == 0
    body["v"]["temperature"] = 10.0
    assert looking.live(5, say).legs[heater].messages > 0


def test_only_what_somebody_looks_at_is_counted(pair):
    looking = Looking(pair)
    looking.live(2)
    meters = pair.core.things.intake.meters.by
    assert set(meters) == {"urn:dev:th", "urn:dev:heater"}
    pair.pass_by(120)
    looking.crossings.of("another")
    assert looking.look().seconds == 0
    pair.pass_by(120)
    pair.core.change(lambda: pair.core.services.delete(pair.service))
    looking.look()
    assert pair.core.things.intake.meters.by == {}


def test_the_part_is_told_apart_from_what_it_reads(pair):
    pair.want("five", "level", "cold", "heat")
    pair.rest()
    legs = Looking(pair).live(5).legs
    assert Leg("barn", HERE, part_id(pair.service, "barn"), "told") in legs
    assert Leg("barn", HERE, "urn:dev:th", "temperature") not in legs
