"""Commands: who wants one, what is durable of it, and the message that carries it."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, Literal

from msgspec import Struct

from diat.vol.arbitration import HOLD
from diat.vol.dialects.port import Outgoing
from diat.vol.thing import NO_LIMITS, Envelope

LIFETIME = 60_000
"""Milliseconds in which a command must be performed unless its sender says otherwise."""
State = Literal["pending", "completed", "failed", "expired", "in-doubt"]
Kind = Literal["property", "action"]
Delivery = Literal["at-most-once", "at-least-once", "exactly-once"]
"""What is promised of a command: sent once and not again; sent until it is confirmed, though it may be done
twice; its effect once, and ``in-doubt`` where nobody can know."""


class Order(Struct, frozen=True, kw_only=True):
    """Who wants a command, and how.

    Attributes:
        service: the service that wants it, which must have won the actuator; None for a person.
        cause: ingest positions of the readings behind it.
        why: what else explains it, as the layer above puts it; JSON.
        decided: when it was decided, Unix milliseconds; None for just now. Least times are held by it.
        command_id: the command's id, made up if not given.
        lifetime: milliseconds in which it must be performed.
        hold: milliseconds for which a person's command keeps services off the actuator.
        delivery: what is promised.
        envelope: limits beside those of the affordance.
        letting_go: whether it brings to rest what nobody claims any more, which no policy stands against.
    """

    service: str | None = None
    cause: tuple[int, ...] = ()
    why: dict[str, Any] | None = None
    decided: int | None = None
    command_id: str | None = None
    lifetime: int = LIFETIME
    hold: int = HOLD
    delivery: Delivery = "exactly-once"
    envelope: Envelope = NO_LIMITS
    letting_go: bool = False


BY_HAND = Order()


class Actuation(Struct, frozen=True, kw_only=True):
    """A command and what became of it.

    Attributes:
        kind: whether a property is set or an action invoked.
        input: the value, or the action's input.
        service: id of the service that gave it, None if a person did.
        cause: ingest positions of the readings that it was decided on.
        why: what else explains it: template, step, binding, as the layer that decided puts it.
        decided: when it was decided, Unix milliseconds as all times here; ``created`` is when it was given.
        position: ingest position of what had come last by then.
        fingerprint: what a repeat under the same idempotency key must equal.
    """

    id: str
    thing: str
    affordance: str
    kind: Kind
    input: Any = None
    service: str | None = None
    cause: tuple[int, ...] = ()
    why: dict[str, Any] | None = None
    delivery: Delivery = "exactly-once"
    decided: int = 0
    position: int = 0
    created: int
    expires: int
    state: State = "pending"
    resolved: int | None = None
    output: Any = None
    error: Any = None

    @property
    def open(self) -> bool:
        """Whether it still waits for its end."""
        return self.state == "pending"


class Command(Struct, frozen=True):
    """An outgoing message; ``reference`` is the actuation that it carries, empty if none."""

    message: Outgoing
    reference: str = ""


class Endings:
    """Tells those who wait how a command ended, once that is durable."""

    def __init__(self) -> None:
        self._waiting: dict[str, Future[Actuation]] = {}
        self._ended: list[Actuation] = []

    def of(self, reference: str) -> Future[Actuation]:
        """The end of a command that is being given in the running batch."""
        future: Future[Actuation] = Future()
        self._waiting[reference] = future
        return future

    def note(self, actuation: Actuation) -> None:
        """A command ended within the running batch."""
        if actuation.id in self._waiting:
            self._ended.append(actuation)

    def commit(self) -> None:
        """Tell."""
        for actuation in self._ended:
            future = self._waiting.pop(actuation.id, None)
            if future is not None and future.set_running_or_notify_cancel():
                future.set_result(actuation)
        self._ended = []

    def rollback(self) -> None:
        """They did not end."""
        self._ended = []
