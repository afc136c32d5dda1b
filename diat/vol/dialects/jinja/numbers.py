"""Numbers in templates."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from jinja2.exceptions import UndefinedError

from diat.vol.dialects.jinja import bounds
from diat.vol.dialects.words import Unfit, quoted


def number(value: Any, kind: Callable[[Any], Any], default: Any) -> Any:
    """Take a number, also one written as text; what is none is the default, or fails."""
    try:
        return kind("" if isinstance(value, str) and len(value) > 64 else value)
    except (TypeError, ValueError, OverflowError, UndefinedError):
        if default is not bounds.MISSING:
            return default
        raise Unfit(
            f"{quoted(bounds.known(value))} is not a number, and the template has no default"
        ) from None


def as_float(value: Any, default: Any = bounds.MISSING) -> Any:
    """A decimal number."""
    return number(value, float, default)


def as_int(value: Any, default: Any = bounds.MISSING, base: int = 10) -> Any:
    """A whole number."""
    return number(
        value, lambda v: int(v, base) if isinstance(v, str) and base != 10 else int(float(v)), default
    )


def rounded(value: Any, precision: int = 0, method: str = "common", default: Any = bounds.MISSING) -> Any:
    """Round as Home Assistant does."""
    found = number(value, float, default)
    if found is default:
        return default
    if abs(precision) > 15:
        raise Unfit("the template rounds to more than 15 digits")
    factor = 10**precision
    match method:
        case "ceil":
            found = math.ceil(found * factor) / factor
        case "floor":
            found = math.floor(found * factor) / factor
        case "half":
            found = round(found * 2) / 2
        case _:
            found = round(found, precision)
    return int(found) if precision == 0 and method != "half" else found


def clamp(value: Any, low: float, high: float) -> Any:
    """The number, within the limits."""
    return min(max(number(value, float, bounds.MISSING), low), high)


def remap(value: Any, in_low: float, in_high: float, out_low: float, out_high: float) -> float:
    """A number of one range in another."""
    return float(out_low + (float(value) - in_low) * (out_high - out_low) / (in_high - in_low))


def bitwise(of: Callable[[int, int], int]) -> Callable[[Any, Any], int]:
    """A function of the bits of two whole numbers."""
    return lambda value, other: of(int(bounds.known(value)), int(other))


def function_of(of: Callable[[float], float]) -> Callable[[Any], float]:
    """A function of a number."""
    return lambda value: of(float(bounds.known(value)))


def add(value: Any, other: Any) -> Any:
    """Add to a number."""
    return bounds.add(as_float(value), float(other))


def multiply(value: Any, factor: Any) -> Any:
    """Multiply a number."""
    return bounds.multiply(as_float(value), float(factor))


def counting(*arguments: int) -> range:
    """Count, a bounded number of times."""
    numbers = range(*arguments)
    if len(numbers) > bounds.MAX_ITEMS:
        raise Unfit(f"the template counts over more than {bounds.MAX_ITEMS} numbers")
    return numbers
