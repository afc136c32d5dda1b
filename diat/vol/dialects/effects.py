"""What driving an affordance does: which quantity it changes, which way, and of which channel of the thing.

All dialects say it in the same words. A light, a relay, a siren change a quantity that others measure
(``Illuminance``, ``Power``, ``SoundPressureLevel``). What opens, unlocks, lets flow or blows changes what it
is itself, so its own value is of that kind too: true is open, unlocked, flowing, blowing.
"""

from __future__ import annotations

from typing import Any, Literal

from diat.vol.dialects.meaning import Meaning, quantity

Direction = Literal["increase", "decrease", "switch"]
INCREASE: Direction = "increase"
DECREASE: Direction = "decrease"

LIGHT, LOAD, SIREN = "Illuminance", "Power", "SoundPressureLevel"
FAN, LOCK = "Ventilation", "Lock"
OPENING, VALVE, WATER, GAS = "Opening", "Valve", "WaterSupply", "GasSupply"

OPENINGS = {
    **dict.fromkeys(("awning", "blind", "curtain", "shade", "shutter"), "Shade"),
    "damper": "Damper",
    "door": "Door",
    "garage": "GarageDoor",
    "gate": "Gate",
    "window": "Window",
    "water": WATER,
    "gas": GAS,
}
"""What opening it changes, by what it is, in the words of Home Assistant's device classes."""
LOADS = frozenset({"plug", "outlet", "socket", "relay"})
"""Words for what feeds whatever hangs on it."""


def affecting(
    kind: Meaning | str | None, direction: Direction = "increase", channel: str | None = None
) -> dict[str, Any]:
    """The terms for what driving it does; none if that is not known.

    Args:
        kind: the quantity, and how that is known.
        direction: what true does to it, a greater value, or the action; ``switch`` if either way.
        channel: which of several like parts of the thing it drives.
    """
    if kind is None:
        return {}
    known = {term: said for term, said in quantity(kind).items() if term != "@type"}
    name = kind.kind if isinstance(kind, Meaning) else kind
    channels = {"diat:channel": channel} if channel else {}
    return {**known, "diat:affects": {"quantity": name, "direction": direction}, **channels}


def being(
    kind: Meaning | str | None, direction: Direction = "increase", channel: str | None = None
) -> dict[str, Any]:
    """The same, where its own value is of that kind as well."""
    return {**quantity(kind), **affecting(kind, direction, channel)}
