"""The list of devices that the bridge publishes, taken apart into one part for each.

A part's topic is ``<base>/bridge/devices#<address>``, its body the entry of the list with what counts here.
What else stands in an entry (bindings, network address) changes often and means nothing to us, so it is left
out: an entry that is otherwise the same announces nothing new.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from diat.vol.dialects.identity import ieee
from diat.vol.dialects.port import Heard, Part, Refusal, Withdrawal
from diat.vol.dialects.words import quoted

MAX_PAYLOAD = 8 * 1024 * 1024
MAX_DEVICES = 1_000

_KEPT = (
    *("ieee_address", "friendly_name", "description", "disabled", "supported", "interview_state"),
    *("model_id", "manufacturer", "software_build_id"),
)
_DEFINITION = ("model", "vendor", "description", "exposes")

_ENTRIES = msgspec.json.Decoder(list[msgspec.Raw])
_ENCODER = msgspec.json.Encoder(order="sorted")


def hear(topic: str, payload: bytes, base: str) -> Heard:
    """Read the list, or one entry of it on the topic of its part; None on any other topic."""
    listed = f"{base}/bridge/devices"
    if not topic.startswith(listed):
        return None
    address = topic.removeprefix(listed)
    if address and not address.startswith("#"):
        return None
    if not payload:
        return Withdrawal(topic)
    if len(payload) > MAX_PAYLOAD:
        return Refusal(f"larger than {MAX_PAYLOAD} bytes")
    try:
        if address:
            return _one(topic, listed, msgspec.json.decode(payload))
        entries = _ENTRIES.decode(payload)
    except (ValueError, RecursionError) as error:
        return Refusal(f"not a JSON list of devices: {error}")
    return tuple(_each(listed, entries))


def _one(topic: str, listed: str, said: Any) -> Part | Refusal:
    heard = _part(listed, said)
    if heard is None or (isinstance(heard, Part) and heard.topic != topic):
        return Refusal("it is not the device of this topic")
    return heard


def _each(listed: str, entries: list[msgspec.Raw]) -> Iterator[Part | Refusal]:
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        if index == MAX_DEVICES:
            yield Refusal(f"only the first {MAX_DEVICES} of {len(entries)} devices are taken")
            return
        try:
            said = msgspec.json.decode(entry)
        except (ValueError, RecursionError) as error:
            yield Refusal(f"device {index}: not JSON: {error}")
            continue
        heard = _part(listed, said)
        if isinstance(heard, Refusal):
            yield Refusal(f"device {index}: {heard.reason}")
        elif heard is not None and heard.topic in seen:
            yield Refusal(f"device {index}: {heard.identifiers[0]} is listed twice; the first one counts")
        elif heard is not None:
            seen.add(heard.topic)
            yield heard


def _part(listed: str, said: Any) -> Part | Refusal | None:
    """The part for an entry; None for the coordinator, which is the bridge itself."""
    if not isinstance(said, dict):
        return Refusal("not a JSON object")
    if said.get("type") == "Coordinator":
        return None
    given = said.get("ieee_address")
    canonical = ieee(given) if isinstance(given, str) else None
    if canonical is None:
        return Refusal(f"{quoted(given)} is not an IEEE address")
    address = canonical.removeprefix("ieee:")
    body = {key: said[key] for key in _KEPT if key in said}
    definition = said.get("definition")
    if isinstance(definition, dict):
        body["definition"] = {key: definition[key] for key in _DEFINITION if key in definition}
    try:
        payload = _ENCODER.encode(body)
    except (ValueError, RecursionError, OverflowError) as error:
        return Refusal(f"it cannot be kept: {error}")
    return Part(topic=f"{listed}#{address}", identifiers=(address, canonical), body=body, payload=payload)
