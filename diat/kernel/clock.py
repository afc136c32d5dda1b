"""Time is passed in, never taken: a ``Clock`` answers with Unix milliseconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

Clock = Callable[[], int]
"""Answers with the present time in Unix milliseconds."""


def system_clock() -> int:
    """The machine's time in Unix milliseconds."""
    return time.time_ns() // 1_000_000


# Many times in an answer are the same: what came in one batch, and the present moment.
@lru_cache(maxsize=16_384)
def rfc3339(ms: int) -> str:
    """Write Unix milliseconds as RFC 3339 in UTC, ``2026-01-31T12:00:00.000Z``."""
    return f"{datetime.fromtimestamp(ms // 1000, UTC).isoformat()[:19]}.{ms % 1000:03d}Z"


def parse_time(text: str) -> int:
    """Read RFC 3339 (a missing offset means UTC) or Unix milliseconds.

    Raises:
        ValueError: it is neither.
    """
    if text.lstrip("-").isdigit():
        return int(text)
    stamp = datetime.fromisoformat(text.replace(" ", "+"))
    if stamp.tzinfo is None:
        stamp = stamp.replace(tzinfo=UTC)
    return round(stamp.timestamp() * 1000)
