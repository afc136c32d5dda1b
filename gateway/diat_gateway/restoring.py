"""A store that was put back from a backup: what it counts from there on needs another name.

The daemon above knows some of its numbers for something else (``diat.vol.lives``). So everything that is
still in the spool and was counted since is counted anew, under a name that the store has from now on.
"""

from __future__ import annotations

import msgspec

from diat.kernel.ids import NewId
from diat.kernel.overlay import Ledger, Log
from diat_gateway.spool import CALM, Spool
from diat_gateway.state import OWN
from diat_gateway.uplink import Uplink

_PAGE = 1000


class Restoring:
    """Counts anew; used by the writer alone."""

    def __init__(self, ledger: Ledger, uplink: Uplink, spool: Spool, new_id: NewId) -> None:
        self._rows: Log[tuple[str, int, int]] = ledger.log("renumbered")
        self._uplink = uplink
        self._spool = spool
        self._new_id = new_id

    def renumber(self, first: int) -> None:
        """Give everything from a number on another name, and numbers of its own."""
        own = self._uplink.own.get(OWN)
        if own is None:
            return
        store = self._new_id()[:12]
        self._uplink.own.put(OWN, msgspec.structs.replace(own, store=store))
        counts: dict[str, list[int]] = {}
        after = 0
        while page := self._spool.since(first, after, _PAGE):
            for seq, lane, _, name, *_ in page:
                count = counts.setdefault(name, [0, 0])
                at = 0 if lane == CALM else 1
                count[at] += 1
                self._rows.append((store, count[at], seq))
            after = page[-1][0]
        for name, passed in list(self._uplink.passed.items()):
            calm, urgent = counts.get(name, [0, 0])
            self._uplink.passed.put(name, msgspec.structs.replace(passed, n=(calm, urgent)))
