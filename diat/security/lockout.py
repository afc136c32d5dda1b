"""Waiting after wrong passwords: longer each time, for one account from one source alone.

Whoever guesses is slowed down where he is; the owner of the account, elsewhere, is not. What is remembered is
bounded, and forgotten when the platform starts anew.
"""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import ip_address, ip_network

FREE = 5
"""Wrong passwords that are nobody's fault."""
FIRST = 1_000
"""Milliseconds of the first wait; each is twice as long as the one before."""
LONGEST = 15 * 60_000
FORGOTTEN = 24 * 3_600_000
"""Milliseconds after which they are forgotten."""
MOST = 10_000
"""Pairs of account and source that are remembered."""


class Lockout:
    """Who has to wait; used in one thread."""

    def __init__(self) -> None:
        self._failed: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()

    def until(self, account: str, address: str, now: int) -> int:
        """When the next try is allowed, Unix milliseconds; in the past if it is."""
        count, at = self._failed.get((account, source(address)), (0, 0))
        if count < FREE or now - at > FORGOTTEN:
            return 0
        return at + int(min(FIRST * 2 ** min(count - FREE, 30), LONGEST))

    def failed(self, account: str, address: str, now: int) -> None:
        """A password was wrong, or an account is none: there is no difference to be seen."""
        key = (account, source(address))
        count, at = self._failed.pop(key, (0, 0))
        self._failed[key] = (1 if now - at > FORGOTTEN else count + 1, now)
        while len(self._failed) > MOST:
            self._failed.popitem(last=False)

    def succeeded(self, account: str, address: str) -> None:
        """The password was right: all is forgotten."""
        self._failed.pop((account, source(address)), None)


def source(address: str) -> str:
    """Where somebody is: the address, of IPv6 the network of 64 bits that one household has."""
    try:
        known = ip_address(address)
    except ValueError:
        return address[:64]
    return str(ip_network(f"{known}/64", strict=False)) if known.version == 6 else str(known)
