"""The Homie convention, versions 4 and 5 (homieiot.github.io)."""

from diat.vol.dialects.homie.dialect import Homie

__all__ = ["Homie"]
