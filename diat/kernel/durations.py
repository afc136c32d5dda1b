"""Durations as people write them: ``10s``, ``5m``, ``1h``, ``1d``, or ISO 8601 ``PT5M``."""

from __future__ import annotations

import re

_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_PLAIN = re.compile(r"(\d{1,12})(ms|s|m|h|d)?")
_ISO = re.compile(r"P(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?")


def parse_duration(text: str) -> int:
    """Milliseconds of a duration; a bare number is seconds.

    Raises:
        ValueError: it is none, or it is not longer than zero.
    """
    plain = _PLAIN.fullmatch(text.strip().lower())
    iso = _ISO.fullmatch(text.strip().upper())
    length = 0
    if plain is not None:
        length = int(plain.group(1)) * _UNITS[plain.group(2) or "s"]
    elif iso is not None:
        parts = zip(iso.groups(default="0"), (86_400_000, 3_600_000, 60_000, 1000), strict=True)
        length = sum(int(number) * unit for number, unit in parts)
    if length <= 0:
        raise ValueError(f"a duration is like 10s, 5m, 1h, 1d or PT5M, not {text!r}")
    return length
