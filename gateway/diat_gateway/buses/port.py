"""What a local bus offers: a further one is one file that does what ``Bus`` says (docs/reference/buses.md).

A bus is made for one line: a TCP connection, a serial port, an HTTP server. It is used by one at a time. It
knows nothing of MQTT, of things or of when to poll.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar

from msgspec import Struct

from diat_gateway.buses.networks import Networks


class WrongForm(Exception):
    """A form cannot be used.

    Attributes:
        member: the member of the form that is wrong, such as ``modv:type``.
        reason: what is wrong there, in one line.
    """

    def __init__(self, member: str, reason: str) -> None:
        super().__init__(f"{member}: {reason}")
        self.member = member
        self.reason = reason


class BusError(Exception):
    """The device answered that it does not do it; the line is in order."""


class LineError(BusError):
    """There was no answer that could be used: whoever was asked is not there, or the line is out of order.

    Attributes:
        sent: whether the request may have arrived: what it asked for may have been done.
    """

    def __init__(self, reason: str, *, sent: bool = False) -> None:
        super().__init__(reason)
        self.sent = sent


class Form(Struct, frozen=True):
    """A form of a Thing Description, put together with what it belongs to.

    Attributes:
        href: absolute.
        op: ``readproperty``, ``writeproperty`` or ``invokeaction``.
        said: the form itself.
        schema: the data schema of what travels; empty if nothing does.
    """

    href: str
    op: str
    said: Mapping[str, Any]
    schema: Mapping[str, Any]

    def text(self, member: str, default: str = "") -> str:
        """A member that is text.

        Raises:
            WrongForm: it is something else.
        """
        said = self.said.get(member, default)
        if not isinstance(said, str):
            raise WrongForm(member, "a text is wanted")
        return said

    def number(self, member: str, default: float, least: float, most: float) -> float:
        """A member that is a number between two others.

        Raises:
            WrongForm: it is something else.
        """
        said = self.said.get(member, default)
        if isinstance(said, bool) or not isinstance(said, int | float) or not least <= said <= most:
            raise WrongForm(member, f"a number from {least:g} to {most:g} is wanted")
        return said

    def flag(self, member: str, default: bool) -> bool:
        """A member that is true or false.

        Raises:
            WrongForm: it is something else.
        """
        said = self.said.get(member, default)
        if not isinstance(said, bool):
            raise WrongForm(member, "true or false is wanted")
        return said


class Point(Protocol):
    """One value on a line: a register, a member of an answer. Equal ones are the same."""

    @property
    def line(self) -> Hashable:
        """What leads there: points with equal lines share a connection."""

    @property
    def timeout(self) -> float:
        """Seconds that an answer may take."""

    def same(self, wanted: Any, got: Any) -> bool:
        """Whether a value that was read back is the one that was written."""


P = TypeVar("P", bound=Point)


class Bus(Protocol[P]):
    """A line of a bus.

    Attributes:
        schemes: how the ``href`` of its forms begins, such as ``modbus+tcp``.
    """

    schemes: ClassVar[tuple[str, ...]]

    def __init__(self, line: Any, networks: Networks) -> None:
        """A line that is not open yet; ``line`` is what its points say, ``networks`` where it may lead."""

    @staticmethod
    def point(form: Form) -> P:
        """What a form leads to.

        Raises:
            WrongForm: it leads nowhere.
        """

    async def open(self) -> None:
        """Get ready; called before anything else, and again after a ``LineError``.

        Raises:
            LineError: nobody is there, or the line leads where it may not.
        """

    async def poll(self, points: Sequence[P]) -> Mapping[P, Any]:
        """Read values, adjacent ones at once. Of each point its value, or the ``BusError`` instead.

        Raises:
            LineError: the line is out of order, so none could be read.
        """

    async def write(self, point: P, value: Any) -> Any:
        """Write a value, or invoke with it; what was answered, None if that says nothing.

        Raises:
            BusError: the device refused.
            LineError: there was no answer.
        """

    async def close(self) -> None:
        """Let go of it; never raises, may be called again."""
