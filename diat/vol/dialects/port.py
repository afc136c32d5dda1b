"""What every dialect offers to the Virtual Object Layer.

A dialect is pure: topics and bytes in; descriptions, values or refusals out; commands back. It opens no
socket, keeps no state and reads no clock. Whatever bytes it is fed, it answers and never raises.

A physical thing is announced in one or more *parts* (Home Assistant discovery sends one message for each
entity of a device). Parts that share an identifier belong to the same thing and are described together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias

from msgspec import Struct

from diat.vol.twin import Availability


class Part(Struct, frozen=True, kw_only=True):
    """What one announcement says: a part of one physical thing.

    Attributes:
        topic: where it was announced; the same topic again replaces it.
        identifiers: everything that names the physical thing (IEEE address, MAC, serial number, unique
            ids), most telling first, never empty. Parts that share one belong together.
        claim: an id that only one announcement may hold, such as a ``unique_id``; None if it claims none.
        body: the announcement, normalised: abbreviations written out, ``~`` replaced.
        payload: for one of several parts in a message, what alone makes it: ``hear(topic, payload)`` gives
            this part again. None where that is the whole message.
    """

    topic: str
    identifiers: tuple[str, ...]
    claim: str | None = None
    body: dict[str, Any]
    payload: bytes | None = None


class Withdrawal(Struct, frozen=True):
    """The announcement on this topic is taken back (an empty payload)."""

    topic: str


class Refusal(Struct, frozen=True):
    """It cannot be used as it stands.

    Attributes:
        reason: one line for a person.
        holder: the topic of the announcement that stands in the way, empty if none does.
    """

    reason: str
    holder: str = ""


Heard: TypeAlias = Part | Withdrawal | Refusal | tuple[Part | Refusal, ...] | None
"""What a dialect makes of a message; None if it is no announcement of its own.

A tuple is a list of things in one message: parts with topics ``<topic>#<key>`` (no real topic has a ``#``),
and refusals of entries that cannot be used. What the topic announced before and does not now is withdrawn; a
Withdrawal of the topic takes back all of them.
"""


class Uptake(Struct, frozen=True):
    """What one state message says.

    Attributes:
        values: property name to value.
        events: the events that happened, each its name and data.
        available: whether this source says that the thing can be reached, ``"sleeping"`` if it will be when
            it wakes; None if it does not speak of it.
        notes: what was not understood, one line each.
    """

    values: dict[str, Any] = {}
    events: tuple[tuple[str, Any], ...] = ()
    available: Availability | None = None
    notes: tuple[str, ...] = ()


class Inlet(Protocol):
    """Reads the messages of one topic."""

    @property
    def topic(self) -> str:
        """The exact topic, without wildcards."""

    def read(self, payload: bytes) -> Uptake:
        """Say what the message means. Never raises; what is not understood comes as notes."""


class Outgoing(Struct, frozen=True):
    """A message to publish."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


class Outlet(Protocol):
    """Drives one writable property or one action."""

    @property
    def confirmed_by(self) -> str | None:
        """The property whose next equal reading confirms the write; None if nothing does."""

    @property
    def idempotent(self) -> bool:
        """Whether performing it twice does the same as once (a set-point: yes; toggle, press: no)."""

    def write(self, value: Any) -> Outgoing | Refusal:
        """Make the message that sets the property, or invokes the action with this input."""


class Description(Struct, frozen=True, kw_only=True):
    """A physical thing as its dialect describes it.

    Attributes:
        td: a Thing Description 1.1 without ``id``, ``@context``, ``security`` and ``forms`` (the Virtual
            Object Layer fills them in), in the words of PROTOCOL.md section 3 (``diat:place``,
            ``diat:identifiers``, ``@type`` with a quantity kind, ``unit`` in UCUM, …).
        inlets: what its topics carry; a topic may have several.
        outlets: affordance name to what drives it.
        availability: how several sources of availability are put together.
        notes: what of the announcements was not understood, one line each.
        unreached: names of affordances that the platform neither reads nor drives, because they have forms
            of their own that it does not speak.
        wire: its name in the topics of native things, if it speaks on them without having announced itself.
    """

    td: dict[str, Any]
    inlets: tuple[Inlet, ...] = ()
    outlets: dict[str, Outlet] = {}
    availability: Literal["all", "any", "latest"] = "all"
    notes: tuple[str, ...] = ()
    unreached: frozenset[str] = frozenset()
    wire: str = ""


class Dialect(Protocol):
    """One way in which things announce themselves and speak."""

    @property
    def name(self) -> str:
        """Short name, a segment of the ids of its things, such as ``homeassistant``."""

    @property
    def whole(self) -> bool:
        """Whether it says everything of its things, so that another dialect's words on them add nothing."""

    def hear(self, topic: str, payload: bytes) -> Heard:
        """Read an announcement; None if the topic is not one of this dialect's announcement topics."""

    def describe(self, parts: Sequence[Part]) -> Description:
        """Describe one thing from all its parts."""
