"""When what is there changes: who is bound anew, what stays, and what goes on as if nothing had been."""

from __future__ import annotations

import json

import pytest

from diat.cvol import execution
from diat.cvol.binding import SETTLED, bind
from diat.wire.envelope import Message

STAND_IN = """
name: occupied
title: Occupied
parameters: {type: object, properties: {place: {type: string}}}
roles:
  eyes:
    capability: read
    quantity: Occupancy
    place: "{{place}}"
    substitutes: [{quantity: Motion, error: who sits still is not seen}]
steps: [{id: seen, do: latest, role: eyes}]
derives: {occupied: {from: seen, type: boolean}}
"""
LIGHTS = """
name: lights
title: Lights
parameters: {type: object, properties: {place: {type: string}}}
roles:
  lamp: {capability: increase, quantity: Illuminance, place: "{{place}}", count: "0..1"}
  eye: {capability: notice, quantity: Motion, place: "{{place}}", count: "0..1"}
requires: [[lamp, eye]]
steps: [{id: seen, do: notice, role: eye}]
emits: {seen: {from: seen}}
"""
LONGER = """
name: band
title: Band
parameters: {type: object, properties: {place: {type: string}}}
roles:
  sensor: {capability: read, quantity: Temperature, place: "{{place}}", unit: Cel}
  warmer: {capability: increase, quantity: Temperature, place: "{{place}}"}
steps:
  - {id: level, do: latest, role: sensor}
  - {id: low, do: hysteresis, input: level, "on": below, low: 20, high: 24}
  - {id: raise, do: dwell, input: low, min_on: 60, min_off: 60}
  - {id: drive, do: drive, role: warmer, input: raise, otherwise: false}
"""


@pytest.fixture
def looks(monkeypatch):
    """Composites in the order in which they are bound, by their real binding."""
    bound = []

    def counted(composite, *arguments):
        bound.append(composite.title)
        return bind(composite, *arguments)

    monkeypatch.setattr(execution, "bind", counted)
    return bound


@pytest.fixture
def house(world):
    """Ten floors of a hundred rooms, each with a thermometer, a heater and who keeps it warm."""
    for room in range(1000):
        place = f"hq/{room // 100}/{room}"
        world.sensor(f"t{room}", place=place)
        world.actuator(f"h{room}", place=place)
        world.measure(f"t{room}", 22.0)
        said = {"quantity": "Temperature", "place": place, "low": 20, "high": 24, "unit": "Cel"}
        world.service("keep-within", title=f"room {room}", **said)
    for floor in range(10):
        world.mean(f"hq/{floor}")
    return world


class TestOnlyWhoIsTouched:
    def test_of_a_thousand_services_those_at_the_place_are_bound_anew(self, house, looks):
        house.status("t123", "offline")
        assert looks == ["Mean of hq/1", "room 123"]
        looks.clear()
        house.status("t123", "online")
        assert looks == ["Mean of hq/1", "room 123"]
        looks.clear()
        house.withdraw("h456")
        assert looks == ["room 456"]  # the mean never looked at heaters
        looks.clear()
        house.sensor("t123", place="hq/9/987")
        assert sorted(set(looks)) == ["Mean of hq/1", "Mean of hq/9", "room 123", "room 987"]
        looks.clear()
        house.sensor("newcomer", place="elsewhere")
        house.sensor("meter", place="hq/1/123", unit="W", **{"@type": "quantitykind:Power"})
        assert looks == []

    def test_a_reading_binds_nobody_unless_it_is_waited_for(self, world, looks):
        for name in ("t", "spare"):
            world.sensor(name)
            world.status(name, "online")
        world.actuator("heater")
        world.measure("t", 22.0)
        world.keep()
        world.mean("hq")
        looks.clear()
        world.measure("t", 18.0)
        assert looks == []
        world.measure("spare", 18.0)
        assert looks == ["Mean of hq"]
        looks.clear()
        world.measure("spare", 18.0)
        assert looks == []

    def test_what_was_missed_and_leaves_is_not_missed_any_more(self, world):
        world.sensor("t")
        world.measure("t", 22.0)
        world.actuator("heater", "increase")
        world.actuator("cooler", "decrease")
        keeper = world.keep()
        world.status("cooler", "offline")
        assert world.state(keeper).state == "degraded"
        world.withdraw("cooler")
        assert (world.state(keeper).state, world.state(keeper).missing) == ("running", [])

    def test_what_was_seen_elsewhere_and_moves_is_told_where_it_is(self, world):
        world.sensor("t")
        world.measure("t", 22.0)
        world.actuator("heater", place="hq/2")
        keeper = world.keep()
        assert "it is at hq/2" in world.state(keeper).missing[0]
        world.actuator("heater", place="hq/3")
        assert "it is at hq/3" in world.state(keeper).missing[0]

    def test_things_with_nothing_but_actions_or_events_count_as_well(self, world):
        world.template(LIGHTS)
        lights = world.service("lights", place="hq")
        assert world.state(lights).state == "waiting"
        affects = {"quantity": "Illuminance", "direction": "increase"}
        world.announce("lamp", **{"diat:place": "hq/1", "actions": {"shine": {"diat:affects": affects}}})
        assert world.bound(lights, "lamp") == ["lamp"]
        moves = {"moved": {"@type": "quantitykind:Motion"}}
        world.announce("pir", **{"diat:place": "hq/1", "events": moves})
        assert world.bound(lights, "eye") == ["pir"]
        world.withdraw("pir")
        assert world.bound(lights, "eye") == []


