"""DIAT: an IoT middleware that composes services from whatever MQTT things are there."""

from __future__ import annotations

__version__ = "0.1.0"
