"""Envelopes as services meet them: wishes are clamped, wait for their time, and are not forgotten."""

from __future__ import annotations

import pytest

from diat.kernel.errors import Invalid, TooSoon
from tests.unit.cvol.conftest import World

FOLLOW = """
name: follow
title: Follow
parameters: {type: object, properties: {most: {type: number, default: 1000}}}
roles:
  source: {capability: read, quantity: Temperature, unit: Cel, freshness: 1000000}
  target: {capability: set, quantity: Temperature, unit: Cel, count: "0..", envelope: {max: "{{most}}"}}
steps:
  - {id: level, do: latest, role: source}
  - {id: drive, do: drive, role: target, input: level, otherwise: 10}
"""
HEAT, REST = ("heater", True), ("heater", False)


def boiler(world: World, unit: str = "Cel", **envelope: float) -> None:
    prop = {"type": "number", "unit": unit, "@type": "quantitykind:Temperature", "readOnly": False}
    world.announce(
        "boiler", **{"diat:place": "hq/1", "properties": {"target": prop | {"diat:envelope": envelope}}}
    )


@pytest.fixture
def house(kept_world: World) -> World:
    kept_world.sensor("meter")
    kept_world.measure("meter", 18.0)
    kept_world.template(FOLLOW)
    kept_world.later(10_000)
    return kept_world


def compressor(world: World, **envelope: float) -> None:
    world.actuator("heater", **{"diat:envelope": envelope})
    world.later(10_000)
    world.measure("meter", 18.0)


class TestLimits:
    def test_a_wish_beyond_is_clamped_and_told(self, house):
        boiler(house, min=15, max=60)
        house.service("follow")
        house.measure("meter", 80.0)
        assert house.obey() == [("boiler", 18.0), ("boiler", 60.0)]
        house.measure("meter", 90.0)
        assert house.told() == [], "it is at its limit already"
        (line,) = house.things.diagnostics.of("urn:dev:boiler")
        assert "wants target at 80.0: its limits allow 60.0" in line.text

    def test_a_person_beyond_is_refused(self, house):
        boiler(house, min=15, max=60)
        with pytest.raises(Invalid, match="safety envelope"):
            house.batch(lambda: house.things.interaction.write("urn:dev:boiler", "target", 80, house.now))

    def test_the_limits_of_a_role_are_in_its_own_unit(self, house):
        boiler(house, unit="K")
        house.service("follow", most=50)
        house.measure("meter", 80.0)
        assert [value for _, value in house.obey()] == [pytest.approx(291.15), pytest.approx(323.15)]

    def test_what_is_let_go_is_clamped_as_well(self, house):
        boiler(house, min=15, max=60)
        service = house.service("follow")
        house.obey()
        house.delete(service)
        assert house.obey() == [("boiler", 15.0)]


