"""Homie's colours: an object with a number for each channel, on the wire numbers separated by commas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diat.vol.dialects.commands import finite, tidy
from diat.vol.dialects.messages import Value
from diat.vol.dialects.values import number
from diat.vol.dialects.words import Unfit, quoted

# Colour space: its channels with their greatest values. The third of xyz follows from the other two.
CHANNELS: dict[str, dict[str, int]] = {
    "rgb": {"r": 255, "g": 255, "b": 255},
    "hsv": {"h": 360, "s": 100, "v": 100},
    "xyz": {"x": 1, "y": 1},
}


def schema(modes: Sequence[str]) -> dict[str, Any]:
    """The DataSchema of a colour in any of these colour spaces."""
    objects = [
        {
            "properties": {
                c: {"type": "number", "minimum": 0, "maximum": top} for c, top in channels.items()
            },
            "required": list(channels),
        }
        for channels in (CHANNELS[mode] for mode in modes)
    ]
    if len(objects) == 1:
        return {"type": "object", **objects[0]}
    return {"type": "object", "oneOf": [{"type": "object", **one} for one in objects]}


def decode(modes: Sequence[str], text: str) -> Value:
    """Read a colour; one that does not name its colour space is in the first."""
    first, *rest = text.split(",", 4)
    mode, levels = (first, rest) if first in CHANNELS else (modes[0], [first, *rest])
    channels = CHANNELS[mode]
    if len(levels) != len(channels) or mode not in modes or not all(levels):
        raise Unfit(f"{quoted(text)} is not a colour in {' or '.join(modes)}")
    found = {channel: number(level) for channel, level in zip(channels, levels, strict=True)}
    if not all(isinstance(level, int | float) for level in found.values()):
        raise Unfit(f"{quoted(text)} is not a colour in {' or '.join(modes)}")
    return found


def encode(modes: Sequence[str], value: Any, *, tagged: bool) -> str:
    """Write a colour; ``tagged`` puts the name of its colour space first (else whole numbers only)."""
    for mode in modes:
        channels = CHANNELS[mode]
        if isinstance(value, dict) and value.keys() == channels.keys():
            levels = [tidy(finite(value[channel])) for channel in channels]
            if tagged:
                return ",".join([mode, *map(str, levels)])
            return ",".join(str(round(level)) for level in levels)
    raise Unfit(f"{quoted(value)} is not a colour in {' or '.join(modes)}")
