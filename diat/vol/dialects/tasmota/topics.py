"""Tasmota's discovery topics, and what is announced there.

A part's body is ``{"mac": as in the topic, "about": "config" or "sensors", "said": the announcement}``.
"""

from __future__ import annotations

import re

import msgspec

from diat.vol.dialects.identity import mac
from diat.vol.dialects.port import Part, Refusal, Withdrawal
from diat.vol.dialects.tasmota.config import read
from diat.vol.dialects.words import quoted

MAX_PAYLOAD = 64 * 1024

_PATH = re.compile(r"([A-Za-z0-9_-]{1,32})/(config|sensors)")


def hear(topic: str, payload: bytes, prefix: str) -> Part | Withdrawal | Refusal | None:
    """Read an announcement on ``<prefix>/<mac>/config`` or ``…/sensors``; None if it is on neither."""
    if not topic.startswith(f"{prefix}/"):
        return None
    path = _PATH.fullmatch(topic, len(prefix) + 1)
    if path is None:
        return Refusal(f"{quoted(topic, 120)} is not {prefix}/<mac>/config nor {prefix}/<mac>/sensors")
    if not payload:
        return Withdrawal(topic)
    if len(payload) > MAX_PAYLOAD:
        return Refusal(f"larger than {MAX_PAYLOAD} bytes")
    try:
        said = msgspec.json.decode(payload)
    except (ValueError, RecursionError) as error:
        return Refusal(f"not JSON: {error}")
    if not isinstance(said, dict):
        return Refusal("not a JSON object")
    name, about = path[1], path[2]
    if about == "sensors" and not isinstance(said.get("sn"), dict):
        return Refusal("it does not list its sensors (sn)")
    if about == "config":
        if said.get("mac") != name:
            return Refusal(f"it is announced for {name} and says that it is {quoted(said.get('mac'))}")
        config = read(said, name)
        if isinstance(config, str):
            return Refusal(config)
    address = mac(name)
    return Part(
        topic=topic,
        identifiers=(name, *([address] if address else [])),
        body={"mac": name, "about": about, "said": said},
    )
