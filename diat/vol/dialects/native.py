"""Native things: a Thing Description on ``wot/td/{thing}``, readings and commands as PROTOCOL.md says.

Their messages carry sequence numbers, so the hot path reads them itself (``diat.vol.ingest``); this dialect
only understands announcements and makes commands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from diat.vol.dialects.port import Description, Part, Refusal, Withdrawal
from diat.wire import topics
from diat.wire.envelope import Garbled, read_json
from diat.wot.td import complete, fault, has_forms


class Native:
    """The dialect of our own firmware, and of anybody who likes it."""

    name = "native"

    def hear(self, topic: str, payload: bytes) -> Part | Withdrawal | Refusal | None:
        """Read an announcement on ``wot/td/{thing}``."""
        if not topic.startswith(topics.TD_PREFIX):
            return None
        thing = topic.removeprefix(topics.TD_PREFIX)
        if not topics.is_name(thing):
            return Refusal(f"{topic}: a thing's name is 1 to 64 of A-Z a-z 0-9 _ -")
        if not payload:
            return Withdrawal(topic)
        if len(payload) > topics.ANNOUNCEMENT_LIMIT:
            return Refusal(f"larger than {topics.ANNOUNCEMENT_LIMIT} bytes")
        td = read_json(payload)
        if isinstance(td, Garbled):
            return Refusal(f"not JSON: {td.reason}")
        if not isinstance(td, dict):
            return Refusal("not a JSON object")
        reason = self._reason(thing, td)
        if reason is not None:
            return Refusal(reason)
        return Part(topic=topic, identifiers=(thing,), claim=td.get("id", default_id(thing)), body=td)

    def describe(self, parts: Sequence[Part]) -> Description:
        """Describe the thing: what it announced is the description."""
        td = {key: value for key, value in parts[-1].body.items() if key != "id"}
        return Description(td=td)

    def _reason(self, thing: str, td: dict[str, Any]) -> str | None:
        given = td.get("id", default_id(thing))
        if not isinstance(given, str) or last_segment(given) != thing:
            return f"the last segment of id {given!r} must be {thing!r}, the last level of the topic"
        if has_forms(td):
            return (
                "it brings forms of its own: only Thing Descriptions without forms (native things) are taken"
            )
        return fault(complete(td))


def default_id(thing: str) -> str:
    """The id of a native thing that does not state one."""
    return f"urn:dev:{thing}"


def last_segment(thing_id: str) -> str:
    """What follows the last ``:``, ``/`` or ``#``."""
    return re.split(r"[:/#]", thing_id)[-1]
