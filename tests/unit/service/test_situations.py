"""Situations: they start, pause and set services by themselves, once, and undo it."""

from __future__ import annotations

import json
from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from diat.kernel.errors import Conflict, Invalid, NotFound, Stale
from diat.service.situations import SituationLayer
from diat.wire.envelope import Message
from tests.unit.cvol.conftest import NOON, World

KEEP = {"quantity": "Temperature", "place": "hq/1", "low": 20, "high": 24, "unit": "Cel"}
START = {"start": {"title": "Warm", "template": "keep-within", "parameters": KEEP}}
PRESENT = {"thing": "urn:dev:radar", "property": "present", "is": True}


def watch(world, *then, when=PRESENT, **more):
    content = {"title": "Somebody is in", "when": when, "then": list(then)} | more
    return world.batch(lambda: world.situations.create(content)).id


def course(world, situation):
    return world.situations.get(situation).course


def titles(world):
    return [each.title for each in world.services.everything()]


@pytest.fixture
def home(world):
    return furnish(world)


@pytest.fixture
def kept_home(kept_world):
    return furnish(kept_world)


def furnish(world):
    present = {"type": "boolean", "@type": "quantitykind:Occupancy"}
    world.announce(
        "radar", **{"diat:place": "hq/1", "properties": {"present": present}, "events": {"fell": {}}}
    )
    world.sensor("t")
    world.actuator("h")
    world.measure("t", 18)
    return world


class TestComingAndPassing:
    def test_what_it_starts_begins_and_ends_with_it(self, home):
        situation = watch(home, START)
        assert titles(home) == []
        home.report("radar", present=True)
        (service,) = home.services.everything()
        assert (service.title, service.started_by) == ("Warm", situation)
        assert home.obey() == [("h", True)]
        home.later(60)
        home.report("radar", present=False)
        assert titles(home) == []
        assert home.obey() == [("h", False)]

    def test_it_acts_in_the_batch_of_the_reading(self, home):
        watch(home, START)
        home.report("radar", present=True)
        assert titles(home) == ["Warm"]
        assert home.situations.due() is None

    def test_if_it_holds_already_it_acts_at_once(self, home):
        home.report("radar", present=True)
        watch(home, START)
        home.later(0)
        assert titles(home) == ["Warm"]

    def test_it_must_have_lasted(self, home):
        watch(home, START, when=PRESENT | {"for": 30})
        home.report("radar", present=True)
        home.later(20)
        home.report("radar", present=False)
        home.later(5)
        home.report("radar", present=True)
        home.later(29)
        assert titles(home) == []
        home.later(1)
        assert titles(home) == ["Warm"]

    def test_numbers_have_edges_and_units(self, home):
        when = {"thing": "urn:dev:t", "property": "temperature", "above": 86, "until": 77, "unit": "degF"}
        situation = watch(home, START, when=when)
        for value, so in ((29, False), (31, True), (27, True), (24, False), (27, False)):
            home.measure("t", value)
            assert course(home, situation).holds == so, value
            home.later(60)

    def test_an_event_holds_for_a_while(self, home):
        situation = watch(home, START, when={"thing": "urn:dev:radar", "event": "fell", "lasts": 30})
        home.feed("diat/radar/events/fell", {"b": 1, "n": 501, "t": home.now})
        assert titles(home) == ["Warm"]
        home.later(20)
        home.feed("diat/radar/events/fell", {"b": 1, "n": 502, "t": home.now})
        home.later(20)
        assert titles(home) == ["Warm"]
        home.later(10)
        assert titles(home) == []
        assert course(home, situation).active is False

    def test_a_late_reading_changes_nothing(self, home):
        watch(home, START)
        home.later(100)
        home.report("radar", present=False)
        home.report("radar", present=True, at=home.now - 50_000)
        home.later(30)
        assert titles(home) == []

    def test_what_a_service_makes_can_be_watched(self, home):
        mean = home.mean("hq/1")
        home.later(1)
        situation = watch(home, START, when={"service": mean, "property": "mean", "below": 19})
        home.later(0)
        assert titles(home) == ["Mean of hq/1", "Warm"]
        home.later(20)
        home.delete(mean)
        home.later(0)
        assert titles(home) == []
        assert course(home, situation).holds is False

    def test_it_goes_along_when_the_service_moves_to_another_composite(self, home):
        one, two = home.mean("hq/1"), home.mean("hq/1")
        situation = watch(home, START, when={"service": one, "property": "mean", "above": 25})
        said = {"quantity": "Temperature", "place": "hq", "unit": "Cel"}
        home.batch(lambda: home.services.replace(one, "mine", "mean-of-place", said, None))
        assert home.services.get(one).composite != home.services.get(two).composite
        home.measure("t", 30)
        home.later(0)
        assert course(home, situation).active


