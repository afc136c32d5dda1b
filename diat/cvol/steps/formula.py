"""A formula in CEL, the Common Expression Language, compiled once and bounded in what a run of it can cost.

It is CEL with one kind of number, as JSON has: every number is a double, those that are written whole and
those that ``size``, ``int`` and the parts of a time give too, so ``value * 2`` works whatever comes in. What
is left out, so that its cost grows with its length alone: ``map``, ``filter``, regular expressions, and one
``exists`` within another. The language: https://cel.dev.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from types import ModuleType
from typing import Any, NamedTuple

LONGEST_TEXT = 500
"""Characters of a formula at most."""
DEEPEST = 20
"""Brackets within brackets at most."""
MOST_PARTS = 100
"""Members and items of a value that is worked on, all together, at most."""
LONGEST_WORDS = 4096
"""Characters of all texts in a value that is worked on at most."""

NUMBERS: dict[str, Callable[..., float]] = {
    "size": len,
    "int": lambda x: math.trunc(float(x)),
    "uint": lambda x: abs(math.trunc(float(x))),
    "getFullYear": lambda t: t.year,
    "getMonth": lambda t: t.month - 1,
    "getDayOfMonth": lambda t: t.day - 1,
    "getDate": lambda t: t.day,
    "getDayOfYear": lambda t: t.timetuple().tm_yday - 1,
    "getDayOfWeek": lambda t: t.isoweekday() % 7,
    "getHours": lambda t: t.hour if isinstance(t, datetime) else _seconds(t) / 3600,
    "getMinutes": lambda t: t.minute if isinstance(t, datetime) else _seconds(t) / 60,
    "getSeconds": lambda t: t.second if isinstance(t, datetime) else _seconds(t),
    "abs": abs,
    "ceil": math.ceil,
    "floor": math.floor,
    "round": lambda x, digits=0: round(x, int(digits)),
    "sqrt": math.sqrt,
    "mod": lambda a, b: a % b,
    "min": min,
    "max": max,
}
"""Functions that give numbers; CEL's own among them, so that they give doubles."""
OTHERS = {
    "double",
    "string",
    "duration",
    "timestamp",
    "contains",
    "startsWith",
    "endsWith",
    "has",
    "dyn",
    "type",
}
TYPES = {"bool", "double", "string", "list", "map", "null_type"}
"""What ``type(x)`` is compared to; every number is a double."""
LOOPS = {"all", "exists", "exists_one", "existsOne"}

_TOKEN = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    | (?P<number>(?:0[xX][0-9a-fA-F]+|(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?)[uU]?)
    | (?P<name>[A-Za-z_]\w*)
    | (?P<space>\s+)
    | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WRONG = re.compile(r"ERROR: [^ ]+ (?:Syntax error: )?([^\n|]*)")


class Formula:
    """A compiled formula; it may be run in any thread.

    Args:
        text: the formula.
        known: the names that it may use.

    Raises:
        ValueError: it cannot be read, uses what is not there, or is too big; for a person.
    """

    def __init__(self, text: str, known: Collection[str]) -> None:
        for name in known:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} cannot be used in a formula: letters, digits and _ are wanted")
        if len(text) > LONGEST_TEXT:
            raise ValueError(f"a formula has at most {LONGEST_TEXT} characters, this one {len(text)}")
        # Not above, and without the command line that it brings along: half a second and 15 MiB.
        sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))
        import cel

        written, bound, called = _doubled(text)
        try:
            self._program = cel.compile(written)
        except ValueError as error:
            wrong = _WRONG.search(str(error))
            raise ValueError(f"not a formula in CEL: {wrong[1] if wrong else _plain(error)}"[:200]) from None
        for function in self._program.functions():
            if function == "_%_":
                raise ValueError("write mod(a, b) instead of a % b")
            if function in LOOPS:
                raise ValueError(f"{function} takes a name and a condition: value.{function}(x, x > 1)")
        bound |= TYPES if "type" in called else set()
        for name in self._program.variables():
            if name not in known and name not in bound:
                has = ", ".join(sorted(known))
                raise ValueError(f"there is no {name!r} here; there is {has}")
        self.uses = frozenset(self._program.variables()) & frozenset(known)
        self._functions = {f"{name}_": _safe(NUMBERS[name]) for name in called if name in NUMBERS}

    def run(self, variables: Mapping[str, Any]) -> tuple[Any, str | None]:
        """The value, as JSON; or None and why there is none."""
        try:
            room = _Room()
            given = {name: room.take(value) for name, value in variables.items()}
            made = self._program.execute({**given, **self._functions})
            return _json(made), None
        except Exception as error:  # noqa: BLE001 - the library raises whatever kind fits
            return None, _plain(error)


