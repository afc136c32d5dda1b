"""Where gateways bring files that somebody asked for: a ticket in the address lets one in, once."""

from __future__ import annotations

import re

ARRIVALS = "/clips/arrivals/{ticket}"
_ARRIVAL = re.compile(r"/clips/arrivals/[\w-]+")


def is_arrival(path: str) -> bool:
    """Whether a path is one that a file is brought to."""
    return _ARRIVAL.fullmatch(path) is not None
