"""A spool that is full makes room: within a stated bound, alarms never, and the core misses nothing."""

import math
from concurrent.futures import Future

import msgspec
import pytest
from diat_gateway.drain import Drain
from diat_gateway.settings import LineSettings
from diat_gateway.spool import Spool
from diat_gateway.thinning import Thinning

from diat.adapters.brokers.address import BrokerAddress
from diat.wire import frame
from tests.unit.gateway.test_line import report

LINE = LineSettings(above=BrokerAddress("127.0.0.1", 1883), name="barn", spool=60_000, catch_up=1e9)


@pytest.fixture
def thinning(gateway):
    """``thinning(**settings)``: of the gateway, in this thread."""
    made = []

    def make(**settings):
        def submit(change):
            done = Future()
            done.set_result(gateway.change(change))
            return done

        line = msgspec.structs.replace(LINE, **settings)
        found = Thinning(gateway.ledger, gateway.uplink, gateway.drain, Spool(gateway.engine), line, submit)
        made.append(found)
        return found

    yield make
    for each in made:
        each.stop()


def wave(n):
    """A slow wave with a little noise: much of it can be given up."""
    return round(20 + 5 * math.sin(n / 40) + 0.02 * ((n * 7919) % 11 - 5), 3)


def fill(gateway, clock, many=1500, alarms=(), value=wave):
    said, batch = {}, []
    for n in range(1, many + 1):
        clock.now += 1000
        said[clock.now] = value(n)
        batch.append(report(n, said[clock.now], clock.now))
        if n in alarms:
            batch.append(("diat/th1/events/alarm", {"b": 2, "n": n, "t": clock.now, "data": n}))
        if n % 50 == 0:
            gateway.take(*batch)
            batch.clear()
    return said


def test_what_is_given_up_is_within_the_stated_bound(core, gateway, line, thing, clock, thinning):
    line.part()
    said = fill(gateway, clock, alarms=(100, 200))
    made = thinning()
    given = made.look()
    assert given > 500
    assert gateway.uplink.lanes.bytes <= LINE.spool
    assert gateway.uplink.lanes.bytes == Spool(gateway.engine).size()[1]
    bound = gateway.uplink.passed.committed["th1"].off["temperature"]
    line.meet()
    line.run()

    came = {observed: values["temperature"] for observed, values in core.history(thing)}
    assert len(came) == len(said) - given
    assert came.items() <= said.items()
    standing = None
    for at, value in said.items():
        standing = came.get(at, standing)
        assert abs(value - standing) <= bound + 1e-9
    assert bound < 5
    assert len(core.events(thing, "alarm")) == 2
    assert core.things.twin(thing).missing() == []
    assert max(came) == max(said)
    assert any("within" in each for each in core.notes(thing))


def test_what_is_on_its_way_is_left_alone(core, gateway, line, thing, clock, thinning):
    line.part()
    fill(gateway, clock)
    line.meet()
    line.tell()
    entries, rows = gateway.drain.next()
    made = thinning()
    made.look()
    gateway.change(lambda: gateway.uplink.lanes.reach(rows))
    gateway.drain.gone(rows)
    core.take(("diat/barn/up", frame.pack(entries)))
    line.run()
    assert core.things.twin(thing).missing() == []


def test_what_cannot_be_told_within_any_bound_goes_oldest_first(core, gateway, line, thing, clock, thinning):
    line.part()
    fill(gateway, clock, 1200, value=lambda n: 20 + n % 2 * 9)
    made = thinning(spool=30_000)
    made.look()
    assert gateway.uplink.lanes.bytes <= 30_000
    line.meet()
    line.run()
    came = core.history(thing)
    assert came[-1][0] == clock.now
    assert core.things.twin(thing).missing() == []


def test_catching_up_in_time_demands_it_too(gateway, line, thing, clock, thinning):
    line.part()
    fill(gateway, clock, 600)
    made = thinning(budget=100.0, catch_up=100.0, spool=10**9)
    assert made.look() > 0


def test_nothing_is_given_up_while_there_is_room(gateway, line, thing, clock, thinning):
    fill(gateway, clock, 50)
    assert thinning().look() == 0


def test_a_budget_holds_frames_back(gateway, line, thing, clock):
    fill(gateway, clock, 300)
    drain = Drain(Spool(gateway.engine), gateway.uplink, 1000.0, 0.0)
    assert drain.may_send()
    entries, _ = drain.next()
    drain.sent("diat/barn/up", b"x" * 200_000, sum(map(len, entries)))
    assert not drain.may_send()
    assert drain.patience(5.0) == 5.0
    drain.close()
