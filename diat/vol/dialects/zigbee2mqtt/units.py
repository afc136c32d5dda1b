"""Units as Zigbee2MQTT's converters write them."""

from __future__ import annotations

from typing import Any

from diat.vol.dialects.meaning import unit
from diat.vol.dialects.words import quoted

# Plain numbers with a word instead of a unit, and the one letter that means something else everywhere else.
_OWN = {
    **dict.fromkeys(("lqi", "index", "voc index points", "pm2.5 index"), "1"),
    "w": "W",
}


def code_of(said: Any) -> tuple[str | None, tuple[str, ...]]:
    """The UCUM code of a unit, and a note if it is none that we know."""
    if said is None or said == "":
        return None, ()
    if not isinstance(said, str):
        return None, (f"the unit {quoted(said)} is not understood",)
    # Only the small w is a watt here.
    own = _OWN.get(said if said == "w" else said.lower() if len(said) > 1 else "")
    return (own, ()) if own else unit(said[:64])
