"""A composite: a template with its parameters, ready to run, and what it remembers while it runs."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from msgspec import Struct

from diat.cvol.matching import BindingKind, How
from diat.cvol.steps import Step
from diat.cvol.steps.effects import Drive, Webhook
from diat.cvol.steps.parts import TOLD
from diat.cvol.steps.wiring import Wire, wire
from diat.cvol.template import Derived, Emitted, Settable
from diat.cvol.wanted import Wanted
from diat.security.form import Form
from diat.vol.arbitration import Priority
from diat.vol.dialects.port import Description
from diat.vol.interaction import Delivery
from diat.vol.twin import Reading
from diat.wot.quantities import default_unit, quantity_kind
from diat.wot.units import ucum

State = Literal["running", "degraded", "waiting", "paused", "failed"]


class Binding(Struct, frozen=True, kw_only=True):
    """An affordance that fills a role.

    Attributes:
        kind: what of the thing it is.
        unit: UCUM code that its values come in, or are given in.
        accuracy: half width of its error, in the role's unit.
        opposite: of a pair of actions, the one that decreases.
        how: of a switch, how it is driven.
        cost: what is lost if it stands in for what was wanted; empty if it is what was wanted.
        reason: why it was chosen, for a person.
        since: when it was bound, Unix milliseconds.
        form: in which form its values are read, by the policies that hold; None for as they are.
    """

    role: str
    thing: str
    affordance: str
    kind: BindingKind = "property"
    unit: str | None = None
    accuracy: float | None = None
    opposite: str = ""
    how: How = "plain"
    cost: str = ""
    reason: str = ""
    since: int = 0
    form: Form | None = None

    @property
    def key(self) -> str:
        """``thing affordance``: what it binds."""
        return f"{self.thing} {self.affordance}"


class Denied(Struct, frozen=True):
    """An affordance that would fill a role, were it not for a role or a policy of security."""

    role: str
    thing: str
    affordance: str
    kind: BindingKind = "property"
    opposite: str = ""
    reason: str = ""


class Told(Struct, frozen=True):
    """The one value of an interval that a composite is told: value, beginning of the interval, position."""

    value: Any
    at: int
    position: int


class Driven(Struct, frozen=True):
    """What an actuator was last told: the value, the command's id, when (Unix milliseconds)."""

    value: Any
    actuation: str
    at: int


class Held(Struct, frozen=True, array_like=True):
    """A reading or an event that waits to be run on: of what, and what."""

    thing: str
    affordance: str
    reading: Reading


class CompositeState(Struct):
    """What a composite remembers; durable. The writer changes a copy and puts that.

    Attributes:
        missing: what is not there, a line for a person each.
        waits: properties that may fill a role with their next reading, as ``[thing, property]``.
        steps: what each step remembers.
        wake: when it must be looked at even if nothing comes, Unix milliseconds.
        retry: when an actuator that did not do as it was told is told again; nothing is decided then.
        driven: for each actuator ``thing affordance``, what it was last told.
        derived: derived property to its last value and when that was observed.
        own: settable property to what it is set to.
        emitted: event to the value that it last happened with.
        outranked: for each actuator ``thing affordance`` that somebody else drives, who does.
        error: why it failed, None if it did not.
        notes: step to what a person should know of it.
        yielding: for each actuator that somebody else drives, what it would be brought to.
        dropped: commands sent at most once of which nobody knows that they arrived.
        denied: what would fill a role if it were allowed to.
        coarse: for each sensor ``thing affordance`` that is read coarser in time, the value of its interval.
        told: step to the value that parts above were last told of it.
        held: what came while it waits for what another daemon remembers, oldest first; None if it does not.
    """

    state: State = "waiting"
    bindings: list[Binding] = []
    missing: list[str] = []
    waits: list[tuple[str, str]] = []
    steps: dict[str, Any] = {}
    wake: int | None = None
    driven: dict[str, Driven] = {}
    derived: dict[str, tuple[Any, int]] = {}
    own: dict[str, Any] = {}
    emitted: dict[str, Any] = {}
    outranked: dict[str, str] = {}
    error: str | None = None
    notes: dict[str, str] = {}
    retry: int | None = None
    dropped: int = 0
    yielding: dict[str, Any] = {}
    denied: list[Denied] = []
    coarse: dict[str, Told] = {}
    told: dict[str, Any] = {}
    held: list[Held] | None = None

    def copy(self) -> CompositeState:
        """A copy that may be changed without changing this one."""
        return CompositeState(
            self.state,
            self.bindings.copy(),
            self.missing.copy(),
            self.waits.copy(),
            self.steps.copy(),
            self.wake,
            self.driven.copy(),
            self.derived.copy(),
            self.own.copy(),
            self.emitted.copy(),
            self.outranked.copy(),
            self.error,
            self.notes,
            self.retry,
            self.dropped,
            self.yielding.copy(),
            self.denied.copy(),
            self.coarse.copy(),
            self.told.copy(),
            self.held.copy() if self.held is not None else None,
        )


