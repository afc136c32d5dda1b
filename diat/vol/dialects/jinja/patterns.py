"""Regular expressions from templates, held to those whose worst case can be told beforehand.

A backtracking matcher can take exponential time. A pattern is used only if nothing repeated contains
repetition or choice; then the worst case is a product: the length of the text for every unbounded repetition
and for the place where the match begins, and two for every choice.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from diat.vol.dialects.jinja.bounds import Budget, text_of
from diat.vol.dialects.words import Unfit, quoted

MAX_PATTERN = 200

_TOKEN = re.compile(
    r"""
    (?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])
  | (?P<backreference>\\[1-9])
  | (?P<escape>\\.)
  | (?P<open>\((?:\?:)?)
  | (?P<close>\))
  | (?P<repeat>[*+?]|\{\d*,?\d*\})
  | (?P<choice>\|)
  | (?P<plain>.)
    """,
    re.VERBOSE | re.DOTALL,
)


_SET_OPERATION = re.compile(r"\[|--|&&|~~|\|\|")


@lru_cache(maxsize=256)
def compiled(pattern: str, ignore_case: bool) -> tuple[re.Pattern[str], int, int]:
    """Compile a pattern; give it with its count of unbounded repetitions and of choices.

    Raises:
        Unfit: it is too long, malformed, or its worst case cannot be bounded.
    """
    if len(pattern) > MAX_PATTERN:
        raise Unfit(f"the pattern {quoted(pattern)} is longer than {MAX_PATTERN} characters")
    repeats, choices = _weight(pattern)
    try:
        return re.compile(pattern, re.IGNORECASE if ignore_case else 0), repeats, choices
    except (re.error, OverflowError, RecursionError) as error:
        raise Unfit(f"the pattern {quoted(pattern)} is malformed: {error}") from None


def affordable(pattern: str, text: str, budget: Budget, *, ignore_case: bool = False) -> re.Pattern[str]:
    """Compile a pattern for use on this text, and pay for its worst case.

    Raises:
        Unfit: the pattern cannot be used, or its worst case is dearer than what is left.
    """
    program, repeats, choices = compiled(pattern, ignore_case)
    budget.spend((len(text) + 1) ** (min(repeats, 9) + 1) * 2 ** min(choices, 30))
    return program


def _weight(pattern: str) -> tuple[int, int]:
    """Count unbounded repetitions and choices, refusing what would multiply them."""
    repeats = choices = 0
    groups: list[int] = []  # for each open group, how much there was before it
    closed: int | None = None  # what the group that just ended holds
    before = ""
    for token in _TOKEN.finditer(pattern):
        kind, text = str(token.lastgroup), token.group()
        held, closed = closed, None
        if kind == "backreference":
            raise Unfit(f"the pattern {quoted(pattern)} refers back to a group")
        if kind == "class" and _SET_OPERATION.search(text, 1):
            raise Unfit(f"the pattern {quoted(pattern)} has a set inside a set")
        if kind == "open":
            groups.append(repeats + choices)
        elif kind == "close":
            closed = repeats + choices - groups.pop() if groups else 0
        elif kind == "choice":
            choices += 1
        elif kind == "repeat":
            if before == "open":
                raise Unfit(f"the pattern {quoted(pattern)} has an extension that is not offered")
            if held:
                raise Unfit(f"the pattern {quoted(pattern)} repeats what already repeats or chooses")
            if before == "repeat" and text in "?+":
                continue  # lazy or possessive
            choices += text == "?"
            repeats += text != "?" and not re.fullmatch(r"\{\d{1,2}\}", text)
        before = kind
    return repeats, choices


def match(budget: Budget, value: Any, find: str = "", ignorecase: bool = False) -> bool:
    """Whether the text begins with the pattern."""
    text = str(value)
    return affordable(find, text, budget, ignore_case=ignorecase).match(text) is not None


def search(budget: Budget, value: Any, find: str = "", ignorecase: bool = False) -> bool:
    """Whether the pattern is somewhere in the text."""
    text = str(value)
    return affordable(find, text, budget, ignore_case=ignorecase).search(text) is not None


def replace(budget: Budget, value: Any, find: str = "", replace: str = "", ignorecase: bool = False) -> str:
    """The text with every match replaced."""
    text = str(value)
    text_of((len(text) + 1) * (len(replace) + 1))
    program = affordable(find, text, budget, ignore_case=ignorecase)
    try:
        return program.sub(replace, text)
    except re.error as error:
        raise Unfit(f"the replacement {quoted(replace)} is malformed: {error}") from None


def findall(budget: Budget, value: Any, find: str = "", ignorecase: bool = False) -> list[Any]:
    """All matches, or their groups."""
    text = str(value)
    return affordable(find, text, budget, ignore_case=ignorecase).findall(text)


def findall_index(
    budget: Budget, value: Any, find: str = "", index: int = 0, ignorecase: bool = False
) -> Any:
    """One of all matches."""
    return findall(budget, value, find, ignorecase)[index]
