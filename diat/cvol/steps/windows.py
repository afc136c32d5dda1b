"""``window``: one value of many, taken by the time at which they were observed.

The kinds of window and their words are those of stream processing (Akidau and others, "The Dataflow Model",
VLDB 2015): event time, watermark, allowed lateness.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from diat.cvol.steps.aggregates import AGGREGATES, Aggregate, AggregateName, Item
from diat.cvol.steps.base import LONGEST, Given, Outcome, Reduces, Step
from diat.cvol.steps.frames import FRAMES, KEPT, MOST_OPEN, Book

Kind = Literal["tumbling", "hopping", "sliding", "session", "state", "count"]

NEEDS: dict[Kind, set[str]] = {
    "tumbling": {"size"},
    "hopping": {"size", "every"},
    "sliding": {"size"},
    "session": {"gap"},
    "state": {"while"},
    "count": {"size"},
}
WAITS: set[Kind] = {"tumbling", "hopping", "session", "state"}
"""The kinds that wait for late items."""
MOST_PANES = 1000


class Window(Step):
    """One value of many.

    Attributes:
        role: whose readings are the items, as they come.
        input: instead, the step whose value is an item each time that something came behind it, that it
            changes, or that it pulses.
        kind: ``tumbling``: every ``size`` seconds. ``hopping``: every ``every`` seconds, over the last
            ``size``. ``sliding``: the last ``size`` seconds at any time. ``session``: until nothing came for
            ``gap`` seconds. ``state``: as long as the step ``while`` is true. ``count``: every ``size``
            items.
        size: seconds; of ``count``, items. Of ``hopping``, a multiple of ``every``. Tumbling and hopping
            windows begin at even times, counted from 1970-01-01T00:00Z; where all is in whole days, at
            midnight in the platform's time zone, weeks on Monday.
        every: seconds.
        gap: seconds.
        lateness: seconds that a window which is over waits for what comes late.
        while: a step.
        aggregate: what is made of the items.
    """

    pure: ClassVar[bool] = False
    reduces: ClassVar[Reduces] = "much"
    keeps: ClassVar[bool] = True
    joins: ClassVar[tuple[str, ...]] = ("input", "while")
    role: str | None = None
    input: str | None = None
    kind: Kind
    aggregate: AggregateName
    size: float | None = Field(default=None, ge=1, le=LONGEST, allow_inf_nan=False)
    every: float | None = Field(default=None, ge=1, le=LONGEST, allow_inf_nan=False)
    gap: float | None = Field(default=None, ge=1, le=LONGEST, allow_inf_nan=False)
    lateness: float = Field(default=0, ge=0, le=LONGEST, allow_inf_nan=False)
    while_: str | None = Field(default=None, alias="while")

    @model_validator(mode="after")
    def _whole(self) -> Window:
        if (self.role is None) == (self.input is None):
            raise ValueError("either role or input is wanted: where its items come from")
        said = {"size": self.size, "every": self.every, "gap": self.gap, "while": self.while_}
        for name, value in said.items():
            if (value is not None) != (name in NEEDS[self.kind]):
                raise ValueError(f"a {self.kind} window {'wants' if value is None else 'has no'} {name}")
        if self.lateness and self.kind not in WAITS:
            raise ValueError(
                f"a {self.kind} window does not wait: lateness is for {', '.join(sorted(WAITS))}"
            )
        self._bounded()
        return self

    def _bounded(self) -> None:
        if self.kind == "count" and self.size != int(self.size or 0):
            raise ValueError("size is a number of items here")
        every = self.every or self.size or 1
        if self.every is not None and round((self.size or 0) / every) * every != self.size:
            raise ValueError("size must be a multiple of every")
        if self.kind in ("tumbling", "hopping") and ((self.size or 0) + self.lateness) / every > MOST_PANES:
            raise ValueError(f"size and lateness are more than {MOST_PANES} times every")
        if self.gap is not None and self.lateness > MOST_OPEN * self.gap:
            raise ValueError(f"lateness is more than {MOST_OPEN} times gap")

    @cached_property
    def figure(self) -> Aggregate:
        """What is made of the items."""
        return AGGREGATES[self.aggregate]

    def run(self, given: Given) -> Outcome:
        """The answer of the last window that is over, of a sliding one of the present; None if none is."""
        book: Book = dict(given.state) if given.state is not None else dict(_EMPTY)
        book["t"] = max(book["t"], given.now)
        items = list(self._items(given, book))
        due = FRAMES[self.kind](self, book, items, given)
        return Outcome(book["value"], book, due, _note(book))

    def _items(self, given: Given, book: Book) -> Iterator[Item]:
        """What came just now."""
        if self.role is not None:
            came = [(sample.observed, sample.value) for sample in given.arrived]
        else:
            value, news = given.value, "input" in given.fresh or "input" in given.pulses
            came = [(given.observed, value)] if value is not None and (news or value != book["seen"]) else []
            book["seen"] = value
        for at, value in came:
            item = self.figure.item(at, value)
            if item is not None:
                yield item
            else:
                book["unfit"] += 1


_EMPTY: dict[str, Any] = {"t": 0, "value": None, "seen": None, "late": 0, "over": 0, "unfit": 0}
_SAID = {
    "late": "came too late for their window",
    "over": f"were more than the {KEPT} that are kept",
    "unfit": "were no numbers that can be worked with",
}


def _note(book: Book) -> str | None:
    left_out = [f"{book[why]} {words}" for why, words in _SAID.items() if book[why]]
    return f"left out: {'; '.join(left_out)}" if left_out else None
