"""A native thing, as our firmware is one: describes itself, reports, performs each command once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from diat.kernel.clock import Clock, system_clock
from diat.simulation.link import Address, Inbound, LastWill, Link
from diat.simulation.memory import CommandMemory, Outcome
from diat.wire import topics
from diat.wire.envelope import encode

Setter = Callable[[Any], Any]
"""Takes the value that a property shall have and answers with the one it now has.

A ``ValueError`` fails the command; its text is the reason.
"""

Performer = Callable[[Any], Any]
"""Takes the input of an action (None if there is none) and answers with its output, or ``ValueError``."""


class _Command(Struct):
    id: str
    v: Any = None
    input: Any = None
    expires: int | float | None = None


_COMMAND = msgspec.json.Decoder(_Command)


class NativeNode:
    """A well-behaved native thing.

    Every message carries ``(b, n)``: ``b`` is this object's start, ``n`` counts up from 1. What the broker
    has not acknowledged is sent again with the same pair. When ``backlog`` messages wait, new ones are given
    up and that is reported as ``lost`` as soon as there is room. The session is persistent: commands given
    while the node is away arrive later, and are answered ``expired`` if that is too late.

    Args:
        thing: its name in topics.
        td: its Thing Description without ``forms``; a property that has a setter must not be ``readOnly``.
        setters: what to do when a property is set.
        performers: what to do when an action is invoked.
        memory: file that remembers the commands across a kill; None remembers within the process only.
        boot: what to send as ``b``; it must never come again for this thing.
        on_connected: called on the network thread after every connect, once the node has announced itself.
    """

    def __init__(
        self,
        address: Address,
        thing: str,
        td: Mapping[str, Any],
        *,
        setters: Mapping[str, Setter] | None = None,
        performers: Mapping[str, Performer] | None = None,
        memory: Path | None = None,
        clock: Clock = system_clock,
        boot: int | None = None,
        backlog: int = 10_000,
        on_connected: Callable[[], None] | None = None,
    ) -> None:
        self.thing = thing
        self._td = dict(td)
        self._setters = dict(setters or {})
        self._performers = dict(performers or {})
        self._memory = CommandMemory(memory)
        self._clock = clock
        self._on_connected = on_connected
        self.boot = clock() if boot is None else boot
        self._backlog = backlog
        self._numbering = threading.Lock()
        self._n = 0
        self._open: set[int] = set()
        self._given_up: tuple[int, int] | None = None
        self._actions = topics.action(thing, "")
        self._link = Link(
            address,
            f"diat-{thing}",
            will=LastWill(topics.status(thing), b"offline"),
            subscriptions=(topics.setting(thing), self._actions + "+"),
            on_message=self._commanded,
            on_connected=self._announce,
            persistent=True,
        )

    def start(self) -> None:
        """Connect and announce, now or as soon as there is a broker; returns at once."""
        self._link.open()

    def stop(self) -> None:
        """Say ``offline`` and leave."""
        if self._link.wait_connected(0):
            self._link.publish(topics.status(self.thing), b"offline", retain=True)
        self._link.close()

    def wait_connected(self, timeout: float) -> bool:
        """Whether the node is connected within so many seconds."""
        return self._link.wait_connected(timeout)

    def drain(self, timeout: float) -> bool:
        """Whether the broker acknowledged everything within so many seconds."""
        return self._link.drain(timeout)

    @property
    def unacknowledged(self) -> frozenset[int]:
        """The ``n`` of what was sent and not yet acknowledged."""
        return frozenset(self._open.copy())

    def report(self, values: Mapping[str, Any], *, t: int | None = None) -> int:
        """Report values of properties, observed now or at ``t`` (Unix milliseconds); gives its ``n``."""
        return self._send(topics.properties(self.thing), {"v": dict(values)}, t)

    def emit(self, event: str, data: Any = None, *, t: int | None = None) -> int:
        """Tell of an event; gives its ``n``."""
        return self._send(topics.event(self.thing, event), {"data": data}, t)

    def _send(self, topic: str, body: dict[str, Any], t: int | None) -> int:
        lost: tuple[int, int] | None = None
        with self._numbering:
            self._n += 1
            n = self._n
            stamp = self._clock() if t is None else t
            if self._link.unacknowledged >= self._backlog:
                first = self._given_up[0] if self._given_up else n
                self._given_up = (first, n)
                return n
            lost, self._given_up = self._given_up, None
        if lost is not None:
            self._link.publish(topics.properties(self.thing), encode({"b": self.boot, "lost": lost}))
        self._open.add(n)
        message = encode({"b": self.boot, "n": n, "t": stamp, **body})
        self._link.publish(topic, message, on_acknowledged=lambda: self._open.discard(n))
        return n

    def _announce(self) -> None:
        self._link.publish(topics.announcement(self.thing), encode(self._td), retain=True)
        self._link.publish(topics.status(self.thing), b"online", retain=True)
        if self._on_connected is not None:
            self._on_connected()

    def _commanded(self, message: Inbound) -> None:
        """Perform a command and answer it; called on the network thread, so one after the other.

        The answer is queued before the command is acknowledged: a kill in between brings the command again.
        """
        if message.retained:
            return  # it would be performed again at every connect
        try:
            command = _COMMAND.decode(message.payload)
        except msgspec.MsgspecError:
            return  # without an id there is nobody to answer
        outcome = self._memory.outcome(command.id)
        if outcome is None:
            outcome = self._perform(message.topic, command)
            self._memory.finish(outcome)
        self._link.publish(topics.results(self.thing), encode(outcome))

    def _perform(self, topic: str, command: _Command) -> Outcome:
        if command.expires is not None and self._clock() > command.expires:
            return Outcome(command.id, "expired")
        try:
            if topic == topics.setting(self.thing):
                self._set(command)
                return Outcome(command.id, "completed")
            return Outcome(command.id, "completed", self._invoke(topic.removeprefix(self._actions), command))
        except ValueError as error:
            return Outcome(command.id, "failed", error=str(error))

    def _set(self, command: _Command) -> None:
        values = command.v
        if not isinstance(values, dict) or not values:
            raise ValueError("v must be an object of values")
        unknown = [name for name in values if name not in self._setters]
        if unknown:
            raise ValueError(f"cannot be set: {', '.join(unknown)}")
        if not all(self._repeatable("properties", name) for name in values):
            self._memory.begin(command.id)
        self.report({name: self._setters[name](value) for name, value in values.items()})

    def _invoke(self, name: str, command: _Command) -> Any:
        if name not in self._performers:
            raise ValueError(f"there is no action {name}")
        if not self._repeatable("actions", name):
            self._memory.begin(command.id)
        return self._performers[name](command.input)

    def _repeatable(self, kind: Literal["properties", "actions"], name: str) -> bool:
        affordance = self._td.get(kind, {}).get(name, {})
        return bool(affordance.get("idempotent") or affordance.get("safe"))
