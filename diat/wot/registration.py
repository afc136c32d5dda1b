"""Registration information of W3C WoT Discovery: how long a directory keeps a description.

``registration`` holds ``ttl`` (seconds from the registration on) or ``expires`` (RFC 3339), which whoever
registers may set; ``ttl`` counts before ``expires``. The other members are the directory's to write.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from diat.kernel.clock import parse_time

DISCOVERY = "https://www.w3.org/2022/wot/discovery"
"""The context whose terms a description with registration information uses."""
LONGEST_TTL = 3_153_600_000.0
"""Seconds of ``ttl`` at most: a hundred years."""
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")


def registration_fault(td: Mapping[str, Any]) -> str | None:
    """What is wrong with the registration information of a description, with its place; None if nothing."""
    said = td.get("registration")
    if said is None:
        return None
    if not isinstance(said, Mapping):
        return "registration: not an object"
    ttl = said.get("ttl")
    if ttl is not None and (
        isinstance(ttl, bool) or not isinstance(ttl, int | float) or not 0 < ttl <= LONGEST_TTL
    ):
        return f"registration.ttl: seconds are wanted, more than 0 and at most {LONGEST_TTL:.0f}"
    for name in ("created", "modified", "expires", "retrieved"):
        if name in said and _time(said[name]) is None:
            return f"registration.{name}: a time with its offset is wanted, as RFC 3339 has it"
    return None


def expiry(td: Mapping[str, Any], registered: int) -> int | None:
    """When a description registered at a time expires, both in Unix milliseconds; None if it does not."""
    said = td.get("registration")
    if not isinstance(said, Mapping) or registration_fault(td) is not None:
        return None
    ttl = said.get("ttl")
    if ttl is not None:
        return registered + math.ceil(float(ttl) * 1000)
    return _time(said.get("expires"))


def asked(td: Mapping[str, Any]) -> dict[str, Any]:
    """The registration information that is whoever registers' to set."""
    said = td.get("registration")
    given = said if isinstance(said, Mapping) else {}
    name = "ttl" if given.get("ttl") is not None else "expires"
    return {name: given[name]} if given.get(name) is not None else {}


def _time(text: object) -> int | None:
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        return None
    try:
        return parse_time(text.upper())
    except (ValueError, OverflowError):
        return None
