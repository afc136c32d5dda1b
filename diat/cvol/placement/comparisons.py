"""What of a number matters to a formula: the values at which one of its comparisons turns.

Formulas are read here a second time, and only as far as that takes: what cannot be followed (functions,
members, two numbers compared with each other) counts as resting on the number itself. Comparisons are tried
out in the arithmetic in which formulas run, so that where they turn is exact to the last bit.
"""

from __future__ import annotations

import operator
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

Number = Callable[[float], float]
"""A function that rises or falls all the way."""
_FURTHEST = 1e300
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?)(?![\w.])
    |(?P<text>"[^"\\\n]*"|'[^'\\\n]*')
    |(?P<name>[A-Za-z_]\w*)
    |(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/<>!?:()]))""",
    re.VERBOSE,
)
_ORDER = (("||",), ("&&",), ("<", "<=", ">", ">=", "==", "!="), ("+", "-"), ("*", "/"))
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORK: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


class NotFollowed(ValueError):
    """What a formula does with a number cannot be followed here."""


def turns(text: str, name: str, constants: Mapping[str, Any]) -> frozenset[float] | None:
    """The numbers at which a formula can give something else, of one that it knows by a name.

    Each is the least number of those on its upper side. Whether there is a number at all may always matter.

    Args:
        text: the formula, in CEL.
        name: what it calls the number.
        constants: what further names stand for that never change.

    Returns:
        None if it rests on the number itself.
    """
    try:
        found: set[float] = set()
        _look(_parsed(text), name, constants, found)
        return frozenset(found)
    except NotFollowed:
        return None


def straight(text: str, name: str, constants: Mapping[str, Any]) -> Number | None:
    """A formula as a function that rises or falls all the way with a number; None if it may be none."""
    try:
        tree = _parsed(text)
        return _straight(tree, name, constants) if name in set(_names(tree)) else None
    except NotFollowed:
        return None


def turn(holds: Callable[[float], bool]) -> float | None:
    """The least number at which what holds on one side of it only is otherwise; None if there is none."""
    low, high = _rank(-_FURTHEST), _rank(_FURTHEST)
    before = holds(-_FURTHEST)
    if holds(_FURTHEST) == before:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(_ranked(middle)) == before else (low, middle)
    return _ranked(high)


def _rank(number: float) -> int:
    """Which of all doubles, in their order, it is."""
    bits: int = struct.unpack("<q", struct.pack("<d", number))[0]
    return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)


def _ranked(rank: int) -> float:
    number: float = struct.unpack("<d", struct.pack("<q", abs(rank)))[0]
    return number if rank >= 0 else -number


# --- reading ---


@lru_cache(maxsize=512)
def _parsed(text: str) -> Any:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise NotFollowed(text)
        tokens.append((str(match.lastgroup), match.group(str(match.lastgroup))))
        at = match.end()
    tree, rest = _choice([*tokens, ("end", "")], 0)
    if rest != len(tokens):
        raise NotFollowed(text)
    return tree


def _choice(tokens: list[tuple[str, str]], at: int) -> tuple[Any, int]:
    tree, at = _binary(tokens, at, 0)
    if tokens[at][1] != "?" or tokens[at][0] != "sign":
        return tree, at
    yes, at = _choice(tokens, at + 1)
    if tokens[at] != ("sign", ":"):
        raise NotFollowed(tokens[at][1])
    no, at = _choice(tokens, at + 1)
    return ("?", tree, yes, no), at


def _binary(tokens: list[tuple[str, str]], at: int, level: int) -> tuple[Any, int]:
    if level == len(_ORDER):
        return _single(tokens, at)
    tree, at = _binary(tokens, at, level + 1)
    while tokens[at][0] == "sign" and tokens[at][1] in _ORDER[level]:
        sign = tokens[at][1]
        other, at = _binary(tokens, at + 1, level + 1)
        tree = (sign, tree, other)
    return tree, at


def _single(tokens: list[tuple[str, str]], at: int) -> tuple[Any, int]:
    kind, token = tokens[at]
    if kind == "number":
        return ("is", float(token)), at + 1
    if kind == "text":
        return ("is", token[1:-1]), at + 1
    if kind == "name":
        if tokens[at + 1] == ("sign", "("):
            raise NotFollowed(token)
        return ("is", _WORDS[token]) if token in _WORDS else ("name", token), at + 1
    if token in ("-", "!"):
        tree, at = _single(tokens, at + 1)
        return (token, tree), at
    if token == "(":
        tree, at = _choice(tokens, at + 1)
        if tokens[at] != ("sign", ")"):
            raise NotFollowed(token)
        return tree, at + 1
    raise NotFollowed(token)


def _names(tree: Any) -> Iterator[str]:
    if tree[0] == "name":
        yield tree[1]
    elif tree[0] != "is":
        for each in tree[1:]:
            yield from _names(each)


# --- following ---


def _look(tree: Any, name: str, constants: Mapping[str, Any], found: set[float]) -> None:
    """Find where the comparisons of a formula turn."""
    sign = tree[0]
    if sign == "is" or name not in set(_names(tree)):
        return
    if sign in ("==", "!=") and ("is", None) in tree[1:]:
        other = tree[2] if tree[1] == ("is", None) else tree[1]
        if other == ("name", name):
            return
    if sign in _COMPARE or sign in ("==", "!="):
        _compared(tree, name, constants, found)
    elif sign in ("&&", "||", "?", "!"):
        # What is asked of a number without comparing it, the number itself decides.
        for each in tree[1:]:
            if each == ("name", name):
                raise NotFollowed(name)
            _look(each, name, constants, found)
    else:
        raise NotFollowed(sign)


def _compared(tree: Any, name: str, constants: Mapping[str, Any], found: set[float]) -> None:
    sign, left, right = tree
    if name in set(_names(right)):
        if name in set(_names(left)):
            raise NotFollowed(sign)
        mirrored = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
        sign, left, right = mirrored.get(sign, sign), right, left
    side, against = _straight(left, name, constants), _constant(right, constants)
    for each in ("<", "<=") if sign in ("==", "!=") else (sign,):
        compare = _COMPARE[each]
        at = turn(lambda value, compare=compare: compare(side(value), against))  # type: ignore[misc]
        if at is not None:
            found.add(at)


def _constant(tree: Any, constants: Mapping[str, Any]) -> float:
    sign = tree[0]
    if sign in ("is", "name"):
        value = tree[1] if sign == "is" else constants.get(tree[1])
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise NotFollowed(str(tree[1]))
        return float(value)
    if sign == "-" and len(tree) == 2:
        return -_constant(tree[1], constants)
    if sign in _WORK:
        left, right = _constant(tree[1], constants), _constant(tree[2], constants)
        if sign == "/" and right == 0:
            raise NotFollowed(sign)
        return _WORK[sign](left, right)
    raise NotFollowed(sign)


def _straight(tree: Any, name: str, constants: Mapping[str, Any]) -> Number:
    """Sums, differences and multiples of one number: rounding keeps their order."""
    sign = tree[0]
    if tree == ("name", name):
        return lambda value: value
    if sign == "-" and len(tree) == 2:
        inner = _straight(tree[1], name, constants)
        return lambda value: -inner(value)
    if sign not in _WORK:
        raise NotFollowed(sign)
    work = _WORK[sign]
    if name not in set(_names(tree[2])):
        inner, by = _straight(tree[1], name, constants), _constant(tree[2], constants)
        if by == 0 and sign in "*/":
            raise NotFollowed(sign)
        return lambda value: work(inner(value), by)
    if sign == "/" or name in set(_names(tree[1])):
        raise NotFollowed(sign)
    inner, by = _straight(tree[2], name, constants), _constant(tree[1], constants)
    if by == 0 and sign == "*":
        raise NotFollowed(sign)
    return lambda value: work(by, inner(value))
