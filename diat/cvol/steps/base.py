"""What a step is: what goes in, what comes out, what is remembered.

A step is a function of what it is given, its own remembered state and the time; it reads no clock and
touches nothing. That is why it runs the same live, in a replay and on another tier. Steps with an effect
(``drive``, ``webhook``) only *ask* for it: the execution carries it out in the same transaction.

None as a value means: nothing to say (no reading yet, or hold what there is).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any, ClassVar, Literal

from msgspec import Struct
from pydantic import BaseModel, ConfigDict

LONGEST = 10 * 366 * 86_400
"""Seconds at most in anything that is waited for or looked back upon: a wake-up must fit a database."""

Reduces = Literal["nothing", "some", "much"]
"""How much less comes out of a step than goes in, for whoever places steps on tiers."""


class Sample(Struct, frozen=True):
    """A reading of one bound property, or one event, in the role's unit.

    Attributes:
        observed: Unix milliseconds.
        position: ingest position.
        thing: id of the thing that it is of.
        key: ``thing affordance``: tells the bound affordances of a role apart.
        accuracy: half width of its error, in the role's unit; None if nobody says.
        weight: its rank among what fills the role, 0 for the best.
    """

    value: Any
    observed: int
    position: int
    thing: str = ""
    key: str = ""
    accuracy: float | None = None
    weight: int = 0


class Site(Struct, frozen=True):
    """Where the platform is, for the sun and the time of day.

    Attributes:
        latitude: degrees north; None if nobody said.
        longitude: degrees east; None if nobody said.
        zone: its time zone.
    """

    latitude: float | None = None
    longitude: float | None = None
    zone: tzinfo = UTC


GREENWICH = Site()
"""Where we are if nobody said."""


class Given(Struct, frozen=True, kw_only=True):
    """What a step works on.

    Attributes:
        samples: of its role, if it has one: the newest of each bound affordance, only fresh ones.
        arrived: of its role: what came just now and made the composite run, late ones too, in order.
        value: of its ``input`` step, if it has one.
        values: of its ``inputs`` steps, by the name that it calls them, and of the other steps that it works
            on, by the name of the field.
        state: what it returned last time, None at first.
        now: Unix milliseconds.
        observed: Unix milliseconds to which its input belongs: of what arrived, else ``now``.
        fresh: which of the steps that it works on, by the names of their fields, rest on what arrived just
            now; empty in a run that a timer made.
        pulses: which of them, by the same names, pulse: their value counts each time.
        filled: names of the roles that something fills.
        bound: for each role ``thing affordance`` of what fills it, the best first.
        own: the composite's own settable properties.
        site: where we are.
    """

    samples: Sequence[Sample] = ()
    arrived: Sequence[Sample] = ()
    value: Any = None
    values: Mapping[str, Any] = {}
    state: Any = None
    now: int
    observed: int = 0
    fresh: frozenset[str] = frozenset()
    pulses: frozenset[str] = frozenset()
    filled: frozenset[str] = frozenset()
    bound: Mapping[str, Sequence[str]] = {}
    own: Mapping[str, Any] = {}
    site: Site = GREENWICH


class Outcome(Struct, frozen=True):
    """What a step answers.

    Attributes:
        value: for the steps behind it.
        state: to be remembered; plain JSON.
        due: when it wants to run again without being asked, Unix milliseconds.
        note: what a person should know of it, as a sentence: why it has no value, what was left out.
    """

    value: Any
    state: Any = None
    due: int | None = None
    note: str | None = None


class Step(BaseModel):
    """What all steps have in common; a subclass is one kind of step.

    A step names what it works on in fields of these names: ``role`` (samples of a role), ``input`` (the value
    of one step), ``inputs`` (values of several, by name), ``when`` (a step that must be true); further
    fields that name a step it lists in ``joins``.

    Attributes:
        pure: whether the same input always gives the same output, whatever came before.
        reduces: how much less comes out than goes in.
        pulse: whether its value is something that happens, not something that is so: it counts each time.
        passes: whether it pulses if the step that it works on does.
        keeps: whether what it remembers is kept while the composite rests; else it begins anew.
        joins: the fields that name steps, as templates write them.
        takes: what its role must offer: ``read`` a property, ``notice`` an event, ``drive`` something.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pure: ClassVar[bool] = True
    reduces: ClassVar[Reduces] = "nothing"
    pulse: ClassVar[bool] = False
    passes: ClassVar[bool] = False
    keeps: ClassVar[bool] = False
    joins: ClassVar[tuple[str, ...]] = ("input", "inputs", "when")
    takes: ClassVar[Literal["read", "notice", "drive"]] = "read"
    id: str

    def comes(self, arrived: Sequence[Sample]) -> bool:
        """Whether what came just now for its role is behind its value."""
        return bool(arrived)

    def run(self, given: Given) -> Outcome:
        """Answer to what is given."""
        raise NotImplementedError


def fields(kind: type[Step]) -> dict[str, str]:
    """What templates call the fields of a kind of step, to the names of the attributes."""
    return {field.alias or name: name for name, field in kind.model_fields.items()}


def sources(kind: type[Step], step: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The steps that a step as written works on, each with the field that names it."""
    found: list[tuple[str, Any]] = []
    for name in kind.joins:
        named = step.get(name)
        if isinstance(named, Mapping):
            found += [(f"{name}.{each}", source) for each, source in named.items()]
        elif named is not None:
            found.append((name, named))
    return found