class TestActions:
    def test_pause_is_undone_unless_it_rested_before(self, home):
        one, two = home.keep(), home.keep(10, 12)
        home.pause(two)
        watch(home, {"pause": one}, {"pause": two})
        home.report("radar", present=True)
        assert [home.services.get(each).paused for each in (one, two)] == [True, True]
        home.later(60)
        home.report("radar", present=False)
        assert [home.services.get(each).paused for each in (one, two)] == [False, True]

    def test_resume_is_undone(self, home):
        one = home.keep()
        home.pause(one)
        watch(home, {"resume": one})
        home.report("radar", present=True)
        assert home.services.get(one).paused is False
        home.later(60)
        home.report("radar", present=False)
        assert home.services.get(one).paused is True

    def test_parameters_are_set_back_but_not_what_somebody_else_has_set_meanwhile(self, home):
        one = home.keep()
        watch(home, {"set": {"service": one, "parameters": {"low": 15, "high": 17}}})
        home.report("radar", present=True)
        assert home.services.get(one).parameters["low"] == 15
        home.later(60)
        said = home.services.get(one).parameters | {"low": 16}
        home.batch(lambda: home.services.replace(one, "mine", "keep-within", said, None))
        home.report("radar", present=False)
        parameters = home.services.get(one).parameters
        assert (parameters["low"], parameters["high"]) == (16, 24)

    def test_leave_leaves_and_makes_no_second(self, home):
        watch(home, START, otherwise="leave")
        for turn in range(6):
            home.report("radar", present=turn % 2 == 0)
            home.later(200)
        assert titles(home) == ["Warm"]

    def test_otherwise_may_be_something_else(self, home):
        one = home.keep()
        watch(home, {"pause": one}, otherwise=[{"set": {"service": one, "parameters": {"low": 15}}}])
        home.report("radar", present=True)
        home.later(60)
        home.report("radar", present=False)
        service = home.services.get(one)
        assert (service.paused, service.parameters["low"]) == (True, 15)

    def test_a_goal_may_be_started(self, home):
        goal = {"keep": {"quantity": "Temperature", "place": "hq/1", "between": [20, 24]}}
        watch(home, {"start": {"title": "Warm", "goal": goal}})
        home.report("radar", present=True)
        assert home.services.everything()[0].template == "keep-within"

    def test_what_somebody_has_ended_meanwhile_is_no_fault(self, home):
        situation = watch(home, START)
        home.report("radar", present=True)
        home.delete(home.services.everything()[0].id)
        home.later(60)
        home.report("radar", present=False)
        assert course(home, situation).error is None

    def test_what_cannot_be_done_is_said_and_the_rest_is_done(self, home):
        one, two = home.keep(), home.keep(10, 12)
        situation = watch(home, {"pause": one}, {"pause": two})
        home.delete(one)
        home.report("radar", present=True)
        assert "there is no service" in course(home, situation).error
        assert home.services.get(two).paused
        assert any("could not do all" in line.text for line in home.things.diagnostics.of("urn:dev:radar"))

    def test_a_policy_is_asked_for_each(self, home):
        def permit(situation, action):
            return "not at night" if "start" in action else None

        one = home.keep()
        home.situations = SituationLayer(
            home.ledger,
            home.things,
            home.composites,
            home.services,
            home._clock,
            home._new_id,
            permit=permit,
        )
        situation = watch(home, START, {"pause": one})
        home.report("radar", present=True)
        home.batch(lambda: home.situations.tick(home.now))
        assert titles(home) == ["a service"]
        assert home.services.get(one).paused
        assert course(home, situation).error == "not allowed: not at night"


