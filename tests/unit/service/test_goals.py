"""Goals: read, held against what templates achieve, and the template that fits best chosen."""

from __future__ import annotations

import pytest

from diat.kernel.errors import Invalid
from diat.service.goals import asked
from diat.service.templates import read_template
from diat.service.unifying import Unified, unify

KEEP = {"keep": {"quantity": "Temperature", "place": "hq/1", "between": [20, 24], "unit": "Cel"}}
PATTERN = {
    "keep": {"quantity": "{{q}}", "place": "{{p}}", "between": ["{{low}}", "{{high}}"], "unit": "{{u}}"}
}


def keep(**more):
    return {"keep": {k: v for k, v in (KEEP["keep"] | more).items() if v is not None}}


class TestReading:
    def test_spellings_become_one(self):
        read = asked(keep(quantity="air_temperature", unit="°F", between=[68, 75.2]))
        assert (read.quantity, read.unit, read.limits) == ("Temperature", "[degF]", {"between": [68, 75.2]})

    def test_without_a_unit_it_is_the_usual_one(self):
        assert asked(keep(unit=None)).unit == "Cel"

    def test_a_condition_is_at_the_same_place_unless_it_says_another(self):
        goal = {
            "quantity": "LightDetected",
            "place": "a",
            "is": True,
            "while": {"quantity": "Motion", "is": True},
        }
        assert asked({"maintain": goal}).condition.place == "a"
        goal["while"]["place"] = "b"
        assert asked({"maintain": goal}).condition.place == "b"

    @pytest.mark.parametrize(
        ("goal", "field"),
        [
            ({}, "goal"),
            (KEEP | {"know": {"quantity": "Temperature"}}, "goal"),
            ({"want": {}}, "goal.want"),
            ({"keep": 5}, "goal.keep"),
            (keep(between=None), "goal.keep"),
            (keep(above=3), "goal.keep"),
            (keep(between=[24, 20]), "goal.keep"),
            (keep(between=[20]), "goal.keep.between.1"),
            (keep(between=[20, float("nan")]), "goal.keep.between.1"),
            (keep(quantity="Happiness"), "goal.keep.quantity"),
            (keep(unit="parsnips"), "goal.keep.unit"),
            (keep(unit="W"), "goal.keep.unit"),
            (keep(colour="red"), "goal.keep.colour"),
            ({"notify": {"quantity": "Motion", "is": True, "for": -1}}, "goal.notify.for"),
            ({"notify": {"quantity": "Motion", "is": []}}, "goal.notify.is"),
            (
                {"maintain": {"quantity": "Motion", "is": True, "while": {"quantity": "x", "is": 1}}},
                "goal.maintain.while.quantity",
            ),
        ],
    )
    def test_what_is_wrong_is_named(self, goal, field):
        with pytest.raises(Invalid) as refused:
            asked(goal)
        assert refused.value.field == field


