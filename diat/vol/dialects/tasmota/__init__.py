"""Tasmota's own discovery (``tasmota/discovery/…``), as the firmware announces itself since version 9."""

from diat.vol.dialects.tasmota.dialect import Tasmota

__all__ = ["Tasmota"]
