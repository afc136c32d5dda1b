"""Local buses: things that are asked, and driven, by protocols that the platform itself does not speak.

Whoever runs this puts Thing Descriptions with forms of a bus somewhere; from then on the things are as any
others. How to add a bus: docs/reference/buses.md.
"""

from diat_gateway.buses.networks import HOME, Networks
from diat_gateway.buses.runner import Buses

__all__ = ["HOME", "Buses", "Networks"]