class TestUnifying:
    def test_what_stands_in_the_placeholders_places_are_the_parameters(self):
        found = unify(PATTERN, asked(KEEP))
        assert found == Unified({"q": "Temperature", "p": "hq/1", "low": 20, "high": 24, "u": "Cel"}, 0)

    def test_values_come_into_the_templates_own_unit(self):
        pattern = {"keep": PATTERN["keep"] | {"unit": "Cel", "quantity": "Temperature"}}
        found = unify(pattern, asked(keep(between=[68, 77], unit="degF")))
        assert found.parameters["low"] == pytest.approx(20)
        assert found.parameters["high"] == pytest.approx(25)
        assert found.fixed == 1

    def test_a_constant_must_match(self):
        pattern = {"keep": PATTERN["keep"] | {"between": [20, "{{high}}"], "unit": "Cel", "place": "HQ / 1"}}
        assert unify(pattern, asked(keep(between=[68, 77], unit="degF"))).parameters["high"] == pytest.approx(
            25
        )
        assert unify(pattern, asked(keep(between=[19, 24]))) == "its between is 20, not 19.0"
        assert unify(pattern, asked(keep(place="hq/2"))) == "its place is 'HQ / 1', not 'hq/2'"

    def test_several_quantities_may_do(self):
        pattern = {"know": {"quantity": ["Motion", "presence"], "place": "{{p}}"}}
        goal = {"know": {"quantity": "Occupancy", "place": "x"}}
        assert unify(pattern, asked(goal)).parameters == {"p": "x"}
        assert "it is about Motion or Occupancy" in unify(pattern, asked({"know": {"quantity": "Smoke"}}))

    def test_one_placeholder_is_one_value(self):
        pattern = {
            "maintain": {
                "quantity": "LightDetected",
                "place": "{{place}}",
                "is": True,
                "while": {"quantity": "Occupancy", "place": "{{place}}", "is": True},
            }
        }
        goal = {
            "quantity": "LightDetected",
            "place": "a",
            "is": True,
            "while": {"quantity": "Occupancy", "is": True},
        }
        assert unify(pattern, asked({"maintain": goal})).parameters == {"place": "a"}
        goal["while"]["place"] = "b"
        assert "must be the same" in unify(pattern, asked({"maintain": goal}))
        del goal["while"]
        assert unify(pattern, asked({"maintain": goal})) == "it does so only while something holds"

    @pytest.mark.parametrize(
        ("pattern", "goal", "reason"),
        [
            (PATTERN, {"know": {"quantity": "Temperature"}}, "it is made to keep, not to know"),
            (PATTERN, keep(between=None, above=5), "it takes between, not above"),
            ({"keep": PATTERN["keep"] | {"place": "b"}}, KEEP, "its place is 'b', not 'hq/1'"),
            (
                {"know": {"quantity": "{{q}}"}},
                {"know": {"quantity": "Motion", "place": "b"}},
                "it knows no places",
            ),
            (
                {"notify": {"quantity": "{{q}}", "is": True}},
                {"notify": {"quantity": "Motion", "is": True, "for": 60}},
                "it knows no time for which it must be so",
            ),
            (
                {"notify": {"quantity": "{{q}}", "is": True}},
                {"notify": {"quantity": "Motion", "is": 1}},
                "its is is True, not 1.0",
            ),
        ],
    )
    def test_why_not(self, pattern, goal, reason):
        assert unify(pattern, asked(goal)) == reason


TEMPLATE = """
name: {name}
title: T
parameters:
  type: object
  properties:
    place: {{type: string}}
    low: {{type: number}}
    high: {{type: number, maximum: 30}}
    who: {{type: string}}
  required: {required}
roles:
  eye: {{capability: read, quantity: Temperature, place: "{{{{place}}}}", unit: Cel}}
  {more}
steps: [{{id: level, do: latest, role: eye}}]
derives: {{level: {{from: level, quantity: Temperature, unit: Cel}}}}
achieves:
  - keep:
      {{quantity: Temperature, place: "{{{{place}}}}", between: ["{{{{low}}}}", "{{{{high}}}}"], unit: Cel}}
"""


def template(name, *, required="[place]", more=""):
    return TEMPLATE.format(name=name, required=required, more=more)


def reach(world, goal, title="a goal"):
    return world.batch(lambda: world.services.create(title, None, {}, goal=goal))


def refused(made, name):
    (found,) = [each for each in made.chosen.others if each.template == name]
    return found


