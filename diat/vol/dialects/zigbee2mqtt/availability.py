"""Whether a device can be reached, and whether the bridge can."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from diat.vol.dialects.port import Uptake
from diat.vol.dialects.words import quoted

_STATES = {"online": True, "offline": False}


class AvailabilityInlet(Struct, frozen=True):
    """Reads ``online`` and ``offline``, as they stand or as ``{"state": …}`` (both are in use)."""

    topic: str

    def read(self, payload: bytes) -> Uptake:
        """Say whether it is there."""
        if not payload:
            return Uptake()
        said: object = payload[:256].decode(errors="replace")
        if payload.startswith(b"{"):
            try:
                message = msgspec.json.decode(payload)
            except (ValueError, RecursionError):
                message = None
            said = message.get("state") if isinstance(message, dict) else None
        available = _STATES.get(said) if isinstance(said, str) else None
        if available is None:
            return Uptake(notes=(f"availability: {quoted(payload)} says neither online nor offline",))
        return Uptake(available=available)
