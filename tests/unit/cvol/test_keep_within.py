"""Stories of ``keep-within``: what an actuator is told as the room, the things and people change.

The world has no broker: a hand clock, messages that are fed, and every command that goes out.
"""

from __future__ import annotations

import pytest

from diat.kernel.errors import Invalid

HEAT, REST = ("heater", True), ("heater", False)


@pytest.fixture
def room(world):
    """A cold room with a thermometer and a heater."""
    world.sensor("meter")
    world.actuator("heater")
    world.measure("meter", 18.0)
    return world


class TestBand:
    def test_switches_at_the_edges_and_holds_between_them(self, room):
        service = room.keep(20, 24)
        assert room.state(service).state == "running"
        assert room.obey() == [HEAT]
        course = {20.0: [], 23.9: [], 24.0: [], 24.1: [REST], 22.0: [], 20.0001: [], 19.9: [HEAT]}
        for level, told in course.items():
            room.later(60)
            room.measure("meter", level)
            assert room.obey() == told, f"at {level}"

    def test_says_nothing_while_the_room_was_never_beyond_the_band(self, room):
        room.measure("meter", 22.0)
        room.keep(20, 24)
        room.later(1800)
        room.measure("meter", 23.0)
        assert room.told() == []

    def test_no_command_is_repeated_while_nothing_changes(self, room):
        room.keep(20, 24)
        assert room.obey() == [HEAT]
        for _ in range(100):
            room.later(30)
            room.measure("meter", 18.0)
        assert room.told() == []

    def test_a_heater_that_is_on_already_is_not_told(self, room):
        room.report("heater", on=True)
        room.keep(20, 24)
        assert room.told() == []

    def test_a_late_reading_does_not_undo_a_newer_one(self, room):
        room.keep(20, 24)
        room.obey()
        before = room.now
        room.later(60)
        room.measure("meter", 25.0)
        assert room.obey() == [REST]
        room.measure("meter", 18.0, at=before)
        assert room.told() == []

    def test_the_command_names_the_reading_that_it_was_decided_on(self, room):
        room.keep(20, 24)
        room.obey()
        room.later(10)
        room.measure("meter", 25.0)
        (told,) = room.commands()
        actuation = room.things.interaction.outbox.committed[told.id]
        reading = room.twin("urn:dev:meter").values["temperature"]
        assert actuation.cause == (reading.position,)

    def test_low_and_high_that_contradict_each_other_are_refused_by_name(self, room):
        with pytest.raises(Invalid) as refused:
            room.keep(24, 20)
        assert refused.value.field.startswith("parameters.")
        assert room.composites.states.committed == {}

    @pytest.mark.parametrize(
        ("unit", "cold", "hot"), [("[degF]", 64.0, 77.0), ("K", 291.0, 298.0), ("Cel", 18.0, 25.0)]
    )
    def test_units_are_converted(self, world, unit, cold, hot):
        world.sensor("meter", unit=unit)
        world.actuator("heater")
        world.measure("meter", cold)
        world.keep(20, 24)
        assert world.obey() == [HEAT]
        world.later(10)
        world.measure("meter", hot)
        assert world.obey() == [REST]

    def test_a_service_may_ask_in_fahrenheit(self, room):
        service = room.service(
            "keep-within", quantity="Temperature", place="hq/1", low=68, high=75, unit="[degF]"
        )
        assert room.state(service).state == "running"
        assert room.obey() == [HEAT]


class TestCooler:
    def test_a_cooler_alone_works_the_other_way(self, world):
        world.sensor("meter")
        world.actuator("cooler", "decrease")
        world.measure("meter", 26.0)
        world.keep(20, 24)
        assert world.obey() == [("cooler", True)]
        world.later(60)
        world.measure("meter", 20.5)
        assert world.obey() == []
        world.later(60)
        world.measure("meter", 19.5)
        assert world.obey() == [("cooler", False)]

    def test_heater_and_cooler_let_go_in_the_middle_and_never_work_at_once(self, room):
        room.actuator("cooler", "decrease")
        room.keep(20, 24)
        on = {"heater": False, "cooler": False}
        course = [18, 21, 21.9, 22.5, 23.9, 24.5, 23, 22.1, 21.5, 20.5, 19, 25, 19]
        seen = []
        for level in course:
            room.later(60)
            room.measure("meter", level)
            on |= dict(room.obey())
            assert not (on["heater"] and on["cooler"]), f"both at {level}"
            seen.append("heat" if on["heater"] else "cool" if on["cooler"] else "rest")
        assert seen == [
            *("heat", "heat", "heat", "rest", "rest"),
            *("cool", "cool", "cool", "rest", "rest"),
            *("heat", "cool", "heat"),
        ]

    def test_a_cooler_that_leaves_gives_the_heater_the_whole_band(self, room):
        room.actuator("cooler", "decrease")
        room.keep(20, 24)
        room.obey()
        room.status("cooler", "offline")
        room.later(60)
        room.measure("meter", 23.0)
        assert [told for told in room.obey() if told[0] == "heater"] == []


