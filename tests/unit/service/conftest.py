"""The world without a broker that the composites' tests have: ``world`` and ``kept_world``."""

from tests.unit.cvol.conftest import World, kept_world, world

__all__ = ["World", "kept_world", "world"]
