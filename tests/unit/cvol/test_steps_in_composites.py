"""Steps at work in composites: joined, kept over restarts and rests, refused where the template cannot be."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from diat.cvol.steps import SHIPPED
from diat.cvol.steps.wiring import wire
from diat.cvol.template import order
from diat.kernel.errors import Invalid
from diat.service.templates import read_template

AVERAGE = """
name: average
title: Mean over time
parameters:
  type: object
  properties: {size: {type: number, exclusiveMinimum: 0}, limit: {type: number, default: 30}}
  required: [size]
roles:
  sensor: {capability: read, quantity: Temperature, place: hq, unit: Cel, count: "1..", freshness: 600}
steps:
  - {id: level, do: latest, role: sensor}
  - {id: plausible, do: filter, input: level, expr: "value < limit", parameters: {limit: "{{limit}}"}}
  - {id: average, do: window, role: sensor, kind: tumbling, size: "{{size}}", lateness: 60, aggregate: mean}
  - {id: last, do: window, input: plausible, kind: sliding, size: 300, aggregate: count}
derives:
  mean: {from: average, type: number}
  count: {from: last, type: integer}
"""


def derived(world, service, name):
    reading = world.twin(f"urn:diat:composite:{service}").values.get(name)
    return None if reading is None else reading.value


class TestAtWork:
    def test_a_window_survives_a_restart_in_its_midst(self, kept_world):
        world = kept_world
        world.sensor("a", place="hq/1")
        world.measure("a", 10.0)
        world.template(AVERAGE)
        service = world.service("average", size=600)
        world.later(100)
        world.measure("a", 20.0)
        world.restart(away=100)
        world.measure("a", 30.0)
        assert derived(world, service, "mean") is None
        world.later(400 + 59)
        assert derived(world, service, "mean") is None
        world.later(2)
        assert derived(world, service, "mean") == pytest.approx(25.0), "what came since the service began"

    def test_what_is_late_is_of_the_time_at_which_it_was_observed(self, world):
        world.sensor("a", place="hq/1")
        world.measure("a", 0.0)
        world.template(AVERAGE)
        service = world.service("average", size=600)
        world.later(590)
        world.measure("a", 10.0)
        world.later(20)
        world.measure("a", 50.0)
        world.measure("a", 30.0, at=world.now - 15_000)
        world.later(60)
        assert derived(world, service, "mean") == pytest.approx(20.0), "10 and 30, not the 50 of the next"

    def test_a_window_is_kept_while_the_service_rests(self, world):
        world.sensor("a", place="hq/1")
        world.measure("a", 1.0)
        world.template(AVERAGE)
        service = world.service("average", size=600)
        world.later(10)
        world.measure("a", 40.0)
        world.pause(service)
        world.later(10)
        world.resume(service)
        world.later(10)
        world.measure("a", 20.0)
        world.later(500)
        world.measure("a", 15.0)
        world.later(200)
        assert derived(world, service, "mean") == pytest.approx(25.0)

    def test_a_timer_of_one_step_is_no_item_for_another(self, world):
        world.sensor("a", place="hq/1")
        world.measure("a", 1.0)
        world.template(AVERAGE)
        service = world.service("average", size=10)
        for _ in range(4):
            world.later(50)  # windows of 10 s end meanwhile, and wake the composite
            world.measure("a", 1.0)
        assert derived(world, service, "count") == 5

    def test_what_was_left_out_is_noted(self, world):
        world.sensor("a", place="hq/1")
        world.measure("a", 1.0)
        world.template(AVERAGE)
        service = world.service("average", size=60)
        world.later(300)
        world.measure("a", 5.0, at=world.now - 200_000)
        assert world.state(service).notes == {"average": "left out: 1 came too late for their window"}

    def test_the_sun_says_why_it_does_not_know(self, world):
        world.sensor("a", place="hq/1")
        world.measure("a", 1.0)
        world.template(
            AVERAGE.replace("{id: level, ", "{id: dark, do: sun, event: sunset}\n  - {id: level, ")
        )
        service = world.service("average", size=60)
        assert "latitude" in world.state(service).notes["dark"]


def test_what_pulses_goes_on_pulsing_through_formulas_and_joins_but_not_through_switches():
    steps = [
        ("notice", {"id": "rung", "role": "bell"}),
        ("setting", {"id": "armed", "property": "armed"}),
        ("filter", {"id": "twice", "input": "rung", "expr": "value > 1"}),
        ("map", {"id": "told", "inputs": {"a": "armed", "b": "twice"}, "expr": "a && b > 1"}),
        ("join", {"id": "both", "inputs": {"a": "armed", "b": "told"}, "within": 5}),
        ("hold", {"id": "held", "input": "twice", "seconds": 5}),
        ("map", {"id": "other", "input": "held", "expr": "value"}),
    ]
    wires = wire([SHIPPED[word].model_validate(fields) for word, fields in steps])
    assert {each.step.id for each in wires if each.beats} == {"rung", "twice", "told", "both"}
    assert next(each.pulses for each in wires if each.step.id == "told") == {"b"}


def with_step(step):
    """A template in which one step stands instead of the filter."""
    lines = AVERAGE.splitlines()
    at = next(at for at, line in enumerate(lines) if "id: plausible" in line)
    lines[at] = f"  - {{id: plausible, {step}}}"
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("do: map, input: level, expr: 'value + x'", "1.expr: there is no 'x' here; there is now, value"),
        ("do: map, input: level, expr: 'value +'", "1.expr: not a formula in CEL"),
        (
            "do: map, inputs: {a: level}, expr: 'a > lim', parameters: {limit: '{{limit}}'}",
            "1.expr: there is no 'lim' here; there is a, limit, now",
        ),
        ("do: window, input: level, kind: tumbling, aggregate: mean", "1: a tumbling window wants size"),
        ("do: window, input: level, kind: tumbling, size: 0, aggregate: mean", "1.size: "),
        ("do: window, input: level, kind: state, while: gone, aggregate: mean", "1.while: there is no step"),
        ("do: sequence, first: level, then: gone, within: 5", "1.then: there is no step 'gone'"),
        ("do: join, inputs: {a: level, b: gone}, within: 5", "1.inputs.b: there is no step 'gone'"),
        ("do: absence, after: level, of: {}, within: 5", "1.of: "),
        (
            "do: machine, initial: a, states: {a: [{to: b, after: 5}]}",
            "1.states: a.0.to: there is no state 'b'",
        ),
        ("do: schedule, cron: 'x', for: 5", "1.cron: not a cron line"),
        ("do: sun, event: elevation", "1: above is wanted"),
        ("do: sequence, first: last, then: last, within: 5", "they form a cycle"),
    ],
)
def test_what_no_parameter_decides_is_refused_when_the_template_is_added(step, why):
    with pytest.raises(Invalid) as refusal:
        read_template(with_step(step))
    assert f"{refusal.value.field}: {refusal.value}".removeprefix("steps").lstrip(".: ").startswith(why)


def test_what_a_parameter_decides_is_refused_when_a_service_is_made(world):
    world.template(AVERAGE)
    with pytest.raises(Invalid) as refusal:
        world.service("average", size=0.25)
    assert refusal.value.field == "parameters.size"


def test_every_field_that_names_a_step_is_known_to_the_order():
    for word, kind in SHIPPED.items():
        for name in {"input", "first", "then", "after", "of", "while"} & {
            field.alias or key for key, field in kind.model_fields.items()
        }:
            steps = [{"id": "b", "do": word, name: "a"}, {"id": "a", "do": "latest"}]
            assert order(steps) == ["a", "b"], (word, name)


DOUBLED = '''
from diat.cvol.steps import Given, Outcome, Step


class Doubled(Step):
    """Twice the input."""

    input: str

    def run(self, given: Given) -> Outcome:
        return Outcome(None if given.value is None else 2 * given.value)
'''
USES_IT = """
from diat.cvol.composite import Composite
from diat.cvol.composing import compose
from diat.cvol.evaluation import Inputs, evaluate
from diat.cvol.steps import STEPS, Sample
from diat.service.templates import read_template

