"""What happened in the demo: milestones by elapsed seconds, and one line for each change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from diat.cli.demo_rest import ServiceView, Shown, Snapshot

WARM = "Keep the living room warm"
MEAN = "Mean temperature at home"

SLACK = 0.15
"""K beyond the band that are no failure: the service switches at its edge, and noise and lag come on top."""

_STEP = 0.5
"""K by which a room's temperature must move to be told again."""


@dataclass(slots=True)
class Milestones:
    """Seconds after the platform was ready; None: not yet."""

    thing: float | None = None
    command: float | None = None
    band: float | None = None

    def reached(self) -> str:
        """What was reached and when, as one sentence part."""
        told = [f"{what} after {when:.1f} s" for what, when in self._named() if when is not None]
        return ", ".join(told) or "nothing yet"

    def missing(self) -> str:
        """What was not reached; empty if all was."""
        return ", ".join(what for what, when in self._named() if when is None)

    def _named(self) -> Iterator[tuple[str, float | None]]:
        yield "first thing", self.thing
        yield "heater commanded", self.command
        yield "in band", self.band


class Story:
    """Compares each snapshot with what was known."""

    def __init__(self) -> None:
        self.milestones = Milestones()
        self._things: dict[str, str] = {}
        self._states: dict[str, str] = {}
        self._commands: dict[str, str] = {}
        self._told: dict[str, float] = {}

    def follow(self, snapshot: Snapshot, elapsed: float) -> list[str]:
        """Take note of a snapshot made ``elapsed`` seconds after the start; answers with what is new."""
        return [
            *self._follow_things(snapshot, elapsed),
            *self._follow_services(snapshot, elapsed),
            *self._follow_commands(snapshot, elapsed),
        ]

    def _follow_things(self, snapshot: Snapshot, elapsed: float) -> Iterator[str]:
        own = {service.thing for service in snapshot.services}
        for thing in snapshot.things.values():
            if thing.id in own:
                continue
            if self.milestones.thing is None:
                self.milestones.thing = elapsed
            before = self._things.get(thing.id)
            if before is None:
                where = f" in {thing.place}" if thing.place else ""
                yield f"thing: {thing.title}{where} ({thing.dialect or 'unknown dialect'})"
            elif before != thing.status:
                yield f"thing: {thing.title} is {thing.status}"
            self._things[thing.id] = thing.status

    def _follow_services(self, snapshot: Snapshot, elapsed: float) -> Iterator[str]:
        for service in snapshot.services:
            if self._states.get(service.id) != service.state:
                why = f", missing {'; '.join(service.missing)}" if service.missing else ""
                yield f"service: {service.title} is {service.state}{why}"
                self._states[service.id] = service.state
            value = measured(snapshot, service)
            if value is None or not _is_number(value.value):
                continue
            told = f"service: {service.title}: {value.value:.2f} {pretty_unit(value.unit)}"
            if in_band(snapshot, service) and self.milestones.band is None:
                self.milestones.band = elapsed
                yield f"{told}, in its band"
            elif abs(value.value - self._told.get(service.id, float("inf"))) >= _STEP:
                yield told
            else:
                continue
            self._told[service.id] = value.value

    def _follow_commands(self, snapshot: Snapshot, elapsed: float) -> Iterator[str]:
        titles = {service.id: service.title for service in snapshot.services}
        for command in reversed(snapshot.commands):
            if self.milestones.command is None and command.service in titles:
                self.milestones.command = elapsed
            if self._commands.get(command.id) != command.status:
                who = titles.get(command.service or "", "a person")
                what = f"{command.affordance} = {pretty(command.input)}"
                yield f"command: {what} to {snapshot.title(command.thing)} by {who}: {command.status}"
                self._commands[command.id] = command.status


def measured(snapshot: Snapshot, service: ServiceView) -> Shown | None:
    """The number that a service is about: what it measures, or what it makes."""
    own = snapshot.things.get(service.thing or "")
    readings = list(own.readings.values()) if own is not None else bound_readings(snapshot, service)
    return next((shown for shown in readings if _is_number(shown.value)), None)


def driven(snapshot: Snapshot, service: ServiceView) -> Shown | None:
    """The state of the actuator that a service drives, if it drives one."""
    readings = bound_readings(snapshot, service)
    return next((shown for shown in readings if isinstance(shown.value, bool)), None)


def bound_readings(snapshot: Snapshot, service: ServiceView) -> list[Shown]:
    """The last readings of what a service bound, in the order of its bindings."""
    readings = (snapshot.reading(bound.thing, bound.affordance) for bound in service.bindings)
    return [shown for shown in readings if shown is not None]


def in_band(snapshot: Snapshot, service: ServiceView, slack: float = 0.0) -> bool | None:
    """Whether what a ``keep-within`` measures is in its band, give or take; None if it cannot be said."""
    shown = measured(snapshot, service)
    low, high = service.parameters.get("low"), service.parameters.get("high")
    if shown is None or low is None or high is None or shown.quality == "bad":
        return None
    return bool(low - slack <= shown.value <= high + slack)


def pretty(value: Any) -> str:
    """A value for a person."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def pretty_unit(unit: str) -> str:
    """A UCUM unit for a person."""
    return "°C" if unit == "Cel" else unit


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
