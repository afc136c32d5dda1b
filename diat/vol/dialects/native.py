"""Native things: a Thing Description on ``wot/td/{thing}``, readings and commands as PROTOCOL.md says.

Their messages carry sequence numbers, so the hot path reads them itself (``diat.vol.ingest``); this dialect
only understands announcements.
"""

from __future__ import annotations

from collections.abc import Sequence

from diat.vol.dialects.described import hear_description
from diat.vol.dialects.meaning import with_meaning
from diat.vol.dialects.port import Description, Part, Refusal, Withdrawal


class Native:
    """The dialect of our own firmware, and of anybody who likes it."""

    name = "native"
    whole = False

    def hear(self, topic: str, payload: bytes) -> Part | Withdrawal | Refusal | None:
        """Read an announcement on ``wot/td/{thing}``; foreign Thing Descriptions there are not for it."""
        return hear_description(topic, payload, native=True)

    def describe(self, parts: Sequence[Part]) -> Description:
        """Describe the thing: what it announced is the description, with the meaning that it leaves to us."""
        td = {key: value for key, value in parts[-1].body.items() if key != "id"}
        return Description(td=with_meaning(td))
