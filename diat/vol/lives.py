"""Whether the store at the other end of a line is still the one that was known.

Each start of a gateway is a *life* with a name that no other has, and the store counts all that goes into its
spool. A store that was put back from a backup goes on from where the backup was made: numbers that it gives
out from there on have been given out before, for something else. The daemon above remembers what it was told;
comparing the two shows the fork, with no clock.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

MOST = 200
"""Lives that are remembered."""


class Life(Struct, frozen=True, array_like=True):
    """A start of a gateway.

    Attributes:
        name: of this life.
        first: the first number that its spool gave out in it.
    """

    name: str
    first: int


def fork(own: Sequence[Life], known: Sequence[Life], told: int) -> int | None:
    """From which number on a store gave out numbers that the daemon above knows for something else.

    Args:
        own: lives as the store has them, oldest first, the present one last.
        known: lives as the daemon above knew them before this life.
        told: the highest number that came to it.

    Returns:
        The first number that may be known for something else; None if there is none.
    """
    if not known or not own:
        return None
    names = {life.name: at for at, life in enumerate(own)}
    common = max((at for at, life in enumerate(known) if life.name in names), default=None)
    if common is None:
        return own[0].first
    last = names[known[common].name]
    if last == len(own) - 1:
        return None
    end = own[last + 1].first
    went_on = common < len(known) - 1 or told >= end
    return end if went_on else None
