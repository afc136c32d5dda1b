"""Announcements: from a discovery topic and its payload to a part of a thing.

A part's body is ``{"device": {…}, "origin": {…}, "components": [{"component", "node_id", "object_id",
"config"}, …]}``, with everything written out. A single-component announcement has one component, the device
form has several.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Struct

from diat.vol.dialects.homeassistant.abbreviations import based, written_out
from diat.vol.dialects.homeassistant.components import missing
from diat.vol.dialects.homeassistant.device import identifiers
from diat.vol.dialects.port import Part, Refusal, Withdrawal
from diat.vol.dialects.words import quoted, word

MAX_PAYLOAD = 8 * 1024 * 1024
MAX_COMPONENTS = 256

# What a component of the device form takes over from the message around it.
_SHARED = (
    *("availability", "availability_mode", "availability_template", "availability_topic", "command_topic"),
    *("encoding", "payload_available", "payload_not_available", "qos", "state_topic"),
)
_ID = re.compile(r"[a-zA-Z0-9_-]+")


class Place(Struct, frozen=True):
    """What a discovery topic says."""

    topic: str
    component: str
    node_id: str | None
    object_id: str


def place(topic: str, prefix: str) -> Place | Refusal | None:
    """Read a discovery topic; None if it is not one."""
    if not topic.startswith(f"{prefix}/") or not topic.endswith("/config"):
        return None
    levels = topic.removeprefix(f"{prefix}/").split("/")[:-1]
    if not levels:
        return None
    if not 2 <= len(levels) <= 3:
        return Refusal(
            f"{quoted(topic, 120)} is not a discovery topic: between {prefix}/ and /config there must be "
            "a component, a node id if there is one, and an object id"
        )
    names = ("component", "node id", "object id") if len(levels) == 3 else ("component", "object id")
    for name, level in zip(names, levels, strict=True):
        if not _ID.fullmatch(level):
            return Refusal(
                f"{quoted(topic, 120)} is not a discovery topic: the {name} {quoted(level)} may only have "
                "letters, digits, _ and -"
            )
    return Place(topic, levels[0], levels[1] if len(levels) == 3 else None, levels[-1])


def part(here: Place, payload: bytes) -> Part | Withdrawal | Refusal:
    """Read what was announced there."""
    if not payload:
        return Withdrawal(here.topic)
    if len(payload) > MAX_PAYLOAD:
        return Refusal(f"larger than {MAX_PAYLOAD} bytes")
    try:
        message = msgspec.json.decode(payload)
    except (ValueError, RecursionError) as error:
        return Refusal(f"not JSON: {error}")
    if not isinstance(message, dict):
        return Refusal("not a JSON object")
    config = written_out(message)
    if config.get("migrate_discovery") is True:
        # The thing goes over to announcing itself elsewhere, and leaves this mark behind.
        return Withdrawal(here.topic)
    if here.component == "device":
        return _device_form(here, config)
    config = based(config)
    if reason := missing(here.component, config):
        return Refusal(f"{here.component} {quoted(here.object_id)}: {reason}")
    component = {
        "component": here.component,
        "node_id": here.node_id,
        "object_id": here.object_id,
        "config": {key: value for key, value in config.items() if key not in {"device", "origin"}},
    }
    return _part(here, config, [component])


def _device_form(here: Place, config: dict[str, Any]) -> Part | Refusal:
    listed = config.get("components")
    if not isinstance(listed, dict) or not listed:
        return Refusal(
            f"device {quoted(here.object_id)}: components must be an object with at least one component"
        )
    if len(listed) > MAX_COMPONENTS:
        return Refusal(f"device {quoted(here.object_id)}: more than {MAX_COMPONENTS} components")
    if not isinstance(config.get("device"), dict):
        return Refusal(f"device {quoted(here.object_id)}: device is missing")
    base = config.get("~")
    shared = {key: value for key, value in based(config).items() if key in _SHARED}
    components = []
    for key, given in listed.items():
        if not isinstance(given, dict):
            return Refusal(f"device {quoted(here.object_id)}: component {quoted(key)} is not an object")
        own = based(written_out(given), base if isinstance(base, str) else None)
        platform = own.pop("platform", None)
        if not isinstance(platform, str):
            return Refusal(
                f"device {quoted(here.object_id)}: component {quoted(key)} does not say its platform"
            )
        if own:  # one without a config is taken back
            components.append(
                {"component": platform, "node_id": here.object_id, "object_id": key, "config": shared | own}
            )
    return _part(here, config, components)


def _part(here: Place, config: dict[str, Any], components: list[dict[str, Any]]) -> Part:
    device, origin = (
        config[key] if isinstance(config.get(key), dict) else {} for key in ("device", "origin")
    )
    body = {"device": device, "origin": origin, "components": components}
    unique_ids = tuple(text for c in components if (text := word(c["config"].get("unique_id"))))
    named = identifiers(device, here.node_id) or unique_ids[:1] or (here.topic,)
    claim = unique_ids[0] if len(components) == 1 and unique_ids else None
    return Part(topic=here.topic, identifiers=named, claim=claim, body=body)
