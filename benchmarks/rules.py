"""What a rule costs: microseconds of CPU time a reading through filter, window and rule, beside Node-RED.

One platform with its broker, and one Node-RED on that broker, in one run. Each has twenty thermometers whose
readings go through the rule of ``rule_feed`` to a heater each, and twenty whose readings it only takes. The
same feeder sends both the same readings, by turns. What the rule costs is what the one kind of thermometer
costs more than the other.

The platform puts every reading, every decision and what its steps remember into its database before it
acknowledges or sends anything; Node-RED keeps nothing. So the two are not the same service: the ratio says
what that costs.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import mqtt, node_red, things
from benchmarks.rule_feed import THINGS, Heaters, heater, sensor
from benchmarks.rule_turns import RED, Decisions, Plan, Side, Turns
from benchmarks.subjects import Platform

TEMPLATE = """\
name: bench-heat
title: Heat while the mean is low
parameters:
  type: object
  properties: {place: {type: string}}
  required: [place]
roles:
  sensor: {capability: read, quantity: Temperature, place: "{{place}}", unit: Cel}
  heater: {capability: increase, quantity: Temperature, place: "{{place}}"}
steps:
  - {id: level, do: latest, role: sensor}
  - {id: plausible, do: filter, input: level, expr: "value > -40 && value < 85"}
  - {id: average, do: window, input: plausible, kind: count, size: 9, aggregate: mean}
  - {id: cold, do: hysteresis, input: average, "on": below, low: 20, high: 24}
  - {id: heat, do: drive, role: heater, input: cold}
"""


@dataclass(frozen=True, slots=True)
class Rules:
    """Both sides; ``missing`` says why there is no Node-RED."""

    platform: Side
    red: Side | None
    missing: str = ""

    @property
    def summary(self) -> str:
        """The line that is watched over time."""
        ours = 1e6 * self.platform.cost
        if self.red is None:
            return f"rule cost: diat {ours:.0f} us a reading, node-red not measured: {self.missing}"
        theirs = 1e6 * self.red.cost
        ratio = statistics.median(
            one / other for one, other in zip(self.platform.ruled, self.red.ruled, strict=True)
        )
        return f"rule cost: diat {ours:.0f} us, node-red {theirs:.0f} us a reading, ratio {ratio:.2f}"


class _RuledPlatform(Platform):
    """A platform that listens to what is meant for it alone."""

    def __init__(self, broker: str, data: Path) -> None:
        self._known: set[str] = set()
        super().__init__(broker, data)

    def _arguments(self, broker: str) -> list[str]:
        return [*super()._arguments(broker), "--subscribe", "diat/#", "--subscribe", "wot/#"]

    def decided(self) -> Decisions:
        """What it decided since it was asked before.

        Not all of it is sent: of two set-points for one heater within a batch only the newer one is.
        """
        answer = self._rest.get("/actuations", params={"limit": 1000}).json()
        fresh = [each for each in answer if each["id"] not in self._known]
        told: Decisions = {}
        for each in sorted(fresh, key=lambda each: each["cause"][-1]):
            self._known.add(each["id"])
            told.setdefault(each["thing"].removeprefix("urn:dev:"), []).append(each["input"])
        return told

    def furnish(self) -> None:
        """Announce the things; a service for each thermometer that has a heater."""
        with mqtt.Connection(self.address, "bench-announce") as link:
            for number in range(THINGS):
                for name, td in (
                    (sensor(number, ruled=True), things.sensor_td(number)),
                    (heater(number), things.heater_td(number)),
                    (sensor(number, ruled=False), things.sensor_td(number + THINGS)),
                ):
                    link.publish_all(things.announcement(name, td))
        self.add_template(TEMPLATE)
        for number in range(THINGS):
            place = {"place": f"bench/room-{number}"}
            self.create_service({"title": f"Heat {number}", "template": "bench-heat", "parameters": place})


def measure_rules(broker: str, directory: Path, plan: Plan, say: Callable[[str], None]) -> Rules:
    """Measure both by turns.

    Raises:
        BenchmarkFailed: a command was lost, came twice, or was the wrong one.
    """
    try:
        script = node_red.installed(may_install=plan.may_install)
    except node_red.NodeRedMissing as why:
        say(f"rules: Node-RED is not measured: {why}")
        script, missing = None, str(why)
    else:
        missing = ""
    with _RuledPlatform(broker, directory / "rules") as platform:
        platform.furnish()
        with Heaters(platform.address, "diat", RED) as heaters:
            ours = Turns(platform, heaters, "diat", platform.pids[0], platform.decided)
            if script is None:
                _take_turns(plan, [ours], say)
                return Rules(ours.side, None, missing)
            with node_red.NodeRed(script, platform.address, directory / "node-red") as red:
                theirs = Turns(platform, heaters, RED, red.pid, heaters.told)
                _take_turns(plan, [ours, theirs], say)
                return Rules(ours.side, theirs.side)


def _take_turns(plan: Plan, sides: list[Turns], say: Callable[[str], None]) -> None:
    for each in sides:
        each.warm_up()
    for turn in range(1, plan.rounds + 1):
        for each in sides:
            each.full_speed(plan)
            each.paced(plan)
            side = each.side
            say(
                f"rules {turn} of {plan.rounds}: {each.name} {1e6 * side.ruled[-1]:.0f} us a reading with "
                f"the rule, {1e6 * side.plain[-1]:.0f} us without"
            )
