"""Canonical names of physical things, so that one that is announced in two dialects can be recognised.

``mac:`` is followed by 12 lower-case hex digits, ``ieee:`` by ``0x`` and 16 lower-case hex digits.
"""

from __future__ import annotations

import re

_MAC = re.compile(r"[0-9a-f]{12}")
_IEEE = re.compile(r"0x[0-9a-f]{16}")


def mac(text: str) -> str | None:
    """The canonical form of a MAC address however it is written; None if it is none."""
    digits = re.sub(r"[:.-]", "", text[:32]).lower()
    # A device that does not know its address tells zeros, and so would any other: that names nobody.
    return f"mac:{digits}" if _MAC.fullmatch(digits) and digits.strip("0") else None


def ieee(text: str) -> str | None:
    """The canonical form of a Zigbee address (EUI-64) written ``0x…``; None if it is none."""
    address = text[:32].lower()
    return f"ieee:{address}" if _IEEE.fullmatch(address) else None