class TestLeastTimes:
    def test_stays_on_at_least_min_on(self, room):
        room.keep(20, 24, min_on=300)
        assert room.obey() == [HEAT]
        room.later(100)
        room.measure("meter", 25.0)
        assert room.obey() == []
        room.later(199)
        assert room.obey() == []
        room.later(1)
        assert room.obey() == [REST], "the wish waits for the time to be over, not for a reading"

    def test_stays_off_at_least_min_off(self, room):
        room.keep(20, 24, min_off=300)
        room.obey()
        room.later(10)
        room.measure("meter", 25.0)
        assert room.obey() == [REST]
        room.later(10)
        room.measure("meter", 18.0)
        assert room.obey() == []
        room.later(290)
        assert room.obey() == [HEAT]

    def test_the_last_wish_wins_when_the_time_is_over(self, room):
        room.keep(20, 24, min_on=300)
        room.obey()
        room.later(100)
        room.measure("meter", 25.0)
        room.later(100)
        room.measure("meter", 19.0)
        room.later(1000)
        assert room.obey() == []

    def test_pausing_does_not_shorten_the_rest_of_a_compressor(self, room):
        """Let go is off too: what ``min_off`` protects must not depend on who switched it off."""
        service = room.keep(20, 24, min_off=600)
        assert room.obey() == [HEAT]
        room.later(60)
        room.pause(service)
        assert room.obey() == [REST]
        room.later(60)
        room.resume(service)
        assert room.obey() == []
        room.later(600)
        room.measure("meter", 18.0)
        assert room.obey() == [HEAT]

    def test_a_changed_band_keeps_the_times(self, room):
        service = room.keep(20, 24, min_on=600)
        assert room.obey() == [HEAT]
        room.later(60)
        parameters = room.services.get(service).parameters | {"low": 10, "high": 12}
        room.batch(lambda: room.services.replace(service, "cooler", "keep-within", parameters, None))
        assert room.obey() == []
        room.later(540)
        assert room.obey() == [REST]

    def test_waking_up_does_not_pile_up(self, room):
        room.keep(20, 24, min_on=5, min_off=5)
        for turn in range(300):
            room.later(3)
            room.measure("meter", 25.0 if turn % 2 else 18.0)
            room.obey()
        assert len(room.composites._wakes._queue) < 20


class TestUnwilling:
    def test_a_failed_command_is_given_again_after_a_while(self, room):
        room.keep(20, 24)
        (told,) = room.commands()
        room.answer(told, "failed")
        room.later(9)
        assert room.told() == []
        room.later(2)
        assert room.told() == [HEAT]

    def test_an_unanswered_command_is_given_again(self, room):
        room.keep(20, 24)
        (first,) = room.commands()
        room.batch(lambda: room.layers.receipt(first.id))
        room.later(60 + 5 + 11)
        assert room.told() == [HEAT]

    def test_somebody_who_switches_it_by_hand_is_overruled_but_not_at_once(self, room):
        room.keep(20, 24)
        assert room.obey() == [HEAT]
        room.later(5)
        room.report("heater", on=False)
        room.measure("meter", 18.0)
        assert room.told() == []
        room.later(10)
        assert room.told() == [HEAT]

    def test_a_heater_that_never_reports_is_told_once(self, room):
        room.keep(20, 24)
        (told,) = room.commands()
        room.answer(told, report=False)
        for _ in range(20):
            room.later(60)
            room.measure("meter", 18.0)
        assert room.told() == []

    def test_a_failure_after_the_service_is_paused_changes_nothing(self, room):
        service = room.keep(20, 24)
        (told,) = room.commands()
        room.pause(service)
        room.commands()
        room.answer(told, "failed")
        room.later(60)
        assert room.told() == []


