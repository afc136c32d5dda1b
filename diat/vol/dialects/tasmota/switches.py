"""Switch and button inputs: what follows a switch is a property, what is pressed is an event."""

from __future__ import annotations

from collections.abc import Iterator

from diat.vol.dialects.affordances import Draft
from diat.vol.dialects.inlets import Source
from diat.vol.dialects.tasmota.config import Config
from diat.vol.dialects.tasmota.states import sensed
from diat.vol.dialects.values import At, Either
from diat.vol.dialects.words import is_topic

_STANDING = frozenset({1, 2, 3, 4, 5, 6, 9, 10, 13, 14, 15, 16})
"""Modes in which the input tells whether it is on."""
_PRESSES = frozenset({0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
"""Modes in which it tells of presses, also or only."""
_PULSES = frozenset({13, 14})
"""Modes in which it tells that it goes on and not that it goes off again."""


def drafts(config: Config) -> Iterator[Draft]:
    """A property for each switch that stands on or off."""
    decode = Either(config.on, config.off, neither=(*config.states[2:], *_EVENTS))
    for index, mode in enumerate(config.switches):
        if mode not in _STANDING:
            continue
        key = key_of(config, index)
        sources = [Source(f"{config.topics.result}RESULT", At((key, "Action"), decode))]
        by_name = f"{config.topics.result}{key.upper()}"
        if config.option(4) and is_topic(by_name):
            sources.append(Source(by_name, At((key, "Action"), decode)))
        if mode not in _PULSES:
            sources += sensed(config, (key,), decode)
        yield Draft(
            key=f"switch {index:03}",
            name=key if key != f"Switch{index + 1}" else f"switch{index + 1}",
            title=key if key != f"Switch{index + 1}" else f"Switch {index + 1}",
            schema={"type": "boolean"},
            sources=tuple(sources),
        )


def notes(config: Config) -> Iterator[str]:
    """What of the inputs is left out."""
    for index, mode in enumerate(config.switches):
        if mode in _PRESSES:
            yield f"switch {index + 1}: its presses are events, which are not offered yet"
        if mode in _PULSES:
            yield f"switch {index + 1}: it tells when it goes on, never when it goes off"
        if mode not in _PRESSES | _STANDING | {-1}:
            yield f"switch {index + 1}: its mode {mode} is not known"
    if config.option(73):
        for index, there in enumerate(config.buttons):
            if there:
                yield f"button {index + 1}: its presses are events, which are not offered yet"


def key_of(config: Config, index: int) -> str:
    """The key by which a switch goes in messages."""
    name = config.switch_names[index] if index < len(config.switch_names) else None
    return name or f"Switch{index + 1}"


_EVENTS = ("TOGGLE", "HOLD", "INC_DEC", "INV", "CLEAR", "POWER_INCREMENT", "POWER_RELEASE", "POWER_100")