class TestStandingIn:
    @pytest.fixture
    def room(self, world):
        world.template(STAND_IN)
        for name, quantity in [("radar", "Occupancy"), ("pir", "Motion")]:
            prop = {"type": "boolean", "@type": f"quantitykind:{quantity}", "readOnly": True}
            world.announce(name, **{"diat:place": "hq", "properties": {"seen": prop}})
            world.report(name, seen=name == "radar")
        self.service = world.service("occupied", place="hq")
        assert world.bound(self.service, "eyes") == ["radar"]
        return world

    def occupied(self, room):
        return room.twin(f"urn:diat:composite:{self.service}").values["occupied"].value

    def test_it_gives_way_by_the_clock_when_what_was_wanted_came_back_early(self, room):
        room.status("radar", "offline")
        assert self.occupied(room) is False
        assert room.state(self.service).state == "degraded"
        room.later(1)
        room.status("radar", "online")
        assert room.bound(self.service, "eyes") == ["pir"]
        room.later(SETTLED / 1000 - 1.001)
        assert room.bound(self.service, "eyes") == ["pir"]
        room.later(0.001)
        assert room.bound(self.service, "eyes") == ["radar"]
        assert self.occupied(room) is True
        assert room.state(self.service).state == "running"

    def test_it_gives_way_to_the_reading_of_what_had_fallen_silent(self, room):
        room.later(3599)
        room.report("pir", seen=False)
        room.later(SETTLED / 1000 + 2)
        assert room.bound(self.service, "eyes") == ["pir"]
        room.report("radar", seen=True)
        assert room.bound(self.service, "eyes") == ["radar"]
        assert self.occupied(room) is True


class TestWhatIsRemembered:
    """Steps go on over a change of bindings: what they remember is the role's and not the thing's."""

    @pytest.fixture
    def room(self, world):
        world.template(LONGER)
        for name in ("one", "two"):
            world.sensor(name)
            world.measure(name, 22.0)
        for name in ("heater", "spare"):
            world.actuator(name)
        self.service = world.service("band", place="hq/1")
        return world

    def test_hysteresis_holds_within_the_band(self, room):
        room.measure("one", 19.0)
        assert room.obey() == [("heater", True)]
        room.measure("two", 22.0)
        room.status("one", "offline")
        assert room.bound(self.service, "sensor") == ["two"]
        assert room.obey() == []  # within the band it holds what it had: on
        room.later(100)
        room.measure("two", 25.0)
        assert room.obey() == [("heater", False)]

    def test_a_least_time_is_counted_on_over_another_sensor(self, room):
        room.measure("one", 19.0)
        room.obey()
        room.later(50)
        room.measure("two", 25.0)
        room.status("one", "offline")
        assert room.obey() == []
        room.later(9.9)
        assert room.obey() == []
        room.later(0.2)
        assert room.obey() == [("heater", False)]

    def test_another_heater_goes_on_where_the_first_one_ended(self, room):
        room.measure("one", 19.0)
        room.obey()
        room.later(50)
        room.status("heater", "offline")
        assert room.bound(self.service, "warmer") == ["spare"]
        assert ("spare", True) in room.obey()
        room.measure("one", 25.0)
        room.later(9.9)
        assert room.obey() == []  # the least time on is the switch's, which went on 50 s ago
        room.later(0.2)
        assert room.obey() == [("spare", False)]


