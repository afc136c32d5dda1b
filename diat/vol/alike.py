"""What is alike is one: a thousand things of a model have the same affordances, word for word.

Each distinct affordance is kept, and compiled, once, for as long as it is in use enough to be remembered.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from diat.vol.dialects.port import Description
from diat.wot.td import AFFORDANCES

ALIKE = 8_192
"""Distinct affordances that are remembered: with what names them some 10 MB at most."""

json = msgspec.json.Encoder().encode


def alike(description: Description) -> Description:
    """The description with affordances that it shares with all others that have the same.

    They must not be changed, as nothing in a description may be.
    """
    shared = {
        kind: {name: _one(json(affordance)) for name, affordance in group.items()}
        for kind in AFFORDANCES
        if isinstance(group := description.td.get(kind), dict)
    }
    return msgspec.structs.replace(description, td={**description.td, **shared})


@lru_cache(maxsize=ALIKE)
def _one(affordance: bytes) -> Any:
    return msgspec.json.decode(affordance)
