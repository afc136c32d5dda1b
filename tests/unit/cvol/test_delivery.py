"""What each service is promised of its commands, and what becomes of those that are let go."""

from __future__ import annotations

import pytest

from diat.kernel.errors import Busy
from diat.vol.interaction import MOST_OPEN
from tests.unit.cvol.conftest import World

HEAT, REST = ("heater", True), ("heater", False)
TEMPLATE = """
name: {name}
title: {name}
parameters: {{type: object}}
delivery: {delivery}
roles:
  meter: {{capability: read, quantity: Temperature, freshness: 1000000}}
  target: {{capability: increase, quantity: Temperature, type: boolean, count: "0.."}}
steps:
  - {{id: level, do: latest, role: meter}}
  - {{id: cold, do: hysteresis, input: level, "on": below, low: 20, high: 24}}
  - {{id: drive, do: drive, role: target, input: cold, otherwise: false}}
"""


@pytest.fixture
def house(kept_world: World) -> World:
    kept_world.sensor("meter")
    kept_world.measure("meter", 18.0)
    for delivery in ("at-most-once", "at-least-once", "exactly-once"):
        kept_world.template(TEMPLATE.format(name=delivery, delivery=delivery))
    return kept_world


class TestAtMostOnce:
    def test_it_is_never_sent_again_and_counted(self, house):
        house.actuator("heater")
        service = house.service("at-most-once")
        (told,) = house.commands()
        house.batch(lambda: house.layers.receipt(told.id))
        house.later(100)
        house.measure("meter", 17.0)
        house.restart()
        house.later(600)
        assert house.told() == []
        assert house.state(service).dropped == 1
        house.measure("meter", 30.0)
        assert house.told() == [REST]

    def test_what_found_no_broker_is_not_sent_later(self, house):
        house.actuator("heater")
        send, house._send = house._send, lambda command: None
        service = house.service("at-most-once")
        house._send = send
        house.batch(house.layers.connected)
        house.later(100)
        assert house.told() == []
        assert (house.state(service).dropped, house.things.interaction.dropped) == (1, 1)


class TestAtLeastOnce:
    @pytest.fixture
    def pulse(self, house):
        affects = {"quantity": "Temperature", "direction": "increase"}
        told = []
        house._send = lambda command: told.append(command.reference) if command.reference else None
        house.announce("kettle", **{"diat:place": "hq/1", "actions": {"boil": {"diat:affects": affects}}})
        return told

    @pytest.mark.parametrize("delivery", ["at-least-once", "exactly-once"])
    def test_an_action_in_doubt(self, house, pulse, delivery):
        house.service(delivery)
        (first,) = pulse
        house.batch(lambda: house.layers.receipt(first))
        house.later(65)
        assert house.things.interaction.outbox.committed == {}
        house.later(11)
        house.measure("meter", 18.0)
        assert len(pulse) == (2 if delivery == "at-least-once" else 1)

    def test_after_a_restart_it_is_sent_under_its_own_id(self, house, pulse):
        house.service("at-least-once")
        house.restart()
        assert pulse == [pulse[0]] * 2


class TestLettingGo:
    @pytest.mark.parametrize("status", ["failed", "expired", "silent"])
    def test_it_is_told_again_until_it_is_done_though_the_service_is_gone(self, house, status):
        house.actuator("heater")
        service = house.service("exactly-once")
        house.obey()
        house.delete(service)
        (told,) = house.commands()
        if status == "silent":
            house.batch(lambda: house.layers.receipt(told.id))
            house.later(66)
        else:
            house.answer(told, status)
        house.restart(away=5)
        house.later(6)
        (again,) = house.commands()
        assert again.value is False
        house.answer(again, "failed")
        house.later(19)
        assert house.told() == []
        house.later(1)
        assert house.obey() == [REST]
        house.later(10_000)
        assert house.told() == []

    def test_at_most_once_means_that_too(self, house):
        house.actuator("heater")
        service = house.service("at-most-once")
        house.obey()
        house.delete(service)
        (told,) = house.commands()
        house.answer(told, "failed")
        house.later(1000)
        assert house.told() == []

    def test_not_if_somebody_wants_it_by_then(self, house):
        house.actuator("heater")
        service = house.service("exactly-once")
        house.obey()
        house.delete(service)
        (told,) = house.commands()
        house.answer(told, "failed")
        house.batch(lambda: house.things.interaction.write("urn:dev:heater", "on", True, house.now))
        house.obey()
        house.later(1000)
        assert house.told() == []


class TestBackPressure:
    def test_the_oldest_set_point_gives_way(self, house):
        house.announce("dimmer", properties={"level": {"type": "number"}})
        write = house.things.interaction.write
        made = []
        for level in range(MOST_OPEN + 4):
            made.append(house.batch(lambda level=level: write("urn:dev:dimmer", "level", level, house.now)))
            house.batch(lambda: house.layers.receipt(made[-1].id))
        waiting = house.things.interaction.outbox.committed
        assert list(waiting) == [each.id for each in made[4:]]

    def test_an_action_is_refused(self, house):
        house.announce("tool", actions={"add": {}})
        house._send = lambda command: None
        invoke = house.things.interaction.invoke
        for _ in range(MOST_OPEN):
            house.batch(lambda: invoke("urn:dev:tool", "add", None, house.now))
        with pytest.raises(Busy):
            house.batch(lambda: invoke("urn:dev:tool", "add", None, house.now))
        house.restart()
        with pytest.raises(Busy):
            house.batch(lambda: invoke("urn:dev:tool", "add", None, house.now))
