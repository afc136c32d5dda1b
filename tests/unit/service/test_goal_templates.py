"""What is shipped reaches goals of each kind: each as a story."""

from __future__ import annotations

import pytest

from diat.service.templates import shipped


def reach(world, **goal):
    return world.batch(lambda: world.services.create("a goal", None, {}, goal=goal))


def meter(world, name, quantity, value, *, unit=None, kind="number", place="hq/1"):
    prop = {"type": kind, "@type": f"quantitykind:{quantity}", "readOnly": True} | (
        {"unit": unit} if unit else {}
    )
    world.announce(name, **{"diat:place": place, "properties": {"value": prop}})
    world.report(name, value=value)


def events(world, service):
    """How often the composite's event happened so far; the ledger's log of this world keeps none."""
    return world.twin(f"urn:diat:composite:{service.composite}").values["holds"].value


def test_each_says_what_it_achieves():
    kinds = {next(iter(pattern)) for template in shipped() for pattern in template.achieves}
    assert kinds == {"keep", "maintain", "notify", "know"}


@pytest.mark.parametrize(
    ("word", "direction", "values"),
    [("above", "increase", (21, 19.9, 20.4, 20.6)), ("below", "decrease", (19, 20.1, 19.6, 19.4))],
)
def test_keep_beyond_an_edge(world, word, direction, values):
    world.sensor("t")
    world.actuator("a", direction)
    calm, beyond, within, back = values
    world.measure("t", calm)
    made = reach(world, keep={"quantity": "Temperature", "place": "hq/1", word: 20})
    assert made.template == f"keep-{word}"
    assert world.obey() == [("a", False)]
    world.measure("t", beyond)
    assert world.obey() == [("a", True)]
    world.measure("t", within)
    assert world.obey() == []
    world.measure("t", back)
    assert world.obey() == [("a", False)]
    world.measure("t", beyond)
    world.obey()
    world.delete(made.id)
    assert world.obey() == [("a", False)]


def test_notify_above_in_another_unit_for_a_time(world):
    world.sensor("t")
    world.sensor("u")
    world.measure("t", 20)
    world.measure("u", 20)
    goal = {"quantity": "Temperature", "place": "hq", "above": 86, "unit": "degF", "for": 60}
    made = reach(world, notify=goal)
    assert made.template == "notify-when-above"
    world.measure("u", 31)
    world.later(59)
    assert events(world, made) is False
    world.later(1)
    assert events(world, made) is True
    world.measure("u", 29)
    assert events(world, made) is False


def test_notify_below_at_once(world):
    world.sensor("t")
    world.measure("t", 20)
    made = reach(world, notify={"quantity": "Temperature", "place": "hq", "below": 5})
    world.measure("t", 4.9)
    assert events(world, made) is True
    world.measure("t", 5.05)
    assert events(world, made) is True, "within the margin"
    world.measure("t", 5.2)
    assert events(world, made) is False


def test_notify_when_any_is_true(world):
    meter(world, "a", "WaterLeak", False, kind="boolean")
    meter(world, "b", "WaterLeak", False, kind="boolean")
    made = reach(world, notify={"quantity": "leak", "place": "hq", "is": True})
    assert (made.template, events(world, made)) == ("notify-when-is", False)
    world.report("a", value=True)
    world.report("b", value=False)
    assert events(world, made) is True
    world.report("a", value=False)
    assert events(world, made) is False


def test_notify_when_nobody_is_there_for_a_while(world):
    meter(world, "a", "Occupancy", True, kind="boolean")
    made = reach(world, notify={"quantity": "Occupancy", "place": "hq", "is": False, "for": 600})
    world.report("a", value=False)
    world.later(599)
    assert events(world, made) is False
    world.later(1)
    assert events(world, made) is True


def test_notify_of_a_word(world):
    meter(world, "a", "Lock", "locked", kind="string")
    made = reach(world, notify={"quantity": "Lock", "place": "hq", "is": "jammed"})
    assert events(world, made) is False
    world.report("a", value="jammed")
    assert events(world, made) is True


def test_maintain_while(world):
    meter(world, "a", "Occupancy", False, kind="boolean")
    affects = {"quantity": "LightDetected", "direction": "switch"}
    lamp = {"type": "boolean", "idempotent": True, "diat:affects": affects}
    world.announce("lamp", **{"diat:place": "hq/1", "properties": {"on": lamp}})
    light = {"quantity": "LightDetected", "place": "hq/1", "is": True}
    made = reach(world, maintain=light | {"while": {"quantity": "presence", "is": True}})
    assert made.template == "switch-while"
    assert world.obey() == [("lamp", False)]
    world.report("a", value=True)
    assert world.obey() == [("lamp", True)]
    world.report("a", value=False)
    assert world.obey() == [("lamp", False)]
