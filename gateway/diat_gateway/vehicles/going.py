"""Going over from one way of working to another without a gap: both are at work for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

OVERLAP = 6.0
"""Seconds for which old and new are at work side by side: to learn a background takes two, and a whole
picture comes every two."""


class Ends(Protocol):
    """What works until it is told to finish."""

    def finish(self) -> None:
        """Nothing comes any more."""


Kind = TypeVar("Kind")
Worker = TypeVar("Worker", bound=Ends)


class Going(Generic[Kind, Worker]):
    """Who is at work, by kind; when another kind is wanted, the former goes on beside it for ``OVERLAP``.

    Args:
        make: begins a worker of a kind.

    Attributes:
        kind: that is wanted; None before anything was.
    """

    def __init__(self, make: Callable[[Kind], Worker]) -> None:
        self._make = make
        self.kind: Kind | None = None
        self._workers: dict[Kind, tuple[Worker, float | None]] = {}

    def over(self, kind: Kind, t: float) -> None:
        """From a time on (s) this kind is wanted; who is of it and still at work stays."""
        self._workers = {
            each: (worker, t + OVERLAP if until is None else until)
            for each, (worker, until) in self._workers.items()
        }
        worker = self._workers[kind][0] if kind in self._workers else self._make(kind)
        self._workers[kind] = worker, None
        self.kind = kind

    def at(self, t: float) -> list[Worker]:
        """Who is at work at a time; whose time is over finishes."""
        for kind, (worker, until) in list(self._workers.items()):
            if until is not None and t >= until:
                del self._workers[kind]
                worker.finish()
        return [worker for worker, _ in self._workers.values()]

    def finish(self) -> None:
        """All finish."""
        workers, self._workers = list(self._workers.values()), {}
        for worker, _ in workers:
            worker.finish()
