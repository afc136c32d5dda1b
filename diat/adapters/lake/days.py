"""Days in UTC, by number since 1970-01-01."""

from __future__ import annotations

from datetime import date

from diat.adapters.sql.hot import DAY

HOUR = 3_600_000
"""Milliseconds of an hour."""

_EPOCH = date(1970, 1, 1).toordinal()


def day_of(ms: int) -> int:
    """The day of a time in Unix milliseconds."""
    return ms // DAY


def name_of(day: int) -> str:
    """``2026-01-31``."""
    return date.fromordinal(day + _EPOCH).isoformat()


def day_named(name: str) -> int:
    """The day of a name.

    Raises:
        ValueError: it is none.
    """
    return date.fromisoformat(name).toordinal() - _EPOCH
