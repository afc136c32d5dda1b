"""The operations of templates that can grow a value, each held to a limit before it is carried out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from jinja2 import Undefined
from jinja2.exceptions import UndefinedError

from diat.vol.dialects.words import Unfit, quoted

T = TypeVar("T")

MISSING: Any = object()
"""Stands for an argument that was not given."""

MAX_COST = 10_000_000
"""Characters that one rendering may look at: some tens of milliseconds."""
MIN_SIZE = 1_024
MAX_TEXT = 16_384
"""Characters in any text that a template makes."""
MAX_ITEMS = 256
"""Items of a loop, a range or a list that a template makes."""
MAX_WEIGHT = 4_096
"""Values inside values that a template puts together."""
MAX_BITS = 512
"""Bits of a whole number that a template computes."""

_PERCENT = re.compile(r"%(?:%|(?:\(\w{1,40}\))?[-+ 0#]{0,3}\d{0,2}(?:\.\d{0,2})?[sdiouxXeEfFgG])")
_BRACES = re.compile(r"\{\{|\}\}|\{\w{0,20}(?::(?:.?[<>=^])?[-+ ]?#?0?\d{0,2},?(?:\.\d{1,2})?[a-zA-Z%]?)?\}")
_DATE_PARTS = re.compile(r"%-?[a-zA-Z%]")


class Budget:
    """What one rendering may cost, in characters looked at.

    Attributes:
        size: of the message, in characters; a small one counts as ``MIN_SIZE``, because templates make
            values of their own.
    """

    __slots__ = ("_left", "size")

    def __init__(self, size: int) -> None:
        self.size = max(size, MIN_SIZE)
        self._left = MAX_COST

    def spend(self, cost: int) -> None:
        """Pay before something is done; ``Unfit`` if too little is left."""
        self._left -= cost
        if self._left < 0:
            raise Unfit("the template is too costly for a message of this size")


def known(value: T) -> T:
    """Give the value back; if the message does not have it, the template has no result."""
    if isinstance(value, Undefined):
        raise UndefinedError("the message does not have it")
    return value


def text_of(length: int) -> None:
    """Refuse to make a text of more than ``MAX_TEXT`` characters."""
    if length > MAX_TEXT:
        raise Unfit(f"the template makes a text of more than {MAX_TEXT} characters")


def weigh(value: T) -> T:
    """Give the value back, refusing one with more than ``MAX_WEIGHT`` values inside (each time it occurs)."""
    waiting: list[Any] = [value]
    weight = 0
    while waiting:
        one = waiting.pop()
        weight += 1
        inside: Iterable[Any] = ()
        if isinstance(one, dict):
            inside = one.values()
        elif isinstance(one, list | tuple):
            inside = one
        elif isinstance(one, str | bytes):
            weight += len(one) // 64
        if weight + len(waiting) > MAX_WEIGHT:
            raise Unfit(f"the template puts together more than {MAX_WEIGHT} values")
        waiting.extend(inside)
    return value


def whole(value: T) -> T:
    """Give the value back, refusing a whole number of more than ``MAX_BITS`` bits."""
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise Unfit(f"the template computes a number of more than {MAX_BITS} bits")
    return value


def join(parts: Iterable[Any], separator: str = "") -> str:
    """Join what the parts print as."""
    texts: list[str] = []
    length = 0
    for part in parts:
        text = str(part)
        length += len(text) + len(separator)
        text_of(length)
        texts.append(text)
    return separator.join(texts)


def add(left: Any, right: Any) -> Any:
    """``left + right``."""
    if isinstance(left, str | bytes) and isinstance(right, str | bytes):
        text_of(len(left) + len(right))
    return weigh(whole(left + right))


def multiply(left: Any, right: Any) -> Any:
    """``left * right`` of numbers; repeating texts and lists is not offered."""
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        raise Unfit("the template multiplies something that is not a number")
    return whole(left * right)


def power(left: Any, right: Any) -> Any:
    """``left ** right`` with an exponent of at most 64."""
    if not isinstance(left, int | float) or not isinstance(right, int | float) or abs(right) > 64:
        raise Unfit("the template raises to a power above 64")
    return whole(whole(left) ** right)


def modulo(left: Any, right: Any) -> Any:
    """``left % right``: the remainder, or the text with its places filled in."""
    if isinstance(left, bytes):
        raise Unfit("the template fills raw bytes in, which is not offered")
    if not isinstance(left, str):
        return left % right
    return fill_percent(left, *(right if isinstance(right, tuple) else (right,)))


def fill_percent(pattern: Any, *values: Any, **named: Any) -> str:
    """Fill in ``%s``, ``%.1f`` and the like; widths and precisions have two digits at most."""
    text = str(pattern)
    if "%" in _PERCENT.sub("", text):
        raise Unfit("the template has a % format that is not offered")
    _fits(text, values, named)
    return text % (named or values)


def fill_braces(pattern: str, *values: Any, **named: Any) -> str:
    """Fill in ``{}``, ``{:.1f}``, ``{0}`` or ``{name}``; widths and precisions have two digits at most."""
    if any(brace in _BRACES.sub("", pattern) for brace in "{}"):
        raise Unfit("the template has a {} format that is not offered")
    _fits(pattern, values, named)
    return pattern.format(*values, **named)


def _fits(pattern: str, values: tuple[Any, ...], named: dict[str, Any]) -> None:
    """Refuse to fill a long text into many places."""
    longest = max((len(str(value)) for value in (*values, *named.values())), default=0)
    text_of(len(pattern) + (pattern.count("%") + pattern.count("{")) * (longest + 99))


def date_format(pattern: str) -> str:
    """Give the pattern back, refusing one with widths, which can make texts of any size."""
    if len(pattern) > 64 or "%" in _DATE_PARTS.sub("", pattern):
        raise Unfit(f"the date format {quoted(pattern)} is not offered")
    return pattern


BINARY: dict[str, Callable[[Any, Any], Any]] = {"+": add, "*": multiply, "**": power, "%": modulo}
"""The operators that are carried out here and not by Jinja."""
