"""The brokers that the bare building blocks run on: started exactly as the platform starts its own."""

from __future__ import annotations

from pathlib import Path

from diat.adapters.brokers.mosquitto import mosquitto
from diat.adapters.brokers.nats import nats_server
from diat.adapters.brokers.own import OwnBroker

KINDS = ("embedded", "mosquitto")
"""What ``diat up --broker`` calls them."""


def own_broker(kind: str, data: Path, port: int) -> OwnBroker:
    """The broker that ``diat up`` with this data directory and port would have."""
    make = nats_server if kind == "embedded" else mosquitto
    return make(data / "broker", "127.0.0.1", port)


def broker_pid(data: Path) -> int:
    """Process id of the broker that keeps its things under this data directory."""
    return int((data / "broker" / "pid").read_text())
