"""Which readings of a property go up: the steps that the daemon above asked for, done here.

They mean what they mean to a thing (docs/reference/topics.md), and one thing more: a gateway has what came
last. So of readings that came too soon after one that was sent the newest is not forgotten but sent once it
may.

A sieve remembers nothing itself: it is given what was remembered and answers with what is to be.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Struct

from diat.vol.pushdown import Rule

Sent = tuple[Any, int]
"""A value, and when it was observed, Unix milliseconds."""
_WINDOWS = ("mean", "min", "max")


class Window(Struct, frozen=True):
    """A window that gathers: when it began, how many values, their sum, the extreme and when that was."""

    since: int
    count: int
    total: float
    extreme: float
    at: int


class Memory(Struct, frozen=True):
    """What is remembered of a property.

    Attributes:
        sent: what was sent last; None if nothing was.
        sent_at: when that came, Unix milliseconds by our own clock.
        waits: the newest that was not sent; None if there is none.
        side: 1 above, -1 below, 0 within.
        windows: step to what it gathers.
    """

    sent: Sent | None = None
    sent_at: int = 0
    waits: Sent | None = None
    side: int = 0
    windows: dict[str, Window] = {}


def take(rule: Rule, memory: Memory, value: Any, at: int, now: int) -> tuple[Memory, list[Sent], bool]:
    """A reading, observed at a time by the thing's clock; now by ours.

    Returns:
        What is remembered from now on, what is to be sent, and whether it crossed a limit: that is urgent.
    """
    out: list[Sent] = []
    windows = memory.windows
    if number(value):
        windows, out = _gather(rule, windows, value, at)
    side = _beyond(rule, value)
    crossed = _has_limits(rule) and memory.sent is not None and side != memory.side
    if memory.sent is None or crossed or _wanted(rule, memory, value, at, side):
        out.append((value, at))
        return Memory((value, at), now, None, side, windows), out, crossed
    waits = (value, at) if memory.waits is None or at >= memory.waits[1] else memory.waits
    if out:
        return Memory(out[-1], now, waits, side, windows), out, False
    return Memory(memory.sent, memory.sent_at, waits, side, windows), out, False


def due(rule: Rule, memory: Memory) -> int | None:
    """When what waits is to be sent, Unix milliseconds; None if it is not by time alone."""
    if memory.waits is None or memory.sent is None:
        return None
    times = []
    if rule.silence is not UNSET:
        times.append(memory.sent_at + rule.silence * 1000)
    if rule.every is not UNSET and _flows(rule, memory.side) and _moved(rule, memory, memory.waits[0]):
        times.append(memory.sent_at + rule.every * 1000)
    return round(min(times)) if times else None


def flush(memory: Memory, now: int) -> tuple[Memory, list[Sent]]:
    """Send what waits."""
    if memory.waits is None:
        return memory, []
    return msgspec.structs.replace(memory, sent=memory.waits, sent_at=now, waits=None), [memory.waits]


def number(value: Any) -> bool:
    """Whether a value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wanted(rule: Rule, memory: Memory, value: Any, at: int, side: int) -> bool:
    sent = memory.sent
    if sent is None:
        return True
    if rule.silence is not UNSET and at - sent[1] >= rule.silence * 1000:
        return True
    if not _flows(rule, side):
        return False
    every = 0.0 if rule.every is UNSET else rule.every
    return at - sent[1] >= every * 1000 and _moved(rule, memory, value)


def _flows(rule: Rule, side: int) -> bool:
    """Whether samples as such are wanted."""
    if _has_limits(rule):
        return side != 0
    if any(getattr(rule, step) is not UNSET for step in _WINDOWS):
        return False
    return not (rule.delta is UNSET and rule.every is UNSET and rule.silence is not UNSET)


def _has_limits(rule: Rule) -> bool:
    return rule.above is not UNSET or rule.below is not UNSET


def _beyond(rule: Rule, value: Any) -> int:
    if not number(value):
        return 0
    if rule.above is not UNSET and value > rule.above:
        return 1
    return -1 if rule.below is not UNSET and value < rule.below else 0


def _moved(rule: Rule, memory: Memory, value: Any) -> bool:
    if rule.delta is UNSET or memory.sent is None:
        return True
    before = memory.sent[0]
    if rule.delta and number(value) and number(before):
        return bool(abs(value - before) >= rule.delta)
    return bool(value != before)


def _gather(
    rule: Rule, windows: dict[str, Window], value: float, at: int
) -> tuple[dict[str, Window], list[Sent]]:
    out: list[Sent] = []
    for kind in _WINDOWS:
        length = getattr(rule, kind)
        if length is UNSET:
            continue
        known = windows.get(kind)
        if known is not None and at - known.since >= length * 1000:
            # A mean is of its end, an extreme of its time.
            out.append((known.total / known.count, at) if kind == "mean" else (known.extreme, known.at))
            known = None
        windows = {**windows, kind: _joined(kind, known, value, at)}
    return windows, out


def _joined(kind: str, known: Window | None, value: float, at: int) -> Window:
    if known is None:
        return Window(at, 1, value, value, at)
    better = value < known.extreme if kind == "min" else value > known.extreme
    extreme, when = (value, at) if better else (known.extreme, known.at)
    return Window(known.since, known.count + 1, known.total + value, extreme, when)