class TestTime:
    def test_it_waits_and_comes_at_its_time(self, house):
        compressor(house, **{"min-on": 300})
        house.keep(20, 24)
        assert house.obey() == [HEAT]
        house.later(10)
        house.measure("meter", 30.0)
        house.later(289)
        assert house.obey() == []
        house.later(1)
        assert house.obey() == [REST]

    def test_a_restart_does_not_forget_it(self, house):
        compressor(house, **{"min-on": 300})
        house.keep(20, 24)
        house.obey()
        house.later(10)
        house.measure("meter", 30.0)
        house.restart(away=100)
        assert house.obey() == []
        house.later(191)
        assert house.obey() == [REST]

    @pytest.mark.parametrize("how", ["paused", "deleted", "stale"])
    def test_what_is_let_go_too_soon_is_brought_to_rest_later(self, house, how):
        compressor(house, **{"min-on": 300})
        service = house.keep(20, 24)
        house.obey()
        house.later(10)
        if how == "paused":
            house.pause(service)
        elif how == "deleted":
            house.delete(service)
        else:
            house.status("meter", "offline")
        house.restart(away=100)
        assert house.obey() == []
        house.later(191)
        assert house.obey() == [REST]
        house.later(1000)
        assert house.obey() == []

    def test_somebody_who_wants_it_meanwhile_takes_it_over_as_it_is(self, house):
        compressor(house, **{"min-on": 300})
        service = house.keep(20, 24)
        house.obey()
        house.later(10)
        house.pause(service)
        house.keep(20, 25)
        house.later(1000)
        assert house.obey() == []

    def test_what_was_switched_at_the_thing_itself_counts(self, house):
        compressor(house, **{"min-off": 300})
        house.keep(20, 24)
        house.obey()
        house.later(100)
        house.report("heater", on=False)
        house.measure("meter", 18.0)
        house.later(299)
        assert house.obey() == []
        house.later(1)
        assert house.obey() == [HEAT]

    def test_of_a_thing_that_nobody_knows_the_worst_is_assumed(self, house):
        house.actuator("heater", **{"diat:envelope": {"min-off": 300}})
        house.keep(20, 24)
        house.later(299)
        house.measure("meter", 18.0)
        assert house.obey() == []
        house.later(1)
        assert house.obey() == [HEAT]

    def test_what_it_says_of_itself_is_known(self, house):
        house.actuator("heater", **{"diat:envelope": {"min-off": 300}})
        house.later(100)
        house.report("heater", on=False)
        for _ in range(5):
            house.later(50)
            house.report("heater", on=False)
        house.measure("meter", 18.0)
        house.keep(20, 24)
        house.later(49)
        assert house.obey() == []
        house.later(1)
        assert house.obey() == [HEAT], "off since it first said so, not since it last did"

    def test_other_hardware_is_not_known(self, house):
        compressor(house, **{"min-off": 300})
        house.keep(20, 24)
        house.obey()
        house.measure("meter", 30.0)
        house.obey()
        house.later(1000)
        house.actuator("new", place="hq/9", **{"diat:envelope": {"min-off": 300}})
        house.batch(lambda: house.things.replace_hardware("urn:dev:heater", "urn:dev:new"))
        house.measure("meter", 18.0)
        house.later(299)
        assert ("new", True) not in house.obey()
        house.later(1)
        assert house.obey() == [("new", True)]

    def test_what_leaves_late_counts_from_when_it_leaves(self, house):
        compressor(house, **{"min-on": 60})
        send, house._send = house._send, lambda command: None
        house.keep(20, 24)
        house.later(50)
        house._send = send
        house.batch(house.layers.connected)
        assert house.obey() == [HEAT]
        house.measure("meter", 30.0)
        house.later(59)
        assert house.obey() == []
        house.later(1)
        assert house.obey() == [REST]

    def test_nothing_is_changed_while_nobody_knows_what_it_does(self, house):
        compressor(house, **{"min-on": 10})
        house.keep(20, 24)
        (told,) = house.commands()
        house.later(30)
        house.measure("meter", 30.0)
        assert house.told() == []
        house.answer(told)
        house.later(9)
        assert house.told() == []
        house.later(5)
        assert house.told() == [REST]

    def test_a_person_is_told_when(self, house):
        compressor(house, **{"min-on": 300})
        house.keep(20, 24)
        house.obey()
        house.later(10)
        with pytest.raises(TooSoon) as refused:
            house.batch(lambda: house.things.interaction.write("urn:dev:heater", "on", False, house.now))
        assert refused.value.until == house.now + 290_000

    def test_a_dimmer_that_is_on_may_go_on_changing(self, house):
        envelope = {"min-on": 60, "max-rate": 1}
        house.announce("dimmer", properties={"level": {"type": "number", "diat:envelope": envelope}})
        write = house.things.interaction.write
        house.later(1000)
        for level in (10, 15, 5):
            house.batch(lambda level=level: write("urn:dev:dimmer", "level", level, house.now))
            house.obey()
            house.later(25)
        with pytest.raises(TooSoon):
            house.batch(lambda: write("urn:dev:dimmer", "level", 40, house.now))
        house.batch(lambda: write("urn:dev:dimmer", "level", 0, house.now))
        assert house.obey() == [("dimmer", 0)]
