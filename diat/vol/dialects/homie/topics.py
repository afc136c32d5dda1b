"""Homie's announcement topics, and what is said on them.

A part's body is ``{"version": 4 or 5, "device": base topic, "path": levels below it, "text": payload}``,
for a description of version 5 with ``"description": {…}`` instead of ``text``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from diat.vol.dialects.homie.tree import is_id
from diat.vol.dialects.port import Part, Refusal, Withdrawal
from diat.vol.dialects.words import quoted

MAX_DESCRIPTION = 8 * 1024 * 1024
MAX_ATTRIBUTE = 64 * 1024
MAX_TOPIC = 1024

_DEVICE = frozenset({"$homie", "$name", "$nodes", "$extensions", "$implementation", "$mac", "$localip"})
_FIRMWARE = frozenset({"name", "version"})
_NODE = frozenset({"$name", "$type", "$properties"})
_PROPERTY = frozenset({"$name", "$datatype", "$format", "$settable", "$retained", "$unit"})


def hear(topic: str, payload: bytes, base: str) -> Part | Withdrawal | Refusal | None:
    """Read an announcement of either version; None if the topic is not one.

    Args:
        topic: where it came.
        payload: what came.
        base: the topic under which devices of version 4 live. Version 5 has the same form everywhere.
    """
    if "$" not in topic or len(topic) > MAX_TOPIC:
        return None
    levels = topic.split("/")
    if len(levels) >= 4 and levels[1] == "5" and is_id(levels[0]) and is_id(levels[2]):
        heard = _version5(topic, levels, payload)
        if heard is not None:
            return heard
    if not topic.startswith(f"{base}/"):
        return None
    device, *path = topic.removeprefix(f"{base}/").split("/")
    if not is_id(device) or not _is_attribute(path):
        return None
    return _text_part(topic, payload, 4, f"{base}/{device}", path, _name4(base, device))


def _version5(topic: str, levels: list[str], payload: bytes) -> Part | Withdrawal | Refusal | None:
    device, path = "/".join(levels[:3]), levels[3:]
    if path == ["$state"] and not payload:
        # That is how a device is removed; its description is cleared only afterwards, or never.
        return Withdrawal(f"{device}/$description")
    if path == ["$description"]:
        return _description(topic, payload, device)
    if len(path) == 2 and path[0] == "$alert" and path[1]:
        return _text_part(topic, payload, 5, device, path, device)
    return None


def _description(topic: str, payload: bytes, device: str) -> Part | Withdrawal | Refusal:
    if not payload:
        return Withdrawal(topic)
    if len(payload) > MAX_DESCRIPTION:
        return Refusal(f"larger than {MAX_DESCRIPTION} bytes")
    try:
        description = msgspec.json.decode(payload)
    except (ValueError, RecursionError) as error:
        return Refusal(f"not JSON: {error}")
    if not isinstance(description, dict):
        return Refusal("not a JSON object")
    version = description.get("homie")
    if not isinstance(version, str) or not version.startswith("5."):
        return Refusal(f"homie must be the version of the convention, 5.x, not {quoted(version)}")
    body = _body(5, device, ["$description"]) | {"description": description}
    return Part(topic=topic, identifiers=(device,), body=body)


def _text_part(
    topic: str, payload: bytes, version: int, device: str, path: list[str], identifier: str
) -> Part | Withdrawal | Refusal:
    if not payload:
        return Withdrawal(topic)
    if len(payload) > MAX_ATTRIBUTE:
        return Refusal(f"larger than {MAX_ATTRIBUTE} bytes")
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return Refusal(f"{quoted(payload)} is not text in UTF-8")
    return Part(topic=topic, identifiers=(identifier,), body=_body(version, device, path) | {"text": text})


def _body(version: int, device: str, path: list[str]) -> dict[str, Any]:
    return {"version": version, "device": device, "path": path}


def _name4(base: str, device: str) -> str:
    # The MAC address is no identifier here: a bridge has one, and publishes many devices with it.
    return device if base == "homie" else f"{base}/{device}"


def _is_attribute(path: list[str]) -> bool:
    """Whether it is an attribute of version 4 that describes; others tell of state or are extensions'."""
    match path:
        case [attribute]:
            return attribute in _DEVICE
        case ["$fw", attribute]:
            return attribute in _FIRMWARE
        case [node, attribute]:
            return is_id(node) and attribute in _NODE
        case [node, prop, attribute]:
            return is_id(node) and is_id(prop) and attribute in _PROPERTY
    return False