@lru_cache(maxsize=1024)
def formula(text: str, known: frozenset[str]) -> Formula:
    """The compiled formula; the same text is compiled once.

    Raises:
        ValueError: as of ``Formula``.
    """
    return Formula(text, known)


def moment(at: int, zone: tzinfo) -> datetime:
    """A time, Unix milliseconds, as formulas take it: with the hour that clocks show there."""
    local = datetime.fromtimestamp(at / 1000, zone)
    return local.replace(tzinfo=timezone(local.utcoffset() or timedelta()))


class _Room:
    """How much of a value is still taken."""

    def __init__(self) -> None:
        self._parts, self._words = MOST_PARTS, LONGEST_WORDS

    def take(self, value: Any) -> Any:
        """The value with every number as a double."""
        if isinstance(value, bool | float | datetime) or value is None:
            return value
        if isinstance(value, int):
            return float(value)
        if isinstance(value, str):
            self._words -= len(value)
            if self._words < 0:
                raise ValueError(f"texts of more than {LONGEST_WORDS} characters are too long")
            return value
        self._parts -= len(value)
        if self._parts < 0:
            raise ValueError(f"a value with more than {MOST_PARTS} parts is too big")
        if isinstance(value, Mapping):
            return {self.take(key): self.take(each) for key, each in value.items()}
        return [self.take(each) for each in value]


class _Token(NamedTuple):
    kind: str
    text: str
    space: str


def _doubled(text: str) -> tuple[str, set[str], set[str]]:
    """The formula with every number a double, the names that it binds itself, the functions that it calls."""
    end = _Token("end", "", "")
    tokens = [end, *_tokens(text), end]
    written: list[str] = []
    opened: list[str] = []
    bound: set[str] = set()
    called: set[str] = set()
    for at, (kind, token, space) in enumerate(tokens[1:-1], 1):
        before, after = tokens[at - 1], tokens[at + 1]
        meant = token
        if kind == "number":
            index = before.text == "[" and after.text == "]" and tokens[at - 2].kind in ("name", "close")
            meant = token if index else repr(_number(token))
        elif kind == "name" and after.text == "(":
            called.add(token)
            meant = f"{token}_" if token in NUMBERS else token
            if token in LOOPS:
                bound.add(tokens[at + 2].text if after is not end else "")
        elif token in ("(", "[", "{"):
            opened.append(before.text)
        elif kind == "close" and opened:
            opened.pop()
        _bounded(token, opened, calls=kind == "name" and after.text == "(")
        written.append(space + meant)
    return "".join(written), bound, called


def _bounded(token: str, opened: list[str], *, calls: bool) -> None:
    """Refuse what a formula must not have, for then its cost would not be bounded by its length."""
    if len(opened) > DEEPEST:
        raise ValueError(f"a formula has at most {DEEPEST} brackets within one another")
    if calls and token not in NUMBERS and token not in OTHERS and token not in LOOPS:
        raise ValueError(f"there is no function {token!r} in formulas")
    if any(each in LOOPS for each in opened) and (token == "+" or (calls and token in LOOPS)):
        raise ValueError(f"{token!r} cannot be used within {', '.join(sorted(LOOPS))}")


def _tokens(text: str) -> Iterator[_Token]:
    last, space = "", ""
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup or "other", match.group()
        if kind == "space":
            space += token
            continue
        if kind == "text" and last in ("text", "name") and not space:
            raise ValueError("texts are written in plain quotes: \"…\" or '…'")
        if token in (")", "]", "}"):
            kind = "close"
        yield _Token(kind, token, space)
        last, space = kind, ""


def _number(token: str) -> float:
    token = token.rstrip("uU")
    number = float(int(token, 16)) if token[:2] in ("0x", "0X") else float(token)
    if not math.isfinite(number):
        raise ValueError(f"{token} is too great a number")
    return number


def _safe(function: Callable[..., float]) -> Callable[..., float]:
    """The function with no number for an answer where there is none."""

    def safe(*given: Any) -> float:
        try:
            return float(function(*given))
        except (ArithmeticError, AttributeError, TypeError, ValueError):
            return math.nan

    return safe


def _seconds(span: timedelta) -> float:
    return span.total_seconds()


def _json(made: Any) -> Any:
    if isinstance(made, bool | str) or made is None:
        return made
    if isinstance(made, int | float):
        if not math.isfinite(made):
            raise ValueError("the result is not a finite number")
        return float(made)
    if isinstance(made, list):
        return [_json(each) for each in made]
    if isinstance(made, dict):
        return {str(key): _json(each) for key, each in made.items()}
    raise TypeError(f"the result is a {type(made).__name__}, which is no JSON")


def _plain(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"there is no {error}"
    return " ".join(str(error).split(". ")[0].split())[:200]