class TestCalm:
    def test_what_ends_itself_is_slow_and_says_so(self, home):
        """It starts a heater when it is cold and ends when it is warm: at the same edge, so at once again."""
        situation = watch(
            home, START, when={"thing": "urn:dev:t", "property": "temperature", "below": 19}, cooldown=10
        )
        acted = set()
        for _ in range(600):
            home.obey()
            home.measure("t", 20 if course(home, situation).active else 18)
            acted.add(course(home, situation).acted)
            home.later(1)
        assert 600 / 80 <= len(acted) <= 12
        assert any("comes and goes" in line.text for line in home.things.diagnostics.of("urn:dev:t"))

    def test_it_calms_down_again(self, home):
        situation = watch(home, START)
        for turn in range(20):
            home.report("radar", present=turn % 2 == 0)
            home.later(1)
        assert course(home, situation).restless > 0
        for turn in range(4):
            home.later(300)
            home.report("radar", present=turn % 2 == 0)
        home.later(300)
        assert course(home, situation).restless == 0

    def test_a_chain_longer_than_may_be_waits(self, home):
        """Each is about the mean that the one before it starts."""
        home.sensor("far", place="far")
        means = [home.mean("far", freshness=1000 + n) for n in range(12)]
        for one in means[1:]:
            home.pause(one)
        for one, other in pairwise(means):
            watch(home, {"resume": other}, when={"service": one, "property": "mean", "below": 100})
        home.measure("far", 18)
        assert home.services.get(means[3]).paused is False
        assert home.services.get(means[-1]).paused is True
        home.later(2)
        assert home.services.get(means[-1]).paused is False


class TestLifeCycle:
    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"title": ""}, "title"),
            ({"then": []}, "then"),
            ({"then": [{}]}, "then.0"),
            ({"then": [{"pause": "nobody"}]}, "then.0.pause"),
            ({"then": [{"set": {"service": "nobody", "parameters": {"low": 1}}}]}, "then.0.set.service"),
            ({"then": [{"start": {"title": "x"}}]}, "then.0.start.template"),
            (
                {"then": [{"start": {"title": "x", "template": "keep-within"}}]},
                "then.0.start.parameters.quantity",
            ),
            ({"otherwise": [{"resume": "nobody"}]}, "otherwise.0.resume"),
            ({"cooldown": 0}, "cooldown"),
            ({"when": {"thing": "urn:dev:radar"}}, "when"),
            ({"when": PRESENT | {"thing": "urn:dev:none"}}, "when.thing"),
            ({"when": PRESENT | {"property": "none"}}, "when.property"),
            ({"when": PRESENT | {"unit": "Cel"}}, "when.unit"),
            ({"when": PRESENT | {"above": 3}}, "when"),
            ({"when": PRESENT | {"service": "x"}}, "when"),
            ({"when": {"service": "x", "property": "mean", "above": 3}}, "when.service"),
            ({"when": {"thing": "urn:dev:radar", "event": "none"}}, "when.event"),
            ({"when": {"thing": "urn:dev:t", "property": "temperature", "above": 3, "until": 5}}, "when"),
            ({"colour": 3}, "colour"),
        ],
    )
    def test_what_is_wrong_is_named(self, home, change, field):
        content = {"title": "s", "when": PRESENT, "then": [START]} | change
        with pytest.raises(Invalid) as refused:
            home.batch(lambda: home.situations.create(content))
        assert refused.value.field == field
        assert home.situations.everything() == []

    def test_ending_it_undoes_what_it_did(self, home):
        situation = watch(home, START)
        home.report("radar", present=True)
        home.batch(lambda: home.situations.delete(situation))
        assert titles(home) == []
        home.report("radar", present=False)
        home.report("radar", present=True)
        assert titles(home) == []
        with pytest.raises(NotFound):
            home.situations.get(situation)

    def test_another_content_undoes_and_begins_anew(self, home):
        one = home.keep()
        situation = watch(home, START)
        home.report("radar", present=True)
        content = {"title": "s", "when": PRESENT, "then": [{"pause": one}]}
        home.batch(lambda: home.situations.replace(situation, content, 1))
        home.later(0)
        assert titles(home) == ["a service"]
        assert home.services.get(one).paused
        with pytest.raises(Stale):
            home.batch(lambda: home.situations.replace(situation, content, 1))

    def test_another_title_changes_nothing_else(self, home):
        situation = watch(home, START)
        home.report("radar", present=True)
        before = home.services.everything()
        content = home.situations.get(situation).content | {"title": "Other"}
        home.batch(lambda: home.situations.replace(situation, content, None))
        assert home.services.everything() == before
        assert home.situations.get(situation).title == "Other"

    def test_a_repeat_under_the_same_key_is_one(self, home):
        content = {"title": "s", "when": PRESENT, "then": [START]}
        made = [home.batch(lambda: home.situations.create(content, situation="key")) for _ in range(2)]
        assert made[0] == made[1]
        with pytest.raises(Conflict):
            home.batch(lambda: home.situations.create(content | {"title": "t"}, situation="key"))


