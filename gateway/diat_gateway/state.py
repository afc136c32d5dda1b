"""What is durable of a line at its lower end, besides the spool itself."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from diat.vol.lives import Life
from diat.vol.pushdown import Rules

OWN = ""
"""Key of what is kept of the line as a whole."""


class Passed(Struct, frozen=True, kw_only=True):
    """What of a thing has gone into the spool, and what the daemon above said of it.

    Attributes:
        thing: its id.
        td: digest of the description that was announced last; empty if none stands.
        withdrawn: number in the spool by which it was withdrawn; 0 if it was not.
        admission: what was answered; empty if nothing was yet.
        status: what was said last.
        n: how many messages in each lane are numbered.
        rules: what the daemon above asked for.
        sent: property to when what was sent last was observed, its ingest position and value.
        off: property to the bound of what thinning has changed of it, in its unit.
        kept: property to the ingest position from which on policies have kept all of it here.
    """

    thing: str
    td: str = ""
    withdrawn: int = 0
    admission: str = ""
    status: str = ""
    n: tuple[int, int] = (0, 0)
    rules: Rules = {}
    sent: dict[str, tuple[int, int, Any]] = {}
    off: dict[str, float] = {}
    kept: dict[str, int] = {}


class Own(Struct, frozen=True, kw_only=True):
    """What is durable of the line as a whole.

    Attributes:
        store: names this store to the daemon above (``b``).
        lives: starts of this gateway, the present one last.
        welcome: name of the life in which the daemon above was last heard to know us.
        offset: milliseconds by which the clock above is ahead of ours.
    """

    store: str
    lives: tuple[Life, ...] = ()
    welcome: str = ""
    offset: int = 0


class Told(Struct, frozen=True, kw_only=True):
    """A command from above, performed once.

    Attributes:
        at: when it came, Unix milliseconds.
        name: of the thing, in topics.
        result: what was answered; None while it is under way.
    """

    at: int
    name: str
    result: dict[str, Any] | None = None