class TestCircles:
    FEEDS = """
name: {name}
title: T
parameters: {{type: object}}
roles: {{eyes: {{capability: read, quantity: Temperature, place: hq, unit: Cel, count: "1.."}}}}
place: hq/{name}
steps: [{{id: level, do: mean, role: eyes}}]
derives: {{mean: {{from: level, type: number, quantity: Temperature, unit: Cel}}}}
"""

    @pytest.fixture
    def feeding(self, kept_world):
        """Services of which each could read the next ones."""
        kept_world.sensor("t", place="hq")
        kept_world.measure("t", 20.0)
        for name in ("a", "b", "c"):
            kept_world.template(self.FEEDS.format(name=name))
        made = [kept_world.service(name) for name in ("a", "b", "c")]
        kept_world.measure("t", 21.0)
        return kept_world, made

    def reads(self, world, made):
        own = [f"urn:diat:composite:{service}" for service in made]
        return {
            (at, own.index(each.thing))
            for at, service in enumerate(made)
            for each in world.state(service).bindings
            if each.thing in own
        }

    def test_a_start_turns_none_of_them_round(self, feeding):
        world, made = feeding
        reads = self.reads(world, made)
        assert reads == {(1, 0), (2, 0), (2, 1)}
        for _ in range(3):
            world.restart()
            assert self.reads(world, made) == reads
            world.measure("t", 22.0)
            assert self.reads(world, made) == reads


class TestNothingIsLeftOn:
    """What heats when nobody wants it any more, because it was away when it was let go."""

    @pytest.fixture
    def room(self, world):
        world.sensor("t")
        world.actuator("heater")
        world.status("heater", "online")
        self.keeper = world.keep()
        world.measure("t", 17.0)
        assert world.obey() == [("heater", True)]
        world.status("heater", "offline")
        (self.off,) = world.commands()
        assert (self.off.thing, self.off.value) == ("heater", False)
        return world

    @pytest.mark.parametrize("away", [1, 30, 59, 61, 300, 7000])
    def test_what_comes_back_is_told_again_at_once(self, room, away):
        room.delete(self.keeper)
        room.later(away)
        room.commands()
        room.status("heater", "online")
        room.later(0.01)
        assert room.told() == [("heater", False)]

    def test_under_the_same_id_as_long_as_that_holds(self, room):
        room.delete(self.keeper)
        room.later(30)
        room.status("heater", "online")
        assert room.commands() == [self.off]

    def test_but_not_what_is_wanted_again(self, room):
        room.measure("t", 17.0)
        room.status("heater", "online")
        assert room.told() == [("heater", True)]

    def test_what_moves_is_wanted_where_it_comes_and_let_go_where_it_was(self, world):
        for place in ("hq/1", "hq/2"):
            world.sensor(f"t-{place[-1]}", place=place)
            world.measure(f"t-{place[-1]}", 17.0)
            world.keep(place=place)
        world.actuator("heater", place="hq/1")
        assert world.obey() == [("heater", True)]

        def moves():
            said = {"title": "heater", "diat:place": "hq/2", "properties": {"on": _heats()}}
            for topic, body in [
                ("wot/td/heater", said),
                ("diat/heater/properties", {"b": 1, "n": 1000, "t": world.now, "v": {"on": True}}),
            ]:
                world.layers.message(Message(topic, json.dumps(body).encode(), world.now))
            world.layers.finish(world.now)

        world.later(1)
        world.batch(moves)  # what it is doing is known before it is let go and taken up again
        assert world.told() == [("heater", True)]


def _heats():
    affects = {"quantity": "Temperature", "direction": "increase"}
    return {"type": "boolean", "idempotent": True, "diat:affects": affects}
