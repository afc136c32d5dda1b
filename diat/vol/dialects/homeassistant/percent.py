"""Numbers of a device's own range as percent, and texts that may be JSON."""

from __future__ import annotations

import math
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from diat.vol.dialects.commands import finite
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.messages import Decoder, Value, number
from diat.vol.dialects.words import Unfit, as_text, quoted

PERCENT: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 100, "unit": "%"}


class Range(Struct, frozen=True):
    """A range of a device's numbers: which is 0 %, and which 100 %."""

    zero: int | float
    full: int | float

    @property
    def fine(self) -> bool:
        """Whether each per cent is a number of its own, so that what is read equals what was set."""
        return abs(self.full - self.zero) >= 100

    def read(self, text: str) -> Value:
        """Decode a number of the device; what is beyond its range counts as its end."""
        raw = number(text)
        if not isinstance(raw, int | float):
            return UNSET
        low, high = sorted((self.zero, self.full))
        within = min(max(raw, low), high)
        return round((within - self.zero) * 100 / (self.full - self.zero))

    def write(self, value: Any, *, up: bool = False) -> tuple[int, int]:
        """A percentage as a whole number, and the device's number for it."""
        if not 0 <= finite(value) <= 100:
            raise Unfit(f"{quoted(value)} is no percentage")
        percent = round(value)
        raw = self.zero + percent * (self.full - self.zero) / 100
        return percent, math.ceil(raw) if up else round(raw)


def range_of(entity: Entity, low: tuple[str, int], high: tuple[str, int]) -> Range:
    """The range between two keys, each with what counts if it is not said."""
    zero, full = entity.number(low[0]), entity.number(high[0])
    zero, full = low[1] if zero is None else zero, high[1] if full is None else full
    if zero == full or max(abs(zero), abs(full)) > 2**53:
        raise Unfit(f"{low[0]} {zero} and {high[0]} {full} are no range")
    return Range(zero, full)


def json_object(text: str) -> dict[str, Any]:
    """Decode a JSON object."""
    try:
        content = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise Unfit(f"{quoted(text)} is not a JSON object")
    return content


class Inside(Struct, frozen=True):
    """A field of a text that is a JSON object, decoded as the text that it prints as; null is no value.

    Attributes:
        key: of the field.
        decode: its text.
        bare: decodes a text that is no JSON object; without it such a text says nothing.
    """

    key: str
    decode: Decoder
    bare: Decoder | None = None

    def __call__(self, text: str) -> Value:
        """Decode."""
        if not text.lstrip().startswith("{"):
            return self.bare(text) if self.bare else UNSET
        value = json_object(text).get(self.key)
        return UNSET if value is None else self.decode(as_text(value))