class TestLettingGo:
    def test_when_paused(self, room):
        service = room.keep(20, 24)
        room.obey()
        room.pause(service)
        assert room.obey() == [REST]
        assert room.state(service).state == "paused"
        for _ in range(3):
            room.later(60)
            room.measure("meter", 10.0)
        assert room.told() == []
        room.resume(service)
        assert room.state(service).state == "running"
        assert room.obey() == [HEAT]

    def test_resumed_before_it_has_let_go(self, room):
        """What a heater said before it was told to rest is not what it does."""
        service = room.keep(20, 24)
        room.obey()
        room.later(60)
        room.pause(service)
        (rest,) = room.commands()
        room.later(1)
        room.resume(service)
        assert room.told() == [HEAT]
        assert rest.value is False

    def test_pausing_twice_changes_nothing(self, room):
        service = room.keep(20, 24)
        room.pause(service)
        room.obey()
        revision = room.services.get(service).revision
        room.pause(service)
        assert room.told() == []
        assert room.services.get(service).revision == revision

    def test_when_deleted(self, room):
        service = room.keep(20, 24)
        room.obey()
        room.delete(service)
        assert room.obey() == [REST]
        room.later(60)
        room.measure("meter", 10.0)
        assert room.told() == []
        assert room.composites.states.committed == {}

    def test_when_nothing_measures_any_more(self, room):
        service = room.keep(20, 24)
        room.obey()
        room.status("meter", "offline")
        assert room.obey() == [REST]
        state = room.state(service)
        assert state.state == "waiting"
        assert state.missing == [
            "sensor: a property of Temperature at hq/1 (turned down: meter (temperature): it is offline)"
        ]
        room.status("meter", "online")
        assert room.state(service).state == "running"
        assert room.obey() == [HEAT]

    def test_when_the_reading_grows_too_old(self, room):
        service = room.keep(20, 24, freshness=600)
        room.obey()
        room.later(600)
        assert room.told() == []
        room.later(1)
        assert room.obey() == [REST]
        assert room.state(service).state == "waiting"
        assert "600 s old, more than 600 s" in room.state(service).missing[0]
        room.later(60)
        room.measure("meter", 18.0)
        assert room.state(service).state == "running"
        assert room.obey() == [HEAT]

    def test_what_was_off_is_not_told_to_be_off(self, room):
        room.measure("meter", 25.0)
        room.report("heater", on=False)
        service = room.keep(20, 24)
        room.delete(service)
        assert room.told() == []

    def test_when_the_service_becomes_another(self, room):
        service = room.keep(20, 24)
        room.obey()
        content = {"quantity": "Temperature", "place": "hq", "unit": "Cel"}
        room.batch(lambda: room.services.replace(service, "now a mean", "mean-of-place", content, None))
        assert room.obey() == [REST]
        assert room.state(service).state == "running"

    def test_when_the_service_moves_elsewhere(self, room):
        room.sensor("other meter".replace(" ", "-"), place="hq/2")
        room.actuator("other", place="hq/2")
        room.measure("other-meter", 10.0)
        service = room.keep(20, 24)
        room.obey()
        parameters = room.services.get(service).parameters | {"place": "hq/2"}
        room.batch(lambda: room.services.replace(service, "moved", "keep-within", parameters, None))
        assert sorted(room.obey()) == [REST, ("other", True)]

    def test_nothing_is_driven_while_something_required_is_missing(self, world):
        world.template(
            """
            name: two-eyes
            title: Heats only while two thermometers are there
            parameters: {type: object}
            roles:
              eyes: {capability: read, quantity: Temperature, unit: Cel, count: "2"}
              warmer: {capability: increase, quantity: Temperature, count: "1"}
            steps:
              - {id: level, do: mean, role: eyes}
              - {id: cold, do: hysteresis, input: level, "on": below, low: 20, high: 24}
              - {id: drive, do: drive, role: warmer, input: cold, otherwise: false}
            """
        )
        world.actuator("heater")
        world.sensor("one")
        world.measure("one", 10.0)
        service = world.service("two-eyes")
        assert world.state(service).missing == ["eyes: 1 more of a property of Temperature"]
        world.later(10)
        world.measure("one", 10.0)
        assert world.told() == []
        world.sensor("two")
        world.measure("two", 10.0)
        assert world.obey() == [HEAT]
        world.status("two", "offline")
        assert world.obey() == [REST]
        world.later(10)
        world.measure("one", 10.0)
        assert world.told() == []


