"""Secrets of the daemon itself: made by chance when first wanted, kept, and shown nowhere."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from msgspec import Struct

from diat.kernel.overlay import Ledger, Overlay


class Secret(Struct, frozen=True):
    """A secret as it is kept.

    Attributes:
        value: hexadecimal digits.
    """

    value: str

    @property
    def key(self) -> bytes:
        """It as a key."""
        return bytes.fromhex(self.value)

    def __repr__(self) -> str:
        return "Secret(…)"


class Secrets:
    """All secrets by name; changed by the writer alone."""

    def __init__(self, ledger: Ledger, kept: Iterable[tuple[str, Secret]] = ()) -> None:
        self._secrets: Overlay[str, Secret] = ledger.overlay("secrets", kept)

    def get(self, name: str) -> Secret:
        """The secret of this name; it is made if there is none."""
        known = self._secrets.get(name)
        return known if known is not None else self.renew(name)

    def renew(self, name: str) -> Secret:
        """Another secret in place of the one of this name."""
        made = Secret(secrets.token_hex(32))
        self._secrets.put(name, made)
        return made