class Composite(Struct, frozen=True, kw_only=True, dict=True):
    """A template with its parameters filled in; ``id`` is the service that it serves.

    Attributes:
        template: name and version of the template, ``keep-within 1``.
        parameters: of the template.
        priority: of its claims on actuators.
        delivery: what is promised of its commands.
        latency: seconds within which what it drives is to have an answer to a reading; None if nobody asked.
        tells: of a part, the steps whose values parts above need.
        each: those of them that are told each time that something came, also if their value is the same.
        fixed: of a part, what the service's settings are; people set them where the service is.
    """

    id: str
    title: str
    template: str = ""
    parameters: dict[str, Any] = {}
    roles: dict[str, Wanted]
    requires: tuple[tuple[str, ...], ...]
    steps: tuple[Step, ...]
    derives: dict[str, Derived]
    emits: dict[str, Emitted] = {}
    settings: dict[str, Settable] = {}
    place: str
    priority: Priority = "automation"
    delivery: Delivery = "exactly-once"
    latency: float | None = None
    paused: bool = False
    tells: tuple[str, ...] = ()
    each: frozenset[str] = frozenset()
    fixed: dict[str, Any] = {}

    @cached_property
    def wires(self) -> tuple[Wire, ...]:
        """How its steps are joined, in the order in which they run."""
        return wire(self.steps)

    @cached_property
    def drives(self) -> tuple[Drive, ...]:
        """Its steps that drive something."""
        return tuple(step for step in self.steps if isinstance(step, Drive))

    @cached_property
    def webhooks(self) -> tuple[Webhook, ...]:
        """Its steps that tell an HTTP address."""
        return tuple(step for step in self.steps if isinstance(step, Webhook))

    @property
    def thing(self) -> str | None:
        """The id of the thing that it makes, None if it makes none."""
        made = self.derives or self.emits or self.settings or self.tells
        return own_thing(self.id) if made else None

    @property
    def defaults(self) -> dict[str, Any]:
        """What its settable properties are before anybody sets them."""
        return {name: each.default for name, each in self.settings.items()}

    def request(self) -> dict[str, Any]:
        """What it was made from, as the journal keeps it."""
        return {
            "id": self.id,
            "title": self.title,
            "template": self.template,
            "parameters": self.parameters,
            "paused": self.paused,
        }

    def description(self) -> Description:
        """The thing that it makes, described."""
        properties = {
            name: {**_described(each), "readOnly": True, "type": each.type}
            for name, each in self.derives.items()
        }
        for name, each in self.settings.items():
            more = {key: getattr(each, key) for key in ("enum", "minimum", "maximum")}
            properties[name] = {
                **_described(each),
                "type": each.type,
                "idempotent": True,
                **{key: value for key, value in more.items() if value is not None},
            }
        if self.tells:
            properties[TOLD] = {"title": "What its steps tell", "type": "array", "readOnly": True}
        events = {name: _described(each) for name, each in self.emits.items()}
        td: dict[str, Any] = {"title": self.title, "diat:service": self.id}
        td |= {kind: made for kind, made in (("properties", properties), ("events", events)) if made}
        if self.place:
            td["diat:place"] = self.place
        return Description(td=td)


def own_thing(composite: str) -> str:
    """The id of the thing that a composite makes, if it makes one."""
    return f"urn:diat:composite:{composite}"


def _described(said: Derived | Emitted | Settable) -> dict[str, Any]:
    """Title, quantity kind and unit of what a composite offers."""
    quantity = quantity_kind(said.quantity) if said.quantity else None
    described: dict[str, Any] = {"title": said.title} if said.title else {}
    if quantity is not None:
        described["@type"] = f"quantitykind:{quantity}"
        unit = getattr(said, "unit", None)
        code = ucum(unit) if unit else default_unit(quantity)
        if code is not None and not isinstance(said, Emitted):
            described["unit"] = code
    return described
