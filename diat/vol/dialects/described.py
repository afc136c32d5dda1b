"""Announcements on ``wot/td/{thing}``: a Thing Description, native or foreign.

Native and foreign things share the topic. A description that leaves forms and security to the platform is
native; one that brings them is foreign. What is neither is for the native dialect to refuse, so that each
message has one answer.
"""

from __future__ import annotations

import re
from typing import Any

from diat.vol.dialects.identity import ieee, mac
from diat.vol.dialects.port import Part, Refusal, Withdrawal
from diat.wire import topics
from diat.wire.envelope import Garbled, read_json
from diat.wot.td import Json, bare, complete, fault


def hear_description(topic: str, payload: bytes, *, native: bool) -> Part | Withdrawal | Refusal | None:
    """Read an announcement of a native, or of a foreign thing; None if it is not for that dialect."""
    if not topic.startswith(topics.TD_PREFIX):
        return None
    said = _read(topic, payload)
    if not isinstance(said, dict):
        return said if native else None
    if bare(said) is not native:
        return None
    thing = topic.removeprefix(topics.TD_PREFIX)
    thing_id = said.get("id", default_id(thing))
    if not isinstance(thing_id, str) or last_segment(thing_id) != thing:
        shown = repr(thing_id)[:100]
        return Refusal(f"the last segment of id {shown} must be {thing!r}, the last level of the topic")
    # A native thing may leave out what the platform knows; a foreign one must be whole.
    reason = fault(complete(said) if native else said, document=payload)
    if reason is not None:
        return Refusal(reason)
    return Part(
        topic=topic, identifiers=_identifiers(thing, thing_id, said, native), claim=thing_id, body=said
    )


def default_id(thing: str) -> str:
    """The id of a thing that does not state one."""
    return f"urn:dev:{thing}"


def last_segment(thing_id: str) -> str:
    """What follows the last ``:``, ``/`` or ``#``."""
    return re.split(r"[:/#]", thing_id)[-1]


def _read(topic: str, payload: bytes) -> Json | Withdrawal | Refusal:
    if not topics.is_name(topic.removeprefix(topics.TD_PREFIX)):
        return Refusal(f"{topic[:200]}: a thing's name is 1 to 64 of A-Z a-z 0-9 _ -")
    if not payload:
        return Withdrawal(topic)
    if len(payload) > topics.ANNOUNCEMENT_LIMIT:
        return Refusal(f"larger than {topics.ANNOUNCEMENT_LIMIT} bytes")
    td = read_json(payload)
    if isinstance(td, Garbled):
        return Refusal(f"not JSON: {td.reason}")
    if not isinstance(td, dict):
        return Refusal("not a JSON object")
    return td


def _identifiers(thing: str, thing_id: str, td: dict[str, Any], native: bool) -> tuple[str, ...]:
    said = () if native else td.get("diat:identifiers")
    more = (
        [mac(each) or ieee(each) or each for each in said if isinstance(each, str) and each]
        if isinstance(said, list)
        else []
    )
    return tuple(dict.fromkeys([thing, *([] if native else [thing_id]), *more]))
