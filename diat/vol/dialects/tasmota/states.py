"""Where Tasmota tells the state of its outputs, whatever they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from diat.vol.dialects.inlets import Source
from diat.vol.dialects.messages import Value
from diat.vol.dialects.tasmota.config import Config
from diat.vol.dialects.values import At


def state(config: Config, command: str, key: str, decode: Callable[[Any], Value]) -> tuple[Source, ...]:
    """Sources of a value that stands under this key in answers to the command and in reports of state."""
    topics = dict.fromkeys((*config.results(command), f"{config.topics.telemetry}STATE"))
    return (
        *(Source(topic, At((key,), decode)) for topic in topics),
        Source(f"{config.topics.result}STATUS11", At(("StatusSTS", key), decode)),
    )


def sensed(config: Config, path: tuple[str | int, ...], decode: Callable[[Any], Value]) -> tuple[Source, ...]:
    """Sources of a value that stands at this place in reports of sensors."""
    inside = ("StatusSNS", *path)
    return (
        Source(f"{config.topics.telemetry}SENSOR", At(path, decode)),
        Source(f"{config.topics.result}STATUS8", At(inside, decode)),
        Source(f"{config.topics.result}STATUS10", At(inside, decode)),
    )
