"""How things get in that have no credential yet: the join key, and for how long it opens the door."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from diat.kernel.errors import Invalid
from diat.kernel.overlay import Ledger, Overlay
from diat.security.credentials import Credentials

JOIN = "join"
"""The user name of a thing that has no credential yet; its password is the join key."""
ALWAYS = -1
LONGEST = 24 * 3_600_000
"""Milliseconds that a window may be open for."""
LONGEST_FOR_ANYONE = 3_600_000
"""The same where not even the join key is asked for."""

Welcome = Literal["accepted", "pending"]


class Window(Struct, frozen=True, kw_only=True):
    """Who gets in.

    Attributes:
        until: who has the join key takes part at once until then, Unix milliseconds; ``ALWAYS`` on a trusted
            site, 0 for never. Past it such a thing waits until a person accepts it.
        anyone: until then a thing without the key gets in as well: trust on first use.
    """

    until: int = ALWAYS
    anyone: int = 0


class Joining:
    """The door for things without a credential; changed by the writer alone, asked by anybody."""

    def __init__(
        self, ledger: Ledger, credentials: Credentials, kept: Iterable[tuple[str, int]] = ()
    ) -> None:
        self._credentials = credentials
        self._state: Overlay[str, int] = ledger.overlay("meta", kept)

    @property
    def window(self) -> Window:
        """Who gets in just now."""
        known = self._state.committed
        return Window(until=known.get("join-until", ALWAYS), anyone=known.get("join-anyone", 0))

    def welcome(self, password: str, now: int) -> Welcome | None:
        """How a thing is received that shows this as the join key; None if it is not let in.

        Who comes without the right key while anyone may come takes part; that is what such a window is for.
        """
        known = self._credentials.right(JOIN, password)
        if known is None and now >= self.window.anyone:
            return None
        return "accepted" if self.is_open(now) else "pending"

    def is_open(self, now: int) -> bool:
        """Whether who joins takes part at once."""
        window = self.window
        return window.until == ALWAYS or now < max(window.until, window.anyone)

    def open(self, until: int, anyone: int, now: int) -> None:
        """Set for how long who gets in; arguments as in ``Window``.

        Raises:
            Invalid: it would be open for too long.
        """
        if until not in (0, ALWAYS) and until > now + LONGEST:
            raise Invalid("a window is open for a day at most, or always", "open")
        if anyone > now + LONGEST_FOR_ANYONE:
            raise Invalid("without the join key a window is open for an hour at most", "open")
        self._state.put("join-until", until)
        self._state.put("join-anyone", anyone)

    def new_key(self, now: int) -> str:
        """Make another join key; the one before it opens nothing any more."""
        return self._credentials.make_key(JOIN, now)
