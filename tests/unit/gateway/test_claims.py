"""Who drives a thing of a gateway: what is wanted above and below counts at both gates, by the same rule."""

import pytest

from diat.kernel.errors import Conflict
from diat.vol.actuation import Order
from diat.vol.arbitration import ABOVE, BELOW, PERSON, Claim
from tests.unit.gateway.tiers import Line

NAME = "target"


@pytest.fixture
def claim(line, clock):
    """``claim(node, thing, holder, priority)``: somebody there wants its target; who drives it there then."""

    def claim(node, thing, holder="service", priority="automation", until=None):
        clock.now += 10
        arbiter = node.things.interaction.arbiter
        made = Claim(holder=holder, title=holder.title(), priority=priority, since=clock.now, names=(NAME,))
        node.change(lambda: arbiter.claim(thing, NAME, made))
        line.run()

    return claim


def drives(node, thing):
    """The holder that drives the target there; None if nobody does."""
    winner = node.things.interaction.arbiter.winner(thing, NAME)
    return winner.holder if winner is not None else None


def set_to(node, thing, value, line, **order):
    given = node.change(
        lambda: node.things.interaction.write(thing, NAME, value, node.time(), Order(**order))
    )
    line.run()
    return given


def told(gateway):
    return [each.payload for each in gateway.sent if each.topic == "diat/th1/set"]


def test_a_service_above_and_one_below_have_the_same_winner(core, gateway, line, thing, claim):
    claim(core, thing, "theirs")
    assert (drives(core, thing), drives(gateway, thing)) == ("theirs", ABOVE)
    claim(gateway, thing, "ours")
    assert (drives(core, thing), drives(gateway, thing)) == ("theirs", ABOVE), "the first of equals"
    claim(gateway, thing, "alarm", "safety")
    assert (drives(core, thing), drives(gateway, thing)) == (BELOW, "alarm")
    winner = core.things.interaction.arbiter.winner(thing, NAME)
    assert (winner.title, winner.priority) == ("Alarm", "safety")


def test_a_command_of_a_service_above_is_held_to_who_drives_here(core, gateway, line, thing, claim):
    claim(core, thing, "theirs")
    set_to(core, thing, 21, line, service="theirs")
    assert b'"target":21' in told(gateway)[-1]
    claim(gateway, thing, "alarm", "safety")
    with pytest.raises(Conflict, match="Alarm drives Thermometer"):
        set_to(core, thing, 22, line, service="theirs")
    assert len(told(gateway)) == 1


def test_what_is_let_go_above_is_free_below(core, gateway, line, thing, claim):
    claim(core, thing, "theirs")
    claim(gateway, thing, "ours", "convenience")
    assert drives(gateway, thing) == ABOVE
    core.change(lambda: core.things.interaction.arbiter.release_all("theirs", core.time()))
    line.run()
    assert (drives(core, thing), drives(gateway, thing)) == (BELOW, "ours")


def test_a_person_above_keeps_services_off_below_for_as_long_as_was_said(core, gateway, line, thing, claim):
    claim(gateway, thing, "ours")
    set_to(core, thing, 25, line, hold=600_000)
    assert b'"target":25' in told(gateway)[-1]
    assert (drives(core, thing), drives(gateway, thing)) == (PERSON, f"{ABOVE} {PERSON}")
    with pytest.raises(Conflict):
        set_to(gateway, thing, 18, line, service="ours")
    core.clock.now += 600_001
    core.tick()
    gateway.tick()
    line.run()
    assert (drives(core, thing), drives(gateway, thing)) == (BELOW, "ours")


def test_of_two_people_the_newer_holds(core, gateway, line, thing, clock):
    set_to(core, thing, 25, line)
    clock.now += 1000
    set_to(gateway, thing, 19, line)
    assert (drives(core, thing), drives(gateway, thing)) == (f"{BELOW} {PERSON}", PERSON)
    clock.now += 1000
    set_to(core, thing, 23, line)
    assert (drives(core, thing), drives(gateway, thing)) == (PERSON, f"{ABOVE} {PERSON}")


def test_after_a_cut_both_sides_know_who_drives(core, gateway, line, thing, claim, clock):
    claim(core, thing, "theirs")
    line.part()
    gateway.welcome = False
    gateway.claims.look()
    assert drives(gateway, thing) == ABOVE
    clock.now += 400_000
    gateway.change(gateway.claims.look)
    assert drives(gateway, thing) is None, "who sees and says nothing holds nothing"
    gateway.change(
        lambda: gateway.things.interaction.arbiter.claim(
            thing,
            NAME,
            Claim(holder="alarm", title="Alarm", priority="safety", since=clock.now, names=(NAME,)),
        )
    )
    again = Line(core, gateway)
    again.told = line.told
    again.meet()
    again.run()
    assert (drives(core, thing), drives(gateway, thing)) == (BELOW, "alarm")
    gateway.restart()
    core.restart()
    assert drives(core, thing) == BELOW
    gateway.change(lambda: gateway.things.interaction.arbiter.release_all("alarm", clock.now))
    again = Line(core, gateway)
    again.meet()
    again.run()
    assert (drives(core, thing), drives(gateway, thing)) == ("theirs", ABOVE)


def test_a_thing_without_its_gateway_is_free(core, gateway, line, thing, claim):
    claim(gateway, thing, "alarm", "safety")
    assert drives(core, thing) == BELOW
    core.change(lambda: core.things.tiers.move(thing, None))
    assert drives(core, thing) is None
