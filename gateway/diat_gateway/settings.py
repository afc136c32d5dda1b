"""How the line of a gateway is told to run."""

from __future__ import annotations

from msgspec import Struct

from diat.adapters.brokers.address import BrokerAddress


class LineSettings(Struct, frozen=True, kw_only=True):
    """Settings of the line to the daemon above.

    Attributes:
        above: its broker; with user ``join`` and the join key where credentials are asked for.
        name: of this gateway, in topics.
        title: what people call it.
        every: seconds between two values of what nobody asked for; 0 to send everything.
        budget: bytes a second that go up in the long run.
        spool: bytes on disk that may wait to go up.
        catch_up: seconds that catching up may take before readings are thinned for it.
        linger: seconds for which readings wait for others, to share a frame.
        figures: seconds between two reports of the gateway itself.
        price: what a byte over the line costs; 1 as usual, more where it is metered.
    """

    above: BrokerAddress
    name: str
    title: str = ""
    every: float = 900.0
    budget: float = 128 * 1024
    spool: int = 256 * 1024 * 1024
    catch_up: float = 3600.0
    linger: float = 1.0
    figures: float = 60.0
    price: float = 1.0
