"""What policies of a gateway keep there, hold back or coarsen goes up so, and not otherwise."""

from datetime import UTC

import pytest
from diat_gateway.leaving import Leaving

from diat.security.cedar import Compiled, statements
from diat.security.decisions import Decisions
from diat.security.policy import read_document
from tests.unit.gateway.test_line import report, values
from tests.unit.gateway.tiers import ABOVE, Line

HOUR = 3_600_000


@pytest.fixture
def under(gateway):
    """``under(document)``: the gateway has that policy."""

    def under(document):
        decisions = Decisions(UTC)
        decisions.rest_on(Compiled(statements("p", read_document({"operations": ["send-up"], **document}))))
        gateway.uplink._leaving = Leaving(decisions, ABOVE, b"key")

    return under


def said(core, gateway, line, clock, many=3, every=1000):
    for n in range(1, many + 1):
        clock.now += every
        gateway.take(report(n, 20.26 + n, clock.now))
    line.run()
    return values(core, "urn:dev:th1")


def test_what_is_denied_stays(core, gateway, line, thing, clock, under):
    under({"effect": "deny", "what": {"things": [thing]}})
    assert said(core, gateway, line, clock) == []
    assert len(gateway.history(thing)) == 3


def test_what_is_rounded_goes_rounded(core, gateway, line, thing, clock, under):
    under({"effect": "modify", "modify": {"round": 1}})
    assert said(core, gateway, line, clock) == [21, 22, 23]


def test_of_an_interval_the_first_goes_at_its_beginning(core, gateway, line, thing, clock, under):
    under({"effect": "modify", "modify": {"coarsen": "PT1H"}})
    said(core, gateway, line, clock, many=6, every=HOUR // 3)
    came = core.history(thing)
    assert [at % HOUR for at, _ in came] == [0] * len(came)
    assert len({at for at, _ in came}) == len(came) == 3


def test_what_is_held_back_goes_when_it_may_over_a_restart(core, gateway, line, thing, clock, under):
    document = {"effect": "delay", "delay": "PT10M"}
    under(document)
    assert said(core, gateway, line, clock) == []
    gateway.take(("diat/th1/events/alarm", {"b": 1, "n": 9, "t": clock.now, "data": 1}))
    gateway.restart()
    under(document)
    again = Line(core, gateway)
    again.told = line.told
    again.meet()
    again.run()
    assert values(core, thing) == []
    clock.now += 600_000
    gateway.tick()
    again.run()
    assert values(core, thing) == [21.26, 22.26, 23.26]
    assert len(core.events(thing, "alarm")) == 1
    assert gateway.uplink.lanes.rows == 0
    assert core.things.twin(thing).missing() == []
