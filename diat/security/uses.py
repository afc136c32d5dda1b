"""What is in use: decided on again whenever a decision may have become another, and told if it did.

A stream is a use. What a service binds is one too; those are many, so they are looked at by whom they belong
to (``others``).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from diat.kernel.clock import Clock
from diat.security.decision import Decision
from diat.security.decisions import Decisions
from diat.security.operations import Operation, Target
from diat.security.principal import Principal

_LOG = logging.getLogger("diat.security")
_LONGEST_REST = 60.0
"""Seconds between two looks at most, in case the clock is set."""


class Use:
    """Something that somebody is doing: changed by ``Uses`` alone.

    Attributes:
        decision: what was decided on it last.
    """

    def __init__(
        self,
        principal: Principal,
        operation: Operation,
        target: Callable[[], Target | None],
        decision: Decision,
        on_change: Callable[[Decision], None],
    ) -> None:
        self.principal = principal
        self.operation = operation
        self.target = target
        self.decision = decision
        self.on_change = on_change


class Uses:
    """All uses, and the thread that looks at them. Commits with the ledger (``diat.kernel.overlay.Part``).

    Attributes:
        others: called, in the thread, whenever decisions may have become others.
        renew: a principal as it is by now; None if it may no longer do anything.
        directory: answers with what changes whenever a thing, its description or its place does.
    """

    def __init__(self, decisions: Decisions, clock: Clock) -> None:
        self._decisions = decisions
        self._clock = clock
        self._uses: dict[int, Use] = {}
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._stopping = False
        self._known: tuple[int, int] = (0, 0)
        self._turn: int | None = None
        self._thread = threading.Thread(target=self._run, name="diat-uses")
        self.others: list[Callable[[], None]] = []
        self.renew: Callable[[Principal], Principal | None] = lambda principal: principal
        self.directory: Callable[[], int] = lambda: 0
        decisions.on_turn = self._news.set

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping = True
        self._news.set()
        if self._thread.ident is not None:
            self._thread.join()

    def open(
        self,
        principal: Principal,
        operation: Operation,
        target: Callable[[], Target | None],
        on_change: Callable[[Decision], None],
    ) -> Use:
        """Begin a use; any thread may ask.

        Args:
            principal: who.
            operation: what is done.
            target: with what, as it is by then; None if it is gone, which ends no use.
            on_change: called, in a thread, when something else is decided than before.
        """
        now, found = self._clock(), target()
        at_first = Decision(effect="permit", reason="there is nothing yet")
        decided = self._decisions.decide(principal, operation, found, now) if found is not None else at_first
        use = Use(principal, operation, target, decided, on_change)
        with self._lock:
            self._uses[id(use)] = use
        return use

    def close(self, use: Use) -> None:
        """End a use; any thread may ask."""
        with self._lock:
            self._uses.pop(id(use), None)

    def again(self) -> None:
        """Decide on all uses anew, soon: what principals may has changed."""
        self._known = (-1, -1)
        self._news.set()

    def commit(self) -> None:
        """Something is durable: perhaps a thing moved."""
        if self._uses and self.directory() != self._known[1]:
            self._news.set()

    def rollback(self) -> None:
        """Nothing happened."""

    def _run(self) -> None:
        while not self._stopping:
            now = self._clock()
            self._turn = self._decisions.next_turn(now)
            rest = _LONGEST_REST if self._turn is None else min(_LONGEST_REST, (self._turn - now) / 1000)
            self._news.wait(max(0.0, rest))
            self._news.clear()
            if not self._stopping:
                self._look()

    def _look(self) -> None:
        now = self._clock()
        before, known = self._known, (self._decisions.generation, self.directory())
        turned = before[0] != known[0] or (self._turn is not None and now >= self._turn)
        if not turned and before == known:
            return
        self._known = known
        with self._lock:
            uses = list(self._uses.values())
        for use in uses:
            self._try(lambda use=use: self._decide(use, now))  # type: ignore[misc]
        if turned:
            for other in self.others:
                self._try(other)

    def _decide(self, use: Use, now: int) -> None:
        principal, target = self.renew(use.principal), use.target()
        if principal is None:
            decided = Decision(effect="deny", reason=f"{use.principal.id} may do nothing any more")
        elif target is None:
            return
        else:
            use.principal = principal
            decided = self._decisions.decide(principal, use.operation, target, now)
        before, use.decision = use.decision, decided
        if (decided.effect, decided.modify, decided.delay) != (before.effect, before.modify, before.delay):
            use.on_change(decided)

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:  # noqa: BLE001 - one use's fault must not keep the others from being looked at
            _LOG.exception("a use could not be decided on anew")
