"""``switch`` and ``binary_sensor``: true or false."""

from __future__ import annotations

import re

from diat.vol.dialects.commands import Switching
from diat.vol.dialects.effects import LOAD, LOADS, affecting
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, command, command_template, source
from diat.vol.dialects.meaning import DEVICE_CLASS, NAME, SUPPOSED, Meaning, classed, quantity
from diat.vol.dialects.messages import TwoStates
from diat.vol.dialects.words import spellings

_NUMBER = re.compile(r"[\s_-]*\d{1,3}$")


def _binary_sensor(entity: Entity) -> Facet:
    states = TwoStates(
        spellings(entity.config.get("payload_on", "ON")), spellings(entity.config.get("payload_off", "OFF"))
    )
    kind = classed(entity.word("device_class"), boolean=True)
    delay = entity.seconds("off_delay")
    unclear = delay is None and entity.config.get("off_delay") not in (None, 0)
    return Facet(
        schema={**quantity(kind), "type": "boolean", **({"diat:offDelay": delay} if delay else {})},
        source=source(entity, "state_topic", states, "value_template"),
        notes=("off_delay is no number of seconds",) if unclear else (),
    )


def _feeds(entity: Entity) -> Meaning | None:
    """That it feeds something, unless it may be one of the many switches that are settings of a device.

    It does if it says that it is an outlet or a switch, if it is the device itself (``"name": null``), or,
    with less certainty, if it is called just that: ``Relay 2``.
    """
    said = entity.word("device_class")
    if entity.config.get("entity_category") is not None or said not in (None, "outlet", "switch"):
        return None
    if said or entity.config.get("name", "") is None:
        return Meaning(LOAD, DEVICE_CLASS if said else "")
    names = (entity.word("name") or "", entity.object_id)
    called = any(_NUMBER.sub("", name).lower() in LOADS for name in names)
    return Meaning(LOAD, NAME, SUPPOSED) if called else None


def _switch(entity: Entity) -> Facet:
    on, off = entity.config.get("payload_on", "ON"), entity.config.get("payload_off", "OFF")
    states = TwoStates(
        spellings(entity.config.get("state_on", on)), spellings(entity.config.get("state_off", off))
    )
    return Facet(
        schema={"type": "boolean", **affecting(_feeds(entity))},
        source=source(entity, "state_topic", states, "value_template"),
        command=command(
            entity, "command_topic", Switching(on, off, command_template(entity, "command_template"))
        ),
    )


BINARY_SENSOR = (_binary_sensor,)
SWITCH = (_switch,)