class TestCrashes:
    def test_it_goes_on_after_a_restart(self, kept_home):
        situation = watch(kept_home, START, when=PRESENT | {"for": 30})
        kept_home.report("radar", present=True)
        kept_home.restart(away=5)
        kept_home.later(24)
        assert titles(kept_home) == []
        kept_home.later(1)
        assert titles(kept_home) == ["Warm"]
        kept_home.restart(away=5)
        kept_home.later(60)
        assert titles(kept_home) == ["Warm"]
        kept_home.report("radar", present=False)
        assert titles(kept_home) == []
        assert course(kept_home, situation).did == ()

    def test_a_batch_that_never_was_has_done_nothing(self, kept_home):
        """The reading, what it brings about and what that does are one batch: all or nothing."""
        watch(kept_home, START)
        body = json.dumps({"b": 1, "n": 900, "t": kept_home.now, "v": {"present": True}}).encode()

        class Power(Exception):
            pass

        def take():
            kept_home.layers.message(Message("diat/radar/properties", body, kept_home.now))
            assert kept_home.services.seen  # it acted
            raise Power

        with pytest.raises(Power):
            kept_home.batch(take)
        assert titles(kept_home) == []
        kept_home.restart()
        assert titles(kept_home) == []
        kept_home.feed("diat/radar/properties", body)
        assert titles(kept_home) == ["Warm"]
        kept_home.feed("diat/radar/properties", body)
        assert titles(kept_home) == ["Warm"]


@given(said=st.lists(st.tuples(st.booleans(), st.sampled_from([1, 7, 11, 40])), max_size=25))
@settings(max_examples=40)
def test_it_follows_what_it_watches_and_never_faster_than_its_cool_down(said):
    """Whatever comes: after calm it is active exactly if it holds, and what it started is there if it is."""
    home = furnish(World())
    situation = watch(home, START)
    changed: list[int] = []
    for present, seconds in said:
        for _ in range(seconds):
            before = course(home, situation).active
            home.report("radar", present=present)
            home.later(1)
            now = course(home, situation)
            assert titles(home) == (["Warm"] if now.active else [])
            if now.active != before:
                changed.append(now.acted)
    assert all(other - one >= 10_000 for one, other in pairwise(changed))
    home.later(100)
    assert course(home, situation).active == (bool(said) and said[-1][0])
    assert home.now > NOON