assert "broken" not in STEPS and STEPS["latest"].__module__ == "diat.cvol.steps.sources"
made = read_template('''
name: twice
title: Twice
parameters: {type: object, properties: {}}
roles: {sensor: {capability: read, quantity: Temperature, unit: Cel}}
steps:
  - {id: level, do: latest, role: sensor}
  - {id: twice, do: doubled, input: level}
derives: {twice: {from: twice}}
''')
composite = compose(made, {}, "s", "Twice")
samples = {"sensor": [Sample(4.0, observed=1, position=1)]}
print(evaluate(composite, {}, Inputs(samples=samples, now=1)).values["twice"])
"""


def test_a_step_of_another_package_is_found_by_its_entry_point(tmp_path):
    (tmp_path / "house_steps.py").write_text(DOUBLED)
    info = tmp_path / "house_steps-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: house-steps\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[diat.steps]\ndoubled = house_steps:Doubled\nlatest = house_steps:Doubled\nbroken = gone:Gone\n"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    ran = subprocess.run(
        [sys.executable, "-c", USES_IT],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout.strip() == "8.0", ran.stderr
    assert "'broken'" in ran.stderr
    assert "'latest'" in ran.stderr


LATCH = """
name: latch
title: Wet until it is reset
parameters: {type: object}
roles:
  wet: {capability: read, quantity: WaterLeak, count: "0.."}
settings:
  reset: {type: boolean, default: false}
steps:
  - {id: wet, do: fuse, role: wet, by: any}
  - {id: reset, do: setting, property: reset}
  - id: phase
    do: machine
    inputs: {wet: wet, reset: reset}
    initial: dry
    states: {dry: [{to: leaking, when: wet && !reset}], leaking: [{to: dry, when: reset}]}
derives:
  phase: {from: phase, type: string}
"""


def test_what_is_derived_without_a_newer_reading_is_of_the_time_at_which_it_became_so(world):
    for name in ("early", "late"):
        prop = {"type": "boolean", "readOnly": True, "@type": "quantitykind:WaterLeak"}
        world.announce(name, properties={"wet": prop})
    world.report("early", wet=False)
    world.template(LATCH)
    service = world.service("latch")
    world.later(60)
    world.report("late", wet=True)
    world.status("late", "offline")  # so the newest reading that is left is older than the leak
    world.later(60)
    thing = f"urn:diat:composite:{service}"
    world.batch(lambda: world.things.interaction.write(thing, "reset", True, world.now))
    reading = world.twin(thing).values["phase"]
    assert (reading.value, reading.observed) == ("dry", world.now)