class TestHealing:
    def test_an_equivalent_thermometer_takes_over_and_the_heater_is_left_alone(self, room):
        room.sensor("spare", unit="K")
        room.measure("spare", 291.15)
        service = room.keep(20, 24)
        assert room.bound(service, "sensor") == ["meter"]
        room.obey()
        room.status("meter", "offline")
        assert room.bound(service, "sensor") == ["spare"]
        assert room.told() == []
        room.later(10)
        room.measure("spare", 298.15)
        assert room.obey() == [REST]

    def test_it_stays_with_the_one_that_took_over(self, room):
        room.sensor("spare")
        room.measure("spare", 18.0)
        service = room.keep(20, 24)
        room.status("meter", "offline")
        room.status("meter", "online")
        room.measure("meter", 18.0)
        assert room.bound(service, "sensor") == ["spare"]

    @pytest.mark.parametrize("how", ["offline", "withdrawn", "rejected", "moved", "stale"])
    def test_however_it_goes(self, room, how):
        room.sensor("spare")
        room.measure("spare", 18.0)
        service = room.keep(20, 24, freshness=600)
        room.obey()
        if how == "offline":
            room.status("meter", "offline")
        elif how == "withdrawn":
            room.withdraw("meter")
        elif how == "rejected":
            room.batch(lambda: room.things.admit("urn:dev:meter", "rejected", "a test says so"))
        elif how == "moved":
            room.batch(lambda: room.things.patch("urn:dev:meter", {"diat:place": "attic"}))
        else:
            room.later(300)
            room.measure("spare", 18.0)
            room.later(301)
        assert room.bound(service, "sensor") == ["spare"]
        assert room.state(service).state == "running"
        assert room.told() == []

    def test_another_heater_takes_over_and_is_told(self, room):
        room.actuator("stove")
        service = room.keep(20, 24)
        assert room.obey() == [HEAT]
        room.status("heater", "offline")
        assert room.bound(service, "warmer") == ["stove"]
        assert ("stove", True) in room.obey()

    def test_without_any_heater_it_says_what_it_lacks(self, room):
        service = room.keep(20, 24)
        room.obey()
        room.withdraw("heater")
        state = room.state(service)
        assert state.state == "waiting"
        assert state.missing == [
            "warmer or cooler: nothing that can increase or decrease Temperature at hq/1"
        ]
        room.later(10)
        room.actuator("heater")
        assert room.state(service).state == "running"
        assert room.obey() == [HEAT], "what it said in its earlier life does not count"

    def test_a_mean_stands_in_when_the_last_thermometer_leaves_its_place(self, room):
        room.sensor("hall", place="hq/1/hall", unit="[degF]")
        room.measure("hall", 64.4)
        service = room.keep(20, 24)
        mean = room.mean("hq/1")
        assert room.bound(service, "sensor") == ["meter"]
        room.status("meter", "offline")
        assert room.bound(service, "sensor") == ["hall"], "a thermometer before a composite"
        room.obey()
        room.report("hall", temperature=60.0)
        room.status("hall", "offline")
        assert room.state(mean).state == "waiting"
        assert room.state(service).state == "waiting"
        room.obey()
        room.status("meter", "online")
        room.measure("meter", 18.0)
        assert room.state(service).state == "running"

    def test_bound_to_a_mean_it_follows_the_mean(self, world):
        world.actuator("heater", place="hq")
        for name, value in (("a", 17.0), ("b", 19.0)):
            world.sensor(name, place=f"hq/{name}")
            world.measure(name, value)
        mean = world.mean("hq")
        world.template(
            """
            name: keep-mean
            title: Keeps what a composite says
            parameters: {type: object}
            roles:
              sensor: {capability: read, quantity: Temperature, place: hq, unit: K, freshness: 600}
              warmer: {capability: increase, quantity: Temperature, place: hq}
            steps:
              - {id: level, do: latest, role: sensor}
              - {id: cold, do: hysteresis, input: level, "on": below, low: 293.15, high: 297.15}
              - {id: drive, do: drive, role: warmer, input: cold, otherwise: false}
            """
        )
        service = world.service("keep-mean")
        for name in "ab":
            world.batch(lambda name=name: world.things.patch(f"urn:dev:{name}", {"diat:accuracy": 1}))
        assert world.bound(service, "sensor") == ["a"]
        assert world.obey() == [HEAT]
        # Both thermometers leave for another house; the mean, being told so, goes with them.
        for name in "ab":
            world.batch(lambda name=name: world.things.patch(f"urn:dev:{name}", {"diat:place": "barn"}))
        assert world.state(mean).state == "waiting"
        assert world.state(service).state == "waiting"
        assert world.obey() == [REST]

    def test_fed_by_a_mean_over_other_places(self, world):
        """A composite's thing can be put anywhere; there it is a thermometer like others."""
        world.actuator("heater", place="yard")
        for name, value in (("a", 17.0), ("b", 19.0)):
            world.sensor(name, place=f"hq/{name}")
            world.measure(name, value)
        mean = world.mean("hq")
        thing = f"urn:diat:composite:{mean}"
        world.batch(lambda: world.things.patch(thing, {"diat:place": "yard"}))
        service = world.keep(20, 24, place="yard")
        assert world.bound(service, "sensor") == [thing]
        assert world.obey() == [HEAT]
        world.later(10)
        world.measure("a", 40.0)
        assert world.mean_value(mean) == pytest.approx(29.5)
        assert world.obey() == [REST]
        world.pause(mean)
        assert world.state(service).state == "waiting"


