"""The relay that counts, by the name that benchmarks know it by."""

from diat_gateway.cameras.relay import Relay

__all__ = ["Relay"]
