"""No command ever leaves a safety envelope, whoever gives it and whatever happens meanwhile.

The layers are the real ones over a real database; a monitor that knows nothing of them reads what leaves the
gate, and what things say of themselves, and holds each command to the envelopes as a person would by hand.
Its time is true time: it goes on when the clock is set back.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diat.kernel.errors import Refused
from diat.vol.interaction import Command, Order
from tests.unit.cvol.conftest import Told, World

CLOSE = 1e-6
FOLLOW = """
name: {name}
title: Follow
parameters: {{type: object}}
priority: {priority}
delivery: {delivery}
roles:
  source: {{capability: read, quantity: {source}, freshness: 100000}}
  target: {{capability: {way}, quantity: {target}, type: {type}, count: "0..", envelope: {envelope}}}
requires: [[source]]
steps:
  - {{id: level, do: latest, role: source}}
  {between}
  - {{id: drive, do: drive, role: target, input: {input}, otherwise: {otherwise}}}
"""
HYSTERESIS = '- {id: low, do: hysteresis, input: level, "on": below, low: 0, high: 1}'


class Monitor:
    """What each affordance was told and said, in true time (ms), and what was wrong with that."""

    def __init__(self) -> None:
        self.value: dict[tuple[str, str], tuple[float, int]] = {}
        self.position: dict[tuple[str, str], tuple[bool, int]] = {}
        self.checked = 0

    def said(self, what: tuple[str, str], value: Any, at: int) -> None:
        """A thing says what it does, by itself."""
        if self.position.get(what, (None, 0))[0] is not bool(value):
            self.position[what] = (bool(value), at)

    def leaves(self, what: tuple[str, str], value: Any, at: int, *envelopes: dict[str, float]) -> None:
        """A command leaves the gate."""
        self.checked += 1
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        on, since = self.position.get(what, (bool(value), at))
        for envelope in envelopes:
            if number is not None:
                assert envelope.get("min", number) <= number <= envelope.get("max", number), (what, value)
                if "max-rate" in envelope and what in self.value:
                    before, then = self.value[what]
                    passed = (at - then) / 1000
                    assert abs(number - before) <= envelope["max-rate"] * passed + CLOSE, (
                        what,
                        before,
                        value,
                    )
            if on is not bool(value):
                least = envelope.get("min-on" if on else "min-off", 0)
                assert at - since >= least * 1000, (what, on, value, at - since, least)
        if number is not None and (what not in self.value or self.value[what][0] != number):
            self.value[what] = (number, at)
        if on is not bool(value) or what not in self.position:
            self.position[what] = (bool(value), at)


class House(World):
    """A world whose messages are watched, whose link breaks, and whose clock is set."""

    def __init__(
        self, database: Path, envelopes: dict[str, dict[str, float]], role: dict[str, float]
    ) -> None:
        self.monitor = Monitor()
        self.envelopes, self.role = envelopes, role
        self.online = True
        self.ahead = 0
        self.unanswered: list[tuple[str, str, Any, str]] = []
        super().__init__(database)

    def _send(self, command: Command) -> None:
        if not command.reference:
            return
        if not self.online:
            return
        thing, channel = command.message.topic.split("/", 2)[1:]
        body = json.loads(command.message.payload)
        told = [(channel.split("/")[1], None)] if "v" not in body else list(body["v"].items())
        actuation = self.things.interaction.outbox.committed[command.reference]
        for name, value in told:
            self.unanswered.append((thing, name, value, body["id"]))
            limits = [self.envelopes[thing]]
            if actuation.service is not None:
                limits.append(self.role)
            if thing == "valve":  # by position or by action, it is one valve
                position = value if name == "position" else name == "open"
                self.monitor.leaves((thing, "position"), bool(position), self.now + self.ahead, *limits)
            else:
                self.monitor.leaves((thing, name), value, self.now + self.ahead, *limits)

    def set_back(self, seconds: float) -> None:
        """Somebody sets the clock back; true time goes on."""
        self.now -= round(seconds * 1000)
        self.ahead += round(seconds * 1000)
        self.later(0)

    def connect(self, online: bool) -> None:
        """The broker goes, or comes back."""
        if online and not self.online:
            self.online = True
            self.batch(self.layers.connected)
        self.online = online

    def try_to(self, change: Any) -> None:
        """A person tries something that may be refused."""
        with contextlib.suppress(Refused):
            self.batch(change)

    def answer_all(self, status: str) -> None:
        """Things answer what they were told, and say what they then do."""
        waiting, self.unanswered = self.unanswered, []
        for thing, name, value, reference in waiting:
            self.answer(Told(thing, name, value, reference), status, report=value is not None)

    def flip(self, thing: str, name: str, value: Any) -> None:
        """Somebody moves it at the thing itself, which says so."""
        self.monitor.said((thing, name), value, self.now + self.ahead)
        self.report(thing, **{name: value})


LEAST = st.sampled_from([10, 60, 300])
SWITCH = st.fixed_dictionaries({"min-on": LEAST, "min-off": LEAST})
NUMBER = st.fixed_dictionaries(
    {"max-rate": st.sampled_from([0.1, 1, 10])},
    optional={"min": st.just(0), "max": st.just(50), "min-on": LEAST, "min-off": LEAST},
)
ROLE = st.fixed_dictionaries({}, optional={"min-on": LEAST, "min-off": LEAST})
NUMBERS = st.sampled_from([-20, 0, 5, 30, 50, 80])
_usual = (
    st.tuples(st.just("measure"), NUMBERS),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 5, 20, 61])),
    st.tuples(st.just("write"), st.sampled_from(["lamp", "dimmer", "valve"]), NUMBERS),
    st.tuples(st.just("answer"), st.sampled_from(["completed", "completed", "failed"])),
)
_seldom = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([200, 1000])),
    st.tuples(st.just("invoke"), st.sampled_from(["open", "close"])),
    st.tuples(st.just("flip"), st.sampled_from(["lamp", "valve"]), st.booleans()),
    st.tuples(st.sampled_from(["pause", "resume", "delete", "make"]), st.sampled_from([0, 1, 2])),
    st.tuples(st.just("restart"), st.sampled_from([0.0, 3.0, 100.0])),
    st.tuples(st.just("set back"), st.sampled_from([3, 100, 7200])),
    st.tuples(st.just("connect"), st.sampled_from([False, True, True])),
    st.tuples(st.just("again"), st.sampled_from(["lamp", "dimmer", "valve"])),
)
SCRIPT = st.lists(st.one_of(*_usual, _seldom), min_size=10, max_size=30)


def announce(house: House, thing: str) -> None:
    envelope = {"diat:envelope": house.envelopes[thing]}
    driven = {"diat:affects": {"quantity": "Temperature", "direction": "increase"}, "idempotent": True}
    if thing == "lamp":
        house.announce("lamp", properties={"on": {"type": "boolean", **driven, **envelope}})
    elif thing == "dimmer":
        driven["diat:affects"] = {"quantity": "Illuminance", "direction": "increase"}
        house.announce("dimmer", properties={"level": {"type": "number", **driven, **envelope}})
    else:
        flow = {"quantity": "VolumeFlowRate"}
        house.announce(
            "valve",
            properties={
                "position": {"type": "boolean", "diat:affects": {**flow, "direction": "switch"}, **envelope}
            },
            actions={
                "open": {"diat:affects": {**flow, "direction": "increase"}},
                "close": {"diat:affects": {**flow, "direction": "decrease"}},
            },
        )


SERVICES = ("warm", "bright", "flow")


def begin(house: House, priority: str, delivery: str) -> None:
    for thing in ("lamp", "dimmer", "valve"):
        announce(house, thing)
    house.sensor("meter")
    said = {"priority": priority, "delivery": delivery, "source": "Temperature"}
    said["envelope"] = json.dumps(house.role)
    switch = {"type": "boolean", "between": HYSTERESIS, "input": "low", "otherwise": "false"}
    house.template(FOLLOW.format(name="warm", way="increase", target="Temperature", **said | switch))
    number = {"type": "number", "between": "", "input": "level", "otherwise": "0"}
    house.template(FOLLOW.format(name="bright", way="increase", target="Illuminance", **said | number))
    house.template(FOLLOW.format(name="flow", way="switch", target="VolumeFlowRate", **said | switch))


def play(house: House, turn: tuple[Any, ...], made: dict[int, str]) -> None:
    match turn:
        case ("measure", value):
            house.measure("meter", value)
        case ("wait", seconds):
            house.later(seconds)
        case ("write", thing, number):
            name = {"lamp": "on", "dimmer": "level", "valve": "position"}[thing]
            value = number if thing == "dimmer" else number > 0
            write = house.things.interaction.write
            house.try_to(lambda: write(f"urn:dev:{thing}", name, value, house.now, Order(hold=30_000)))
        case ("invoke", action):
            invoke = house.things.interaction.invoke
            house.try_to(lambda: invoke("urn:dev:valve", action, None, house.now, Order(hold=0)))
        case ("answer", status):
            house.answer_all(status)
        case ("flip", thing, value):
            house.flip(thing, "on" if thing == "lamp" else "position", value)
        case ("pause", which) if which in made:
            house.pause(made[which])
        case ("resume", which) if which in made:
            house.resume(made[which])
        case ("delete", which) if which in made:
            house.delete(made.pop(which))
        case ("make", which) if which not in made:
            made[which] = house.service(SERVICES[which])
        case ("restart", away):
            house.restart(away)
        case ("set back", seconds):
            house.set_back(seconds)
        case ("connect", online):
            house.connect(online)
        case ("again", thing):
            house.withdraw(thing)
            announce(house, thing)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    lamp=SWITCH,
    dimmer=NUMBER,
    valve=SWITCH,
    role=ROLE,
    priority=st.sampled_from(["safety", "automation"]),
    delivery=st.sampled_from(["exactly-once", "at-least-once", "at-most-once"]),
    script=SCRIPT,
)
def test_no_safety_envelope_is_ever_breached(
    lamp: dict[str, float],
    dimmer: dict[str, float],
    valve: dict[str, float],
    role: dict[str, float],
    priority: str,
    delivery: str,
    script: list[tuple[Any, ...]],
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        house = House(Path(directory) / "diat.db", {"lamp": lamp, "dimmer": dimmer, "valve": valve}, role)
        try:
            begin(house, priority, delivery)
            house.measure("meter", -20)
            made = {which: house.service(SERVICES[which]) for which in range(3)}
            for turn in script:
                play(house, turn, made)
            house.connect(True)
            house.later(2000)
        finally:
            house.close()
