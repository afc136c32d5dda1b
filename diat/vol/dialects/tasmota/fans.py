"""Ceiling fans: a speed from 0 (off) to 3, and whether it runs at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from diat.vol.dialects.affordances import Draft
from diat.vol.dialects.commands import Switching, finite
from diat.vol.dialects.effects import FAN, affecting, being
from diat.vol.dialects.messages import Value
from diat.vol.dialects.tasmota.config import Config
from diat.vol.dialects.tasmota.states import state
from diat.vol.dialects.values import number
from diat.vol.dialects.words import Unfit, quoted

_OFF, _MEDIUM, _FASTEST = 0, 2, 3


def drafts(config: Config) -> Iterator[Draft]:
    """Its speed; and that it runs, at medium speed if that is all that is asked for."""
    yield Draft(
        key="fan",
        name="fan",
        title="Fan",
        schema={"type": "boolean", **being(FAN)},
        sources=state(config, "FanSpeed", "FanSpeed", _running),
        command=config.command("FanSpeed", Switching(_MEDIUM, _OFF)),
    )
    yield Draft(
        key="fan speed",
        name="fan_speed",
        title="Fan speed",
        schema={"type": "integer", "minimum": _OFF, "maximum": _FASTEST, **affecting(FAN)},
        sources=state(config, "FanSpeed", "FanSpeed", number),
        command=config.command("FanSpeed", _encode_speed),
    )


def _running(value: Any) -> Value:
    speed = number(value)
    return speed if speed is UNSET else speed > _OFF


def _encode_speed(value: Any) -> str:
    if finite(value) not in range(_FASTEST + 1):
        raise Unfit(f"{quoted(value)} is none of the speeds 0 (off), 1, 2, 3")
    return str(int(value))
