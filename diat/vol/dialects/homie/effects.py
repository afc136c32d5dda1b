"""What driving a property does, by the type of its node and by its own id.

The convention leaves both to the maker, so only plain words count, and how sure they are is written down: a
type is declared to tell what a node is, an id is just a name and counts where no type is given.
"""

from __future__ import annotations

import re
from typing import Any

from diat.vol.dialects.effects import (
    FAN,
    GAS,
    LIGHT,
    LOAD,
    LOADS,
    LOCK,
    OPENING,
    OPENINGS,
    SIREN,
    VALVE,
    WATER,
    affecting,
    being,
)
from diat.vol.dialects.homie.tree import Property
from diat.vol.dialects.meaning import CONFIRMED, NAME, SUPPOSED, Meaning

_COVERS = {word: kind for word, kind in OPENINGS.items() if word not in ("door", "window", "water", "gas")}
_NODES = {
    **dict.fromkeys(("light", "lamp", "dimmer", "bulb", "led"), LIGHT),
    **dict.fromkeys((*LOADS, "switch"), LOAD),
    **dict.fromkeys(("fan", "ventilator", "ventilation"), FAN),
    **_COVERS,
    "cover": OPENING,
    "garage-door": "GarageDoor",
    "lock": LOCK,
    "siren": SIREN,
    "valve": VALVE,
    "water-valve": WATER,
    "gas-valve": GAS,
}
_VALVES, _OPENS = frozenset({VALVE, WATER, GAS}), frozenset({OPENING, *_COVERS.values()})
_ON = frozenset({"on", "power", "state", "switch", "onoff", "on-off"})
_OPEN = frozenset({"open", "opened"})
_LEVELS = {
    LIGHT: frozenset({"brightness", "dimmer", "level", "intensity"}),
    FAN: frozenset({"speed", "level"}),
    **dict.fromkeys(_VALVES | _OPENS, frozenset({"position"})),
}
_GAPS = re.compile(r"[\s_-]+")


def terms(prop: Property, schema: dict[str, Any]) -> dict[str, Any]:
    """The terms for what driving a property does, and for what it is itself; none if that is not known."""
    node = _word(prop.node_type or prop.node)
    kind = _NODES.get(node) or _NODES.get(node.removesuffix("s"))
    if kind is None or not prop.settable or not prop.retained:
        return {}
    meaning = Meaning(kind, NAME, CONFIRMED if prop.node_type else SUPPOSED)
    name = _word(prop.id)
    if schema.get("type") == "boolean":
        return _switch(prop, name, meaning)
    if schema.get("unit") != "%" or (name not in _LEVELS.get(kind, ()) and name != _word(prop.node)):
        return {}
    return _said(meaning, prop, positioned=kind in _VALVES | _OPENS)


def _switch(prop: Property, name: str, meaning: Meaning) -> dict[str, Any]:
    kind, own = meaning.kind, name in (_word(prop.node), _word(prop.node_type or ""))
    if kind == LOCK:
        # What true means must be said: by the name, or by the labels for false and true.
        word = _word((prop.format or "").split(",")[-1]) if name in _ON or own else name
        if word == "unlocked":
            return being(meaning, channel=prop.node)
        return affecting(meaning, "decrease", prop.node) if word == "locked" else {}
    if kind in _OPENS:
        return _said(meaning, prop) if name in _OPEN else {}
    if own or name in _ON or (kind in _VALVES and name in _OPEN):
        return _said(meaning, prop)
    return {}


def _said(meaning: Meaning, prop: Property, *, positioned: bool = False) -> dict[str, Any]:
    say = affecting if meaning.kind in (LIGHT, LOAD, SIREN) else being
    return say(meaning, "switch" if positioned else "increase", prop.node)


def _word(said: str) -> str:
    return _GAPS.sub("-", said.strip().lower())
