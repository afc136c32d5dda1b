"""What a service still promises: what is missing, what that costs, what stands in, who drives instead."""

from __future__ import annotations

import pytest

from diat.cvol.binding import SETTLED
from tests.unit.cvol.conftest import World

TEMPLATE = """
name: lux
title: T
parameters: {type: object}
roles:
  eyes:
    {capability: read, quantity: Illuminance, count: "1..", loss: dark corners are not seen,
     substitutes: [{quantity: Irradiance, error: lamps count as dark}]}
steps: [{id: level, do: latest, role: eyes}]
"""


def eye(world: World, name: str, quantity: str = "Illuminance", unit: str = "lx") -> None:
    prop = {"type": "number", "unit": unit, "@type": f"quantitykind:{quantity}", "readOnly": True}
    world.announce(name, properties={"level": prop})
    world.report(name, level=5)


@pytest.fixture
def service(world):
    world.template(TEMPLATE)
    return world.service("lux")


def test_what_is_away_is_named_with_the_loss(world, service):
    eye(world, "a")
    eye(world, "b")
    assert (world.state(service).state, world.state(service).missing) == ("running", [])
    world.status("b", "offline")
    assert world.state(service).state == "degraded"
    assert world.state(service).missing == [
        "eyes: b (level): it is offline; meanwhile: dark corners are not seen"
    ]


def test_what_stands_in_is_degraded_at_a_stated_cost_until_the_right_one_comes(world, service):
    eye(world, "sun", "Irradiance", "W/m2")
    state = world.state(service)
    assert state.state == "degraded"
    assert state.bindings[0].cost == "lamps count as dark"
    assert state.missing == ["eyes: sun (level) stands in: lamps count as dark"]
    eye(world, "a")
    assert (world.state(service).state, world.bound(service, "eyes")) == ("degraded", ["sun"])
    world.later(SETTLED / 1000)
    assert (world.state(service).state, world.bound(service, "eyes")) == ("running", ["a"])


def test_who_drives_instead_is_told(world):
    world.sensor("t")
    world.actuator("h")
    world.measure("t", 18)
    first, second = world.keep(), world.keep(5, 8)
    assert world.state(first).outranked == {}
    assert list(world.state(second).outranked.values()) == ["a service (automation)"]
    assert world.state(second).state == "degraded"
