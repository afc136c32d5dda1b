"""In which form values are handed out, by what was decided: rounded, coarser in time, under a pseudonym."""

from __future__ import annotations

import hashlib
import hmac
import math
from decimal import Decimal
from functools import lru_cache
from typing import Any

from msgspec import Struct

from diat.kernel.durations import parse_duration
from diat.security.decision import Decision

PSEUDONYM = "anon-"
"""What pseudonyms begin with."""


class Part(Struct, frozen=True):
    """What one policy does to a value, in this order.

    Attributes:
        drop: members of objects that are left out.
        anonymise: members of objects that become pseudonyms; True for every text.
        round: numbers become multiples of it; None for as they are.
    """

    drop: tuple[str, ...] = ()
    anonymise: bool | tuple[str, ...] = ()
    round: float | None = None


class Form(Struct, frozen=True):
    """The form of values; two are equal if they do the same.

    Attributes:
        parts: what policies do to a value, one after the other.
        coarsen: milliseconds of an interval of which only the first value is told; 0 for each.
        delay: milliseconds that a value must be old.
    """

    parts: tuple[Part, ...] = ()
    coarsen: int = 0
    delay: int = 0

    def value(self, value: Any, key: bytes) -> Any:
        """A value in this form.

        Args:
            value: any JSON.
            key: of the pseudonyms; the platform's secret.
        """
        for part in self.parts:
            if isinstance(value, float) and part.anonymise in ((), True):
                value = value if part.round is None else rounded(value, part.round)
                continue
            value = _shaped(part, value, key, named=part.anonymise is True)
        return value

    def at(self, observed: int) -> int:
        """When a value is said to have been observed, Unix milliseconds: the beginning of its interval."""
        return observed - observed % self.coarsen if self.coarsen else observed

    def youngest(self, now: int) -> int:
        """No value that was observed after this is told, Unix milliseconds."""
        return now - self.delay


def form_of(decision: Decision) -> Form | None:
    """The form that was decided on; None for as values are."""
    if not decision.modify and not decision.delay:
        return None
    said = decision.modify
    lengths = [parse_duration(each["coarsen"]) for each in said if "coarsen" in each]
    return Form(
        parts=tuple(part for part in map(_part, said) if part != Part()),
        coarsen=max(lengths, default=0),
        delay=decision.delay,
    )


def _part(said: dict[str, Any]) -> Part:
    anonymise = said.get("anonymise", False)
    return Part(
        drop=tuple(said.get("drop", ())),
        anonymise=tuple(anonymise) if isinstance(anonymise, list) else anonymise or (),
        round=said.get("round"),
    )


def _shaped(part: Part, value: Any, key: bytes, *, named: bool) -> Any:
    """A value, and all within it; ``named`` says whether it becomes a pseudonym."""
    if isinstance(value, dict):
        fields = part.anonymise if isinstance(part.anonymise, tuple) else ()
        return {
            name: _shaped(part, each, key, named=named or name in fields)
            for name, each in value.items()
            if name not in part.drop
        }
    if isinstance(value, list):
        return [_shaped(part, each, key, named=named) for each in value]
    if named and value is not None and (isinstance(value, str) or part.anonymise is not True):
        return pseudonym(value, key)
    if part.round is not None and isinstance(value, int | float) and not isinstance(value, bool):
        return rounded(value, part.round)
    return value


def pseudonym(value: Any, key: bytes) -> str:
    """What stands for a value: the same for the same key and value, and nobody without the key can tell."""
    return PSEUDONYM + hmac.new(key, repr(value).encode(), hashlib.sha256).hexdigest()[:16]


def rounded(value: float, step: float) -> float:
    """The multiple of a step that is nearest, half to even; a whole number stays one."""
    times = value / step if abs(value) < 1e300 else math.inf
    if not math.isfinite(times):
        return value  # so large that its last digit is more than the step
    found = round(round(times) * step, _digits(step))
    return int(found) if isinstance(value, int) and found == int(found) else found


@lru_cache(maxsize=1000)
def _digits(step: float) -> int:
    """Decimal places of a step."""
    exponent = Decimal(repr(step)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