class TestRestart:
    def test_goes_on_as_if_nothing_had_been(self, kept_world):
        world = kept_world
        world.sensor("meter")
        world.actuator("heater")
        world.measure("meter", 18.0)
        service = world.keep(20, 24, min_on=600)
        assert world.obey() == [HEAT]
        world.later(60)
        world.restart(away=30)
        assert world.told() == []
        assert world.state(service).state == "running"
        world.measure("meter", 25.0)
        assert world.told() == []
        world.later(511)
        assert world.told() == [REST]

    def test_a_least_time_that_ended_meanwhile_is_over(self, kept_world):
        world = kept_world
        world.sensor("meter")
        world.actuator("heater")
        world.measure("meter", 18.0)
        world.keep(20, 24, min_on=600)
        world.obey()
        world.later(60)
        world.measure("meter", 25.0)
        world.restart(away=700)
        world.later(1)
        assert world.told() == [REST]

    def test_a_heater_is_let_go_when_the_readings_grew_old_meanwhile(self, kept_world):
        world = kept_world
        world.sensor("meter")
        world.actuator("heater")
        world.measure("meter", 18.0)
        service = world.keep(20, 24, freshness=600)
        world.obey()
        world.restart(away=3600)
        assert world.told() == [REST]
        assert world.state(service).state == "waiting"

    def test_bound_to_a_composite_made_later_it_is_not_let_go(self, kept_world):
        """Services start one after another; the things of the later ones have not left meanwhile."""
        world = kept_world
        world.actuator("heater", place="yard")
        world.sensor("far", place="hq/1")
        world.measure("far", 17.0)
        service = world.keep(20, 24, place="yard")
        mean = world.mean("hq")
        world.batch(lambda: world.things.patch(f"urn:diat:composite:{mean}", {"diat:place": "yard"}))
        assert world.state(service).state == "running"
        assert world.obey() == [HEAT]
        since = world.state(service).bindings
        world.restart(away=5)
        assert world.told() == []
        assert world.state(service).bindings == since

    def test_paused_stays_paused(self, kept_world):
        world = kept_world
        world.sensor("meter")
        world.actuator("heater")
        world.measure("meter", 18.0)
        service = world.keep(20, 24)
        world.obey()
        world.pause(service)
        world.obey()
        world.restart()
        assert world.told() == []
        assert world.state(service).state == "paused"


class TestBounds:
    @pytest.mark.parametrize("name", ["freshness", "min_on", "min_off"])
    def test_a_time_beyond_all_times_is_refused_by_name(self, room, name):
        """Else its wake-up fits no database, and with it every reading that leads to one."""
        with pytest.raises(Invalid) as refused:
            room.keep(20, 24, **{name: 1e300})
        assert refused.value.field == f"parameters.{name}"

    def test_a_value_that_is_no_number_any_more_leaves_the_service_as_it_is(self, room):
        room.announce(
            "odd",
            **{
                "diat:place": "hq/1",
                "properties": {"temperature": {"type": "string", "@type": "quantitykind:Temperature"}},
            },
        )
        room.report("odd", temperature="warm")
        room.status("meter", "offline")
        service = room.keep(20, 24)
        room.sensor("odd")
        assert room.state(service).state in ("running", "waiting")
        assert room.state(service).error is None
        room.measure("odd", 18.0)
        assert room.state(service).state == "running"
        assert room.obey() == [HEAT]


def test_a_spare_sensor_that_is_away_degrades_nothing_but_a_lost_cooler_does(world):
    world.sensor("near")
    world.sensor("spare")
    world.actuator("heater")
    world.actuator("cooler", "decrease")
    world.measure("near", 22)
    service = world.keep()
    assert world.state(service).state == "running"
    world.status("cooler", "offline")
    assert world.state(service).state == "degraded"
    assert world.state(service).missing == ["cooler: cooler (on): it is offline"]
    world.measure("near", 19)
    assert world.obey() == [("heater", True)]


def test_who_joins_a_service_that_rests_wakes_it(world):
    world.sensor("meter")
    world.actuator("heater")
    world.measure("meter", 18.0)
    first = world.keep()
    world.pause(first)
    world.told()
    world.keep()
    assert world.state(first).state == "running"
    assert world.told() == [("heater", True)]