class TestChoosing:
    def test_a_goal_becomes_a_service(self, world):
        world.sensor("t", place="hq/1")
        world.actuator("h", place="hq/1")
        world.measure("t", 18)
        made = reach(world, KEEP)
        assert (made.template, made.parameters["low"], made.goal) == ("keep-within", 20, KEEP)
        assert made.chosen.reason == "it alone reaches it"
        assert world.obey() == [("h", True)]

    def test_what_lacks_an_actuator_waits_and_says_for_what(self, world):
        made = reach(world, KEEP)
        assert world.state(made.id).state == "waiting"
        assert "warmer or cooler: nothing that can" in world.state(made.id).missing[1]

    def test_what_could_work_at_once_is_taken(self, world):
        """The general template would wait for a heater; this one runs on what is there."""
        world.template(template("watch-only"))
        world.sensor("t", place="hq/1")
        world.measure("t", 22)
        made = reach(world, KEEP)
        assert made.template == "watch-only"
        other = refused(made, "keep-within")
        assert other.state == "waiting"
        assert "warmer or cooler" in other.reason

    def test_among_equals_what_is_made_for_it(self, world):
        world.template(
            template("watch-only", more="{heat: {capability: increase, quantity: Temperature}}"[1:-1])
        )
        world.sensor("t", place="hq/1")
        world.actuator("h", place="hq/1")
        world.measure("t", 22)
        made = reach(world, KEEP)
        assert made.template == "watch-only"
        assert refused(made, "keep-within").reason == "watch-only is made more for this goal"

    def test_what_runs_already_is_taken_again(self, world):
        world.sensor("t", place="hq/1")
        world.actuator("h", place="hq/1")
        world.measure("t", 22)
        first = world.keep(20, 24)
        world.template(
            template("watch-only", more="{heat: {capability: increase, quantity: Temperature}}"[1:-1])
        )
        made = reach(world, KEEP)
        assert made.composite == first
        assert "is there already" in made.chosen.reason

    def test_a_template_that_needs_more_says_so(self, world):
        world.template(template("asks-more", required="[place, who]"))
        made = reach(world, KEEP)
        other = refused(made, "asks-more")
        assert other.state is None
        assert other.reason.startswith("parameters.who")

    def test_what_no_template_reaches_is_refused_with_the_reasons(self, world):
        with pytest.raises(Invalid, match="no template reaches this goal") as refused:
            reach(world, {"maintain": {"quantity": "Temperature", "place": "x", "is": "hot"}})
        assert refused.value.field == "goal.maintain"

    def test_values_against_the_templates_schema_are_a_reason(self, world):
        world.template(template("watch-only"))
        made = reach(world, keep(between=[20, 40]))
        assert refused(made, "watch-only").reason.startswith("parameters.high")

    def test_a_repeat_is_the_same_service_though_another_template_fits_by_now(self, world):
        def ask(goal=KEEP):
            return world.batch(lambda: world.services.create("g", None, {}, goal=goal, service="key"))

        first = ask()
        world.sensor("t", place="hq/1")
        world.measure("t", 22)
        world.template(template("watch-only"))
        assert ask() == first

    def test_a_template_and_a_goal_contradict(self, world):
        with pytest.raises(Invalid) as refused:
            world.batch(lambda: world.services.create("g", "keep-within", {}, goal=KEEP))
        assert refused.value.field == "goal"


class TestWhatATemplateAchieves:
    @pytest.mark.parametrize(
        ("pattern", "field"),
        [
            ("{}", "achieves.0"),
            ("{while: {quantity: x, is: 1}}", "achieves.0"),
            ("{keep: 5}", "achieves.0.keep"),
            ("{keep: {quantity: Temperature}}", "achieves.0.keep"),
            ("{keep: {between: [1, 2]}}", "achieves.0.keep.quantity"),
            ("{keep: {quantity: Temperature, between: 5}}", "achieves.0.keep.between"),
            ("{keep: {quantity: Temperature, above: 5, for: 3}}", "achieves.0.keep.for"),
            ('{know: {quantity: Temperature, place: "{{place}}/x"}}', "achieves.0.know.place"),
        ],
    )
    def test_what_is_no_pattern_is_refused(self, pattern, field):
        source = template("t").partition("achieves:")[0] + f"achieves: [{pattern}]"
        with pytest.raises(Invalid) as refused:
            read_template(source)
        assert refused.value.field == field
