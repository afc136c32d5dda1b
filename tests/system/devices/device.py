"""What a device of any dialect is, and what must be seen of it over REST.

An affordance is written in one line: type, unit, quantity kind and access (``r``, ``w``, ``rw``), with ``-``
for what it does not say. An action's input and an event's data likewise, without the access.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

NOTHING = object()
"""There is no input that would be wrong."""


@dataclass(frozen=True, kw_only=True)
class Write:
    """How a property is driven.

    Attributes:
        good: a value that it takes, and another that it had not before.
        bad: one that it must refuse.
        done: what the device shows by itself afterwards.
    """

    good: Any
    bad: Any
    done: Callable[[Any], bool]


@dataclass(frozen=True, kw_only=True)
class Call:
    """How an action is invoked; as ``Write``, with ``NOTHING`` where no input is refused."""

    good: Any = None
    bad: Any = NOTHING
    done: Callable[[Any], bool]


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device and what is to be seen of it.

    Attributes:
        title: the title of its thing.
        make: makes it, for the address of a broker; gives what is started and what is looked at.
        affects: for each affordance that does something to a quantity, which, after ``+`` for what
            increases it, ``-`` for what decreases it, ``=`` for what does either.
        events: for each event its summary, what makes it happen, and the data that comes.
    """

    title: str
    dialect: str
    make: Callable[[Any], tuple[Any, Any]]
    properties: Mapping[str, str]
    writes: Mapping[str, Write] = field(default_factory=dict)
    actions: Mapping[str, str] = field(default_factory=dict)
    calls: Mapping[str, Call] = field(default_factory=dict)
    affects: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, tuple[str, Callable[[Any, Any], None], Any]] = field(default_factory=dict)
