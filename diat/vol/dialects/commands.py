"""Commands: from the value of a property, or the input of an action, to a message."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from diat.vol.dialects.jinja.templates import Template
from diat.vol.dialects.port import Outgoing, Refusal
from diat.vol.dialects.words import Unfit, as_text, quoted

Encoder: TypeAlias = Callable[[Any], str]
"""From a value to the payload; raises ``Unfit`` with one line if the value cannot be encoded."""


class Command(Struct, frozen=True, kw_only=True):
    """How something is commanded: where to, and what is sent for a value.

    Attributes:
        on: how true is commanded where that is another way than for any other value.
    """

    topic: str
    encode: Encoder
    qos: int = 1
    retain: bool = False
    on: Command | None = None


class CommandOutlet(Struct, frozen=True):
    """Drives one property or action by publishing one message."""

    command: Command
    confirmed_by: str | None
    idempotent: bool

    def write(self, value: Any) -> Outgoing | Refusal:
        """Make the message for this value."""
        command = self.command.on if self.command.on is not None and value is True else self.command
        try:
            payload = command.encode(value).encode()
        except (Unfit, UnicodeEncodeError, msgspec.EncodeError) as error:
            return Refusal(str(error))
        return Outgoing(command.topic, payload, command.qos, command.retain)


class Fixed(Struct, frozen=True):
    """Always the same; what is given does not count.

    Attributes:
        names: what its template may ask for beside ``value``.
    """

    payload: Any
    template: Template | None = None
    names: Mapping[str, Any] = {}

    def __call__(self, _: Any) -> str:
        """Encode."""
        number = isinstance(self.payload, int | float) and not isinstance(self.payload, bool)
        return through(self.template, self.payload if number else as_text(self.payload), self.names)


class Switching(Struct, frozen=True):
    """One payload for true and one for false."""

    on: Any
    off: Any
    template: Template | None = None

    def __call__(self, value: Any) -> str:
        """Encode."""
        return through(self.template, as_text(self.on if boolean(value) else self.off))


class Numeric(Struct, frozen=True):
    """A number, whole ones without a decimal point."""

    template: Template | None = None

    def __call__(self, value: Any) -> str:
        """Encode."""
        return through(self.template, tidy(finite(value)))


class Verbal(Struct, frozen=True):
    """Text as it stands."""

    template: Template | None = None

    def __call__(self, value: Any) -> str:
        """Encode."""
        return through(self.template, verbal(value))


class Channels(Struct, frozen=True):
    """A colour: its channels in order, separated by commas or put into the template by their names there.

    Attributes:
        names: for each channel, its name in the template.
    """

    names: Mapping[str, str]
    template: Template | None = None

    def __call__(self, value: Any) -> str:
        """Encode."""
        colour = channels(value, self.names)
        if self.template is None:
            return ",".join(str(level) for level in colour.values())
        return _rendered(self.template, {self.names[channel]: level for channel, level in colour.items()})


class Stated(Struct, frozen=True):
    """JSON that says the state, and with it one field, as lights of the JSON schema take it."""

    key: str
    check: Callable[[Any], Any]

    def __call__(self, value: Any) -> str:
        """Encode."""
        return msgspec.json.encode({"state": "ON", self.key: self.check(value)}).decode()


def through(template: Template | None, value: Any, names: Mapping[str, Any] | None = None) -> str:
    """The payload as the command template makes it, which may ask for other names beside ``value``."""
    return str(value) if template is None else _rendered(template, {"value": value, **(names or {})})


def boolean(value: Any) -> bool:
    """Take true or false."""
    if not isinstance(value, bool):
        raise Unfit(f"{quoted(value)} is neither true nor false")
    return value


def finite(value: Any) -> int | float:
    """Take a finite number, a whole one of at most 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit(f"{quoted(value)} is not a number")
    if abs(value) >= 2**63 if isinstance(value, int) else not math.isfinite(value):
        raise Unfit("the number is out of range")
    return value


def tidy(value: int | float) -> int | float:
    """A whole number as an int, which prints without a decimal point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def verbal(value: Any) -> str:
    """Take a text."""
    if not isinstance(value, str):
        raise Unfit(f"{quoted(value)} is not a text")
    return value


def channels(value: Any, names: Mapping[str, Any]) -> dict[str, int | float]:
    """Take a colour that has exactly these channels, each a number."""
    if not isinstance(value, dict) or value.keys() != names.keys():
        raise Unfit(f"{quoted(value)} is not a colour of {', '.join(names)}")
    return {channel: tidy(finite(value[channel])) for channel in names}


def _rendered(template: Template, names: Mapping[str, Any]) -> str:
    text = template.render(names)
    if text is None:
        raise Unfit("the command template asks for what there is not")
    return text
