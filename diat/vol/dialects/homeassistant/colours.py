"""Colours as lights speak of them: the channels of each mode, and how far they go."""

from __future__ import annotations

import colorsys
from typing import Any

from msgspec import UNSET

from diat.vol.dialects.messages import Value, number
from diat.vol.dialects.words import Unfit, quoted

# Mode: channel, its name in command templates, its greatest value.
_MODES: dict[str, tuple[tuple[str, str, float], ...]] = {
    "hs": (("h", "hue", 360), ("s", "sat", 100)),
    "xy": (("x", "x", 1), ("y", "y", 1)),
    "rgb": (("r", "red", 255), ("g", "green", 255), ("b", "blue", 255)),
    "rgbw": (("r", "red", 255), ("g", "green", 255), ("b", "blue", 255), ("w", "white", 255)),
    "rgbww": (
        *(("r", "red", 255), ("g", "green", 255), ("b", "blue", 255)),
        *(("c", "cold_white", 255), ("w", "warm_white", 255)),
    ),
}

# Zigbee2MQTT says some channels by their long names.
_LONG = {"h": "hue", "s": "saturation"}

MODES = tuple(_MODES)


def schema(mode: str) -> dict[str, Any]:
    """The DataSchema of a colour in this mode: an object with a number for each channel."""
    return {
        "type": "object",
        "properties": {c: {"type": "number", "minimum": 0, "maximum": top} for c, _, top in _MODES[mode]},
        "required": [channel for channel, _, _ in _MODES[mode]],
    }


def names(mode: str) -> dict[str, str]:
    """The channels of a mode, with their names in command templates."""
    return {channel: name for channel, name, _ in _MODES[mode]}


def hue_and_saturation(red: float, green: float, blue: float) -> tuple[float, float]:
    """Hue in degrees and saturation in per cent of a colour of channels up to 255."""
    hue, saturation, _ = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    return round(hue * 360, 3), round(saturation * 100, 3)


def from_object(mode: str, said: Any) -> Value:
    """Read a colour from a JSON object; ``UNSET`` if it tells of another mode."""
    if not isinstance(said, dict):
        raise Unfit(f"{quoted(said)} is not a colour")
    found = {channel: said.get(channel, said.get(_LONG.get(channel, ""))) for channel in names(mode)}
    if any(isinstance(level, bool) or not isinstance(level, int | float) for level in found.values()):
        return UNSET
    return found


def from_text(mode: str, text: str) -> Value:
    """Read a colour from numbers separated by commas."""
    if not text or text == "None":
        return UNSET
    levels = [number(level) for level in text.split(",", 8)]
    channels = names(mode)
    if len(levels) != len(channels) or UNSET in levels:
        raise Unfit(f"{quoted(text)} is not {len(channels)} numbers separated by commas")
    return dict(zip(channels, levels, strict=True))
