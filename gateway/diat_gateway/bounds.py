"""By how much readings that were given up may differ from those that stand: what thinning has changed."""

from __future__ import annotations

import msgspec

from diat.kernel.overlay import Overlay
from diat_gateway.state import Passed

UNBOUND = ""
"""Stands in the bounds of a thing of which readings were given up that may differ by anything."""


class Bounds:
    """Used by the writer alone.

    Attributes:
        thinned: whether anything that waits was thinned; any thread may look.
    """

    def __init__(self, passed: Overlay[str, Passed]) -> None:
        self._passed = passed
        self._widened: set[str] = set()
        self.thinned = any(each.off for each in passed.committed.values())

    def new_pass(self) -> None:
        """Another pass of thinning begins: it may widen each bound once."""
        self._widened.clear()

    def widen(self, name: str, bands: dict[str, float] | None) -> None:
        """Readings of a thing were given up that differ by so much at most; None for by whatever."""
        passed = self._passed.get(name)
        if passed is None or name in self._widened:
            return
        self._widened.add(name)
        self.thinned = True
        more = (
            {UNBOUND: 0.0}
            if bands is None
            else {p: b + passed.off.get(p, 0.0) for p, b in bands.items() if b}
        )
        self._passed.put(name, msgspec.structs.replace(passed, off={**passed.off, **more}))

    def narrow(self) -> None:
        """Nothing waits: what comes from now on is as it was."""
        self.thinned = False
        for name, passed in list(self._passed.items()):
            if passed.off:
                self._passed.put(name, msgspec.structs.replace(passed, off={}))
