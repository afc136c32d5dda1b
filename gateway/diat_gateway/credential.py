"""How a gateway gets in above: with the join key first, then with a credential of its own."""

from __future__ import annotations

from pathlib import Path

import msgspec

from diat.adapters.brokers.address import BrokerAddress
from diat.adapters.certificates import write_private
from diat.wire.envelope import Garbled, read_json

_FILE = "line-credential"


class Joined:
    """Where the daemon above is reached, and as whom.

    Args:
        data: directory of the gateway's data.
        address: of the broker above, as the operator gave it; with the join key as user ``join``.

    Attributes:
        address: to connect to just now.
    """

    def __init__(self, data: Path, address: BrokerAddress) -> None:
        self._path = data / _FILE
        self._given = address
        self.address = address
        self._own = False
        try:
            kept = self._path.read_bytes()
        except OSError:
            return
        self._take(kept)

    @property
    def known(self) -> bool:
        """Whether it may hear what a gateway is told: by its own credential, or where none is asked for."""
        return self._own or self._given.username != "join"

    may_speak = known
    """Whether it may pass on what its things say."""

    def keep(self, payload: bytes) -> bool:
        """Take the credential that the daemon above gives; whether it is another than before."""
        before = self.address
        if not self._take(payload):
            return False
        write_private(self._path, payload)
        return self.address != before

    def _take(self, payload: bytes) -> bool:
        said = read_json(payload)
        if isinstance(said, Garbled) or not isinstance(said, dict):
            return False
        name, password = said.get("username"), said.get("password")
        if not isinstance(name, str) or not isinstance(password, str):
            return False
        self.address = msgspec.structs.replace(self._given, username=name, password=password)
        self._own = True
        return True
