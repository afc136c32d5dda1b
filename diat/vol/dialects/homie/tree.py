"""A Homie device as both versions of the convention describe it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from diat.vol.dialects.words import quoted


def is_id(name: str) -> bool:
    """Whether it can be an id: a level of a topic that is no attribute.

    The convention allows ``[a-z0-9-]`` only; what devices call themselves beyond that does no harm.
    """
    return 0 < len(name) <= 256 and not any(sign in name for sign in "+#/$\0")


class Property(Struct, frozen=True, kw_only=True):
    """A property of a node.

    Attributes:
        topic: where its value is told; commands go to ``<topic>/set``.
        node: id of its node.
        id: its own id.
        node_name: what people call the node.
        node_type: what the node is, in words of its maker.
        name: what people call it.
        datatype: as announced, None if it is not.
        format: what restricts its values, None if nothing does.
        unit: as announced.
        settable: whether it takes commands.
        retained: whether its value stands; if not, it tells of moments.
        target: whether ``<topic>/$target`` may tell the value that it is moving to.
    """

    topic: str
    node: str
    id: str
    node_name: str | None = None
    node_type: str | None = None
    name: str | None = None
    datatype: str | None = None
    format: str | None = None
    unit: str | None = None
    settable: bool = False
    retained: bool = True
    target: bool = False

    @property
    def label(self) -> str:
        """How notes name it."""
        return quoted(f"{self.node}/{self.id}", 120)


class Device(Struct, frozen=True, kw_only=True):
    """A device with its properties.

    Attributes:
        topic: under which all its topics lie.
        title: for people.
        version: of the convention, 4 or 5.
        properties: of all its nodes.
        root: topic of the root device, whose connection this one shares; None if it has its own.
        terms: what else its Thing Description says (``diat:identifiers``, …).
        notes: what of the announcements was not understood or is still to come, one line each.
    """

    topic: str
    title: str
    version: int
    properties: tuple[Property, ...] = ()
    root: str | None = None
    terms: dict[str, Any] = {}
    notes: tuple[str, ...] = ()
