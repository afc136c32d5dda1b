"""Looking again, every few seconds, where steps had better run, and moving them if it is worth it.

What must not be (a policy keeps below what is read above; an answer comes later than was asked for; a node or
a line cannot bear it) is moved at once, what would only cost less if it costs much less. Each further move
within an hour waits twice as long, so that what changes to and fro does not move steps to and fro.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

from diat.cvol.composite import Binding, Composite
from diat.cvol.placement.explaining import Reason
from diat.service.placement.flows import Flows
from diat.service.placement.links import Links
from diat.service.placement.lives import Lives
from diat.service.placement.nodes import Nodes
from diat.service.placement.placing import HERE, Placing
from diat.service.placement.placings import Placings
from diat.service.placement.proposing import Expected, Proposal, Proposer
from diat.service.placement.rates import HOUR, Has, Rates
from diat.service.placement.sparing import Sparing

SHARE = 0.1
"""Of a processor that reviewing takes at most."""
SETTLES = 20_000
"""Milliseconds for which steps stay where they are after a move; twice as long after each more in an hour."""
LONGEST = 1_800_000
"""The same at most."""
RELIEVES = 75_000
"""Milliseconds until it shows what it was good for that something left a tier which could not bear it."""
MEASURES = 60.0
"""Seconds for which the steps of a service are measured before it moves first."""
WORTH = 0.8
"""Share of the present cost that another placement may have at most to be worth a move."""
LEAST = 2_000.0
"""Cost in an hour that has to be saved for it."""


class Reviewer:
    """Knows rates, proposes placements; used by any thread.

    Attributes:
        link: a line as measured, see ``Links.of``.
        joint: what all services make travel over a line, as it is expected, see ``Flows.joint``.
        looks: what was seen of a gateway of late, see ``Rates.looks``.
    """

    def __init__(self, daemon: Has, placings: Placings, share: float = SHARE) -> None:
        """``placings`` carries out what is found to be better; ``share`` of a processor is taken at most."""
        self._daemon = daemon
        self._placings = placings
        self._share = share
        self._rates = rates = Rates(daemon)
        sparing = Sparing(daemon, placings, rates)
        self._lives = lives = Lives(daemon, sparing)
        self._nodes = Nodes(daemon, rates)
        flows = Flows(daemon, placings, rates, lives, sparing)
        self._proposer = Proposer(daemon, placings, rates, lives, flows, self._nodes)
        self.link = Links(daemon, placings, rates, lives).of
        self.joint = flows.joint
        self.looks = rates.looks
        self._first: dict[str, int] = {}
        self._moves: dict[str, deque[int]] = {}
        self._relieved: dict[str, int] = {}
        self._found: dict[str, Proposal | str] = {}
        self._rests_until = 0
        self._lock = threading.Lock()

    def look(self, *, moves: bool = True) -> list[Callable[[], None]]:
        """Take figures down, and answer with the moves that are worth it, to be made within the writer.

        Without ``moves`` there are none, but what would be better is measured all the same.
        """
        with self._lock:
            if not self._rates.count():
                return []
            now, begun = self._daemon.clock(), time.monotonic()
            if moves and now < self._rests_until:
                return []
            self._nodes.look()
            everything = self._placings.everything()
            self._forget({each.id for each in everything})
            if not moves:
                for composite in everything:
                    self._lives.measure(composite, self._placings.bindings(composite.id))
                return []
            found = [self._better(composite) for composite in everything]
            self._rests_until = now + round((time.monotonic() - begun) * 1000 / self._share)
            return [move for move in found if move is not None]

    def propose(self, composite: Composite, bindings: Iterable[Binding]) -> tuple[Proposal, Expected] | None:
        """Where the steps of a composite that does not run yet had better run, and what would travel.

        None where here is all there is.

        Raises:
            ValueError: something must not leave where it is and is needed elsewhere.
        """
        with self._lock:
            bound = list(bindings)
            made = self._proposer.propose(composite, bound)
            return None if made is None else (made, self._proposer.expects(composite, bound, made))

    def why(self, composite: str) -> dict[str, Reason] | str:
        """Step to why it runs where it does, or why it can run nowhere; empty if there is but one tier."""
        found = self._found.get(composite)
        if isinstance(found, str):
            return found
        where = self._placings.committed(composite)[1].where
        if found is None or any(where.get(step, HERE) != tier for step, tier in found.now.items()):
            return {}  # it has moved since
        return found.reasons(proposed=False)

    def settled(self) -> int:
        """Since when no service has moved, Unix milliseconds."""
        known = [self._placings.committed(each.id)[1].since for each in self._placings.everything()]
        return max(known, default=0)

    # --- within ---

    def _better(self, composite: Composite) -> Callable[[], None] | None:
        _, placing = self._placings.committed(composite.id)
        if composite.paused or placing.phase != "rests":
            return None
        if any(each.error is not None for each in placing.told.values()):
            return None
        bound = self._placings.bindings(composite.id)
        self._first.setdefault(composite.id, self._daemon.clock())
        try:
            made = self._proposer.propose(composite, bound, placing.portions, placing.where)
        except ValueError as error:
            self._found[composite.id] = str(error)
            return None
        if made is None:
            self._found.pop(composite.id, None)
            return None
        self._found[composite.id] = made
        where = {step: tier for step, tier in made.where.items() if tier != HERE}
        now = {step: tier for step, tier in made.now.items() if tier != HERE}
        away = {*where.values(), *now.values()} & self._nodes.cut_off
        if where == now or away or not self._worth(composite.id, placing, made):
            return None
        moves = self._moves.setdefault(composite.id, deque(maxlen=10))
        expects = self._proposer.expects(composite, bound, made)
        predicted = {name: each.bytes for name, each in expects.proposed.items()}
        above = {name: each.bytes for name, each in expects.all_above.items()}

        def move() -> None:
            moves.append(self._daemon.clock())
            self._placings.want(composite.id, where, made.portions, predicted, above)

        return move

    def _worth(self, composite: str, placing: Placing, made: Proposal) -> bool:
        """Whether it is worth a move, by now."""
        now, limit = self._daemon.clock(), made.present.forbids
        since = self._first[composite]
        if limit == "policy":
            return True
        moved = [at for at in self._moves.get(composite, ()) if now - at < HOUR]
        waits = min(LONGEST, SETTLES * 2 ** max(0, len(moved) - 1))
        if now - placing.since < waits:
            return False
        if limit == "room":
            return made.strained is None and self._relieves(made, now)
        if limit is not None:
            return True
        if not placing.where and now - since < MEASURES * 1000:
            return False  # soon more is known of it
        before = made.present.total
        return made.bill.total <= before * WORTH and made.bill.total <= before - LEAST

    def _relieves(self, made: Proposal, now: int) -> bool:
        """Whether a tier that cannot bear what runs there is to be relieved: of one service at a time."""
        left = {tier for step, tier in made.now.items() if made.where.get(step, HERE) != tier}
        if any(now - self._relieved.get(tier, -RELIEVES) < RELIEVES for tier in left):
            return False
        self._relieved |= dict.fromkeys(left, now)
        return True

    def _forget(self, there: set[str]) -> None:
        """Others than these composites are gone."""
        self._lives.forget(there)
        for gone in self._first.keys() - there:
            del self._first[gone]
            self._moves.pop(gone, None)
        for gone in self._found.keys() - there:
            del self._found[gone]
