"""What driving a feature does, by the specific type that it belongs to and by what kind of model has it.

The description of a model stands in Zigbee2MQTT's own list of models, in the words of those who keep it. It
tells a garage door from a curtain, and the relay of a water valve from that of a plug; the exposes do not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from diat.vol.dialects.effects import (
    FAN,
    GAS,
    LIGHT,
    LOAD,
    LOCK,
    OPENING,
    SIREN,
    VALVE,
    WATER,
    Direction,
    affecting,
    being,
)
from diat.vol.dialects.meaning import EXPOSE, MODEL, Meaning
from diat.vol.dialects.words import word
from diat.vol.dialects.zigbee2mqtt.exposes import Feature

COVERING: dict[str, Direction] = {"OPEN": "increase", "CLOSE": "decrease"}
"""What the commands of a cover do."""

# The first that is met counts: a motor for window shades moves no window.
_COVERS = (
    (re.compile(r"garage"), "GarageDoor"),
    (re.compile(r"curtain|blind|shade|shutter|awning|roller"), "Shade"),
    (re.compile(r"\bwindow\b"), "Window"),
    (re.compile(r"\bgate\b"), "Gate"),
)
_WATERS = re.compile(r"watering|irrigation|sprinkler|\b(?:water|garden|hose)\b.*(?:valve|timer)")
_GASES = re.compile(r"\bgas\b.*\bvalve")
_HEATS = re.compile(r"radiator|thermostatic|^thermostat|\btrv\b")
_ALARMS = frozenset({"alarm", "siren", "siren_on"})
_ALARM = re.compile(r"siren|(?:^|and )alarm$")
_SOUNDS = re.compile(r"siren|sound|audib")
_SETS = re.compile(r"enable|disable|light|silence|state")


class Model(Struct, frozen=True):
    """What kind of model a device is.

    Attributes:
        description: as Zigbee2MQTT's list says, in small letters.
        heats: whether it is a thermostat, whose relays and switches are its own matter.
    """

    description: str = ""
    heats: bool = False


def model(definition: dict[str, Any], features: Sequence[Feature]) -> Model:
    """The model that a definition is of."""
    text = (word(definition.get("description")) or "").lower()
    heats = bool(_HEATS.search(text)) or any(feature.group == "climate" for feature in features)
    return Model(text, heats)


def terms(feature: Feature, schema: dict[str, Any], model: Model) -> dict[str, Any]:
    """The terms for what driving a feature does, and for what it is itself; none if that is not known."""
    if not feature.settable:
        return {}
    boolean, percent = schema.get("type") == "boolean", schema.get("unit") == "%"
    main = feature.name == "state"
    match feature.group:
        case "light" if (main and boolean) or (feature.name == "brightness" and percent):
            return affecting(LIGHT, channel=feature.endpoint)
        case "switch" if main and boolean and feature.base == "state" and not model.heats:
            return _relay(model, feature.endpoint)
        case "lock" if main and boolean and feature.base == "state":
            return being(Meaning(LOCK, EXPOSE), channel=feature.endpoint)
        case "cover" if feature.name == "position" and percent:
            return being(cover(model), "switch", feature.endpoint)
        case "fan" if (main and boolean) or (feature.name == "speed" and percent):
            return being(Meaning(FAN, EXPOSE), channel=feature.endpoint)
        case None if boolean and feature.base in _ALARMS and _rings(feature, model):
            return affecting(SIREN, channel=feature.endpoint)
    return {}


def cover(model: Model) -> Meaning:
    """What opening a cover of this model changes."""
    for pattern, kind in _COVERS:
        if pattern.search(model.description):
            return Meaning(kind, MODEL)
    return Meaning(OPENING, EXPOSE)


def _relay(model: Model, channel: str | None) -> dict[str, Any]:
    """A relay feeds what hangs on it, unless its model is a valve or a siren."""
    said = model.description
    water, gas = bool(_WATERS.search(said)), bool(_GASES.search(said))
    if water or gas or "valve" in said:
        kind = VALVE if water == gas else WATER if water else GAS
        return being(Meaning(kind, MODEL), channel=channel)
    if "siren" in said:
        return affecting(Meaning(SIREN, MODEL), channel=channel)
    return affecting(LOAD, channel=channel)


def _rings(feature: Feature, model: Model) -> bool:
    """Whether it sounds an alarm, and is neither what arms it nor a lamp on it."""
    said = (word(feature.said.get("description")) or "").lower()
    if not said:
        return bool(_ALARM.search(model.description))
    return bool(_SOUNDS.search(said)) and not _SETS.search(said)
