"""The dialect: the bridge's list of devices in, one description for each device out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diat.vol.dialects.affordances import assemble
from diat.vol.dialects.port import Description, Heard, Part
from diat.vol.dialects.words import is_topic, quoted, word
from diat.vol.dialects.zigbee2mqtt import bridge
from diat.vol.dialects.zigbee2mqtt.affordances import Messages, drafts
from diat.vol.dialects.zigbee2mqtt.availability import AvailabilityInlet
from diat.vol.dialects.zigbee2mqtt.effects import model
from diat.vol.dialects.zigbee2mqtt.exposes import features


class Zigbee2Mqtt:
    """Zigbee2MQTT by what its devices expose.

    Args:
        base: its base topic.
    """

    name = "zigbee2mqtt"
    whole = True

    def __init__(self, base: str = "zigbee2mqtt") -> None:
        self._base = base

    def hear(self, topic: str, payload: bytes) -> Heard:
        """Read the list of devices, or one entry of it on the topic of its part."""
        return bridge.hear(topic, payload, self._base)

    def describe(self, parts: Sequence[Part]) -> Description:
        """Describe one device from its entry in the list; of several the last by topic counts."""
        body = max(parts, key=lambda part: part.topic).body if parts else {}
        address = str(body.get("ieee_address", "")).lower()
        friendly = body.get("friendly_name")
        notes = []
        if not isinstance(friendly, str) or not is_topic(friendly):
            notes.append(f"its friendly name {quoted(friendly)} makes no topic: its address is taken")
            friendly = address or "device"
        definition = body.get("definition")
        if not isinstance(definition, dict):
            definition = {}
            notes.append("the bridge does not know what it is, so it exposes nothing")
        if body.get("disabled") is True:
            notes.append("it is disabled in the bridge")
        here = f"{self._base}/{friendly}"
        found = features(definition.get("exposes", []), notes)
        made = assemble(list(drafts(found, Messages(here, f"{here}/set"), model(definition, found), notes)))
        return Description(
            td={"title": friendly, **_terms(address, body, definition), **made.td},
            inlets=(
                *made.inlets,
                AvailabilityInlet(f"{here}/availability"),
                AvailabilityInlet(f"{self._base}/bridge/state"),
            ),
            outlets=made.outlets,
            notes=tuple(dict.fromkeys(notes)),
        )


def _terms(address: str, body: dict[str, Any], definition: dict[str, Any]) -> dict[str, Any]:
    terms: dict[str, Any] = {"diat:identifiers": [address]}
    if text := word(body.get("description")) or word(definition.get("description")):
        terms["description"] = text
    if vendor := word(definition.get("vendor")) or word(body.get("manufacturer")):
        terms["diat:manufacturer"] = vendor
    if model := word(definition.get("model")) or word(body.get("model_id")):
        terms["diat:model"] = model
    if version := word(body.get("software_build_id")):
        terms["version"] = {"instance": version}
    return terms
