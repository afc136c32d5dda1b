"""Values as they travel in JSON messages: reading them, and writing them into commands."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from diat.vol.dialects.messages import Message, NotJson, Value
from diat.vol.dialects.messages import number as number_of_text
from diat.vol.dialects.words import Unfit, quoted

MAX_INTEGER = 2**63 - 1
MAX_DEPTH = 16
MAX_TEXT = 64 * 1024


class At(Struct, frozen=True):
    """The value at a place inside a message that is a JSON object, decoded; null is no value.

    A step is a key of an object, or the index into a list. Where a list was announced, a single value may
    come: it counts as the first.
    """

    path: tuple[str | int, ...]
    decode: Callable[[Any], Value]

    def __call__(self, message: Message) -> Value:
        """Read the value; ``UNSET`` if the message does not have it."""
        inside = message.json
        if not isinstance(inside, dict):
            raise NotJson(f"{quoted(message.text)} is not a JSON object")
        for step in self.path:
            inside = _within(inside, step)
            if inside is None:
                return UNSET
        return self.decode(inside)


class Either(Struct, frozen=True):
    """True and false by the JSON values that mean them; anything listed as ``neither`` is no value."""

    on: Any
    off: Any
    neither: tuple[Any, ...] = ()

    def __call__(self, value: Any) -> Value:
        """Decode."""
        if alike(value, self.on):
            return True
        if alike(value, self.off):
            return False
        if any(alike(value, other) for other in self.neither):
            return UNSET
        raise Unfit(f"{quoted(value)} is neither {quoted(self.on)} nor {quoted(self.off)}")


class Choice(Struct, frozen=True):
    """One of several JSON values."""

    values: tuple[Any, ...]

    def __call__(self, value: Any) -> Value:
        """Decode."""
        if any(alike(value, known) for known in self.values):
            return value
        raise Unfit(f"{quoted(value)} is none of its options")


def alike(value: Any, other: Any) -> bool:
    """Whether two JSON values are the same; true is not 1."""
    return isinstance(value, bool) == isinstance(other, bool) and bool(value == other)


def number(value: Any) -> Value:
    """Decode a number, also one written as text; whole numbers have 64 bits at most."""
    if isinstance(value, str):
        value = number_of_text(value)
    if value is UNSET:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit(f"{quoted(value)} is not a number")
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise Unfit(f"{quoted(value)} is out of range")
    if not math.isfinite(value):
        raise Unfit(f"{quoted(value)} is out of range")
    return value


def some_number(value: Any) -> int | float:
    """Take what ``number`` takes, where there must be one."""
    found = number(value)
    if not isinstance(found, int | float):
        raise Unfit(f"{quoted(value)} is not a number")
    return found


def counts_from_zero(low: int | float | None, high: int | float | None, step: int | float | None) -> bool:
    """Whether ``multipleOf`` says what the step means: it counts from zero, steps from the least value."""
    base = low if low is not None else high
    return step is not None and step > 0 and (base is None or base % step == 0)


def boolean(value: Any) -> Value:
    """Decode true or false."""
    if not isinstance(value, bool):
        raise Unfit(f"{quoted(value)} is neither true nor false")
    return value


def text(value: Any) -> Value:
    """Decode text; a number counts as what it prints."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Unfit(f"{quoted(value)} is not a text")
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise Unfit(f"a text of more than {MAX_TEXT} characters")
    return str(value)


def plain(value: Any, depth: int = MAX_DEPTH) -> Any:
    """Take any JSON that is not nested too deep and has no number that cannot be kept."""
    if isinstance(value, dict | list) and depth == 0:
        raise Unfit(f"nested more than {MAX_DEPTH} deep")
    if isinstance(value, dict):
        return {key: plain(inside, depth - 1) for key, inside in value.items()}
    if isinstance(value, list):
        return [plain(inside, depth - 1) for inside in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return value


def json_text(value: Any) -> str:
    """JSON for a command."""
    try:
        return msgspec.json.encode(plain(value)).decode()
    except (TypeError, ValueError, OverflowError) as error:
        raise Unfit(f"it cannot be written as JSON: {error}") from None


def _within(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return value.get(step) if isinstance(value, dict) else None
    if not isinstance(value, list):
        return value if step == 0 else None
    return value[step] if step < len(value) else None
