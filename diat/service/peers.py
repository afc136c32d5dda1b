"""Peers: other daemons that a person has this one trust, and that trust it; all equal, none is the centre."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from diat.kernel.errors import Conflict, NotFound
from diat.kernel.overlay import Ledger, Overlay

MOST = 200
"""Peers that one daemon has at most."""


class Peer(Struct, frozen=True, kw_only=True):
    """Another daemon.

    Attributes:
        name: what it is called among daemons: the same at each of its starts, and no other's.
        title: for people.
        address: where its REST is.
        token: what we show there; nobody else is told.
        authority: PEM of the authority that its certificate is of; None to trust what the machine trusts.
        since: when it was trusted, Unix milliseconds.
    """

    name: str
    title: str
    address: str
    token: str
    authority: str | None = None
    since: int

    def __repr__(self) -> str:
        return f"Peer({self.name!r}, {self.address!r})"

    def __rich_repr__(self) -> Any:
        yield self.name
        yield self.address


class Peers:
    """All peers; changed by the writer alone, read by any thread through ``get`` and ``everything``."""

    def __init__(self, ledger: Ledger, kept: Iterable[Peer] = ()) -> None:
        self._peers: Overlay[str, Peer] = ledger.overlay("peers", ((each.name, each) for each in kept))

    def get(self, name: str) -> Peer:
        """The committed peer.

        Raises:
            NotFound: there is none.
        """
        found = self._peers.committed.get(name)
        if found is None:
            raise NotFound(f"there is no peer {name!r}")
        return found

    def find(self, name: str) -> Peer | None:
        """The committed peer; None if there is none."""
        return self._peers.committed.get(name)

    def everything(self) -> list[Peer]:
        """All committed peers, by name."""
        return sorted(self._peers.committed.values(), key=lambda each: each.name)

    def trust(self, peer: Peer) -> None:
        """Keep a peer in the place of what was known of it.

        Raises:
            Conflict: there are too many.
        """
        if self._peers.get(peer.name) is None and sum(1 for _ in self._peers.items()) >= MOST:
            raise Conflict(f"there are {MOST} peers already")
        self._peers.put(peer.name, peer)

    def forget(self, name: str) -> None:
        """Trust a peer no more.

        Raises:
            NotFound: there is none.
        """
        if self._peers.get(name) is None:
            raise NotFound(f"there is no peer {name!r}")
        self._peers.remove(name)
