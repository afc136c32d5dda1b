"""The frames of windows: which items belong together, and when that is over.

A frame is given a *book*, the window's memory, which it may change but not what lies within it; the items
that came; and what the step was given. It puts the answer of the last window that closed (of a sliding one,
of the present) into ``book["value"]`` and answers when it wants to run again.

``book["t"]`` is how far time has come: the clock, or the newest item if that is further. What ends at a time
closes ``lateness`` after it; what comes for it later is counted in ``book["late"]`` and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, Protocol

from diat.cvol.steps.aggregates import Item, Part, Span
from diat.cvol.steps.base import Given

if TYPE_CHECKING:
    from diat.cvol.steps.windows import Window

KEPT = 1000
"""Items at most that a window keeps, where it must keep them."""
MOST_OPEN = 100
"""Windows at most that wait for late items at once, where their number is not given by their size."""
DAY = 86_400
Book = dict[str, Any]


def panes(window: Window, book: Book, items: Sequence[Item], given: Given) -> int | None:
    """Tumbling and hopping: windows of one size that begin at even times, made of panes that they share."""
    return _Panes(window, book, given).run(items)


class _Panes:
    """A window ``w`` is made of the panes up to ``w``; the book has those that are not done with."""

    def __init__(self, window: Window, book: Book, given: Given) -> None:
        size = window.size or DAY
        every = window.every or size
        self._window, self._book = window, book
        self._wide = round(size / every)
        whole_days = size % DAY == 0 and every % DAY == 0
        self._grid: _Grid = _Days(every // DAY, given.site.zone) if whole_days else _Even(_ms(every))
        self._limit = max(10, KEPT // (self._wide + round(window.lateness / every)))
        self._panes: dict[int, Part] = {int(at): part for at, part in book.get("panes", {}).items()}

    def run(self, items: Sequence[Item]) -> int | None:
        book = self._book
        self._close()
        for at, value in items:
            book["t"] = max(book["t"], at)
            self._close()
            pane = self._grid.index(at)
            if pane + self._wide - 1 <= book["closed"]:
                book["late"] += 1
            else:
                self._panes[pane] = grown(self._window, book, self._panes.get(pane), (at, value), self._limit)
        book["panes"] = {str(at): part for at, part in self._panes.items()}
        idle = self._window.figure.answer(None, Span(0, 0, book.get("before")))
        if not self._panes and book["value"] == idle:
            return None
        return self._grid.start(book["closed"] + 2) + _ms(self._window.lateness)

    def _close(self) -> None:
        """Close what is over; only the last of it is told."""
        book, figure = self._book, self._window.figure
        over = self._grid.index(book["t"] - _ms(self._window.lateness)) - 1
        if "closed" not in book:
            # Of what was over before the service began it cannot tell.
            book["closed"] = self._grid.index(book["t"]) - 1
        if over <= book["closed"]:
            return
        first = over - self._wide + 1
        self._leave(first)
        part: Part | None = None
        for at in sorted(each for each in self._panes if each <= over):
            part = self._panes[at] if part is None else figure.join(part, self._panes[at])
        span = Span(self._grid.start(first), self._grid.start(over + 1), book.get("before"))
        book["value"], book["closed"] = figure.answer(part, span), over

    def _leave(self, before: int) -> None:
        """Forget panes before this one, but for the value that stands after them."""
        for at in sorted(each for each in self._panes if each < before):
            part = self._panes.pop(at)
            if self._window.figure.holds:
                self._book["before"] = part[-1][1]


def sliding(window: Window, book: Book, items: Sequence[Item], given: Given) -> int | None:
    """Sliding: the items of the last so many seconds, told at each item and whenever one leaves."""
    figure = window.figure
    size = _ms(window.size)
    kept: list[Any] = list(book.get("items", ()))
    book["t"] = max([book["t"], *(at for at, _ in items)])
    begin = book["t"] - size
    for at, value in items:
        if at <= begin:
            book["late"] += 1
        else:
            kept.append([at, value])
    kept.sort(key=lambda item: item[0])
    gone = next((at for at, item in enumerate(kept) if item[0] > begin), len(kept))
    over = max(0, len(kept) - gone - KEPT)
    book["over"] += over
    if figure.holds and gone + over:
        book["before"] = kept[gone + over - 1][1]
    kept = kept[gone + over :]
    part = figure.of((at, value) for at, value in kept)
    span = Span(begin, book["t"], book.get("before"))
    book["items"], book["value"] = kept, figure.answer(part, span)
    return kept[0][0] + size if kept else None


def sessions(window: Window, book: Book, items: Sequence[Item], given: Given) -> int | None:
    """Session: items that follow one another without a gap of so many seconds."""
    gap, late = _ms(window.gap), _ms(window.lateness)
    found: list[list[Any]] = list(book.get("open", ()))
    found = _finish(window, book, found, gap + late)
    for at, value in items:
        book["t"] = max(book["t"], at)
        found = _finish(window, book, found, gap + late)
        near = [each for each in found if each[0] - gap < at < each[1] + gap]
        if not near and at + gap + late <= book["t"]:
            book["late"] += 1
            continue
        part: Part | None = None
        for _, _, more in near:
            part = more if part is None else window.figure.join(part, more)
        part = grown(window, book, part, (at, value))
        begin, end = min([at, *(each[0] for each in near)]), max([at, *(each[1] for each in near)])
        found = sorted([*(each for each in found if each not in near), [begin, end, part]])
    book["open"] = found
    return min((each[1] + gap + late for each in found), default=None)


def _finish(window: Window, book: Book, found: list[list[Any]], wait: int) -> list[list[Any]]:
    """Close the sessions of which the last item is so long ago; those that stay open."""
    while found and found[0][1] + wait <= book["t"]:
        begin, end, part = found[0]
        book["value"] = window.figure.answer(part, Span(begin, end))
        found = found[1:]
    return found


def states(window: Window, book: Book, items: Sequence[Item], given: Given) -> int | None:
    """State: the items from when a step becomes true until it is no longer."""
    figure, late = window.figure, _ms(window.lateness)
    found: list[dict[str, Any]] = [dict(each) for each in book.get("open", ())]
    truth = given.values["while"]
    on = bool(found) and found[-1]["end"] is None
    if truth is not None and bool(truth) != on:
        if on:
            found[-1]["end"] = max(given.observed, found[-1]["start"])
        else:
            found.append({"start": given.observed, "end": None, "part": None, "before": book.get("before")})
    for at, value in items:
        book["t"] = max(book["t"], at)
        home = next((w for w in found if w["start"] <= at and (w["end"] is None or at < w["end"])), None)
        if home is not None:
            home["part"] = grown(window, book, home["part"], (at, value))
        if figure.holds and at >= book.get("newest", 0):
            book["newest"], book["before"] = at, value
    while found and found[0]["end"] is not None:
        first = found[0]
        if first["end"] + late > book["t"] and len(found) <= MOST_OPEN:
            break
        book["value"] = figure.answer(first["part"], Span(first["start"], first["end"], first["before"]))
        found = found[1:]
    book["open"] = found
    return found[0]["end"] + late if found and found[0]["end"] is not None else None


def counted(window: Window, book: Book, items: Sequence[Item], given: Given) -> int | None:
    """Count: every so many items, in the order in which they come."""
    for at, value in items:
        count, begin, end, part = book.get("open") or [0, at, at, None]
        part = grown(window, book, part, (at, value))
        count, begin, end = count + 1, min(begin, at), max(end, at)
        book["open"] = [count, begin, end, part]
        if count >= (window.size or 0):
            book["value"], book["open"] = window.figure.answer(part, Span(begin, end)), None
    return None


Frame = Callable[["Window", Book, Sequence[Item], Given], int | None]
FRAMES: dict[str, Frame] = {
    "tumbling": panes,
    "hopping": panes,
    "sliding": sliding,
    "session": sessions,
    "state": states,
    "count": counted,
}


def grown(window: Window, book: Book, part: Part | None, item: Item, limit: int = KEPT) -> Part:
    """The part with an item more, within its limit."""
    figure = window.figure
    part = figure.one(*item) if part is None else figure.join(part, figure.one(*item))
    while figure.shrink is not None and len(part) > limit:
        part = figure.shrink(part)
        book["over"] += 1
    return part


class _Grid(Protocol):
    """Where panes begin: numbered times, Unix milliseconds."""

    def index(self, at: int) -> int: ...
    def start(self, index: int) -> int: ...


class _Even:
    """So many milliseconds after one another, from 1970-01-01T00:00Z on."""

    def __init__(self, length: int) -> None:
        self._length = length

    def index(self, at: int) -> int:
        return at // self._length

    def start(self, index: int) -> int:
        return index * self._length


class _Days:
    """At midnight as clocks show it, so many days after one another; weeks begin on Monday."""

    def __init__(self, days: float, zone: tzinfo) -> None:
        self._days, self._zone = int(days), zone

    def index(self, at: int) -> int:
        return (datetime.fromtimestamp(at / 1000, self._zone).toordinal() - 1) // self._days

    def start(self, index: int) -> int:
        day = datetime.fromordinal(index * self._days + 1)
        return round(day.replace(tzinfo=self._zone).timestamp() * 1000)


def _ms(seconds: float | None) -> int:
    return round((seconds or 0) * 1000)
