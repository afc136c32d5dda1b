"""Switch and button inputs: what follows a switch is a property, what is pressed is an event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET, Struct

from diat.vol.dialects.affordances import Draft
from diat.vol.dialects.inlets import Source
from diat.vol.dialects.messages import Value
from diat.vol.dialects.tasmota.config import Config
from diat.vol.dialects.tasmota.states import sensed
from diat.vol.dialects.values import At, Either, text
from diat.vol.dialects.words import is_topic

_STANDING = frozenset({1, 2, 3, 4, 5, 6, 9, 10, 13, 14, 15, 16})
"""Modes in which the input tells whether it is on."""
_PULSES = frozenset({13, 14})
"""Modes in which it tells that it goes on and not that it goes off again."""

_TOGGLE, _HOLD = 2, 3
_DIMMING = ("INC_DEC", "INV", "CLEAR", "POWER_INCREMENT", "POWER_RELEASE", "POWER_100")
_PRESSES: dict[int, tuple[int | str, ...]] = {
    0: (_TOGGLE,),
    3: (_TOGGLE,),
    4: (_TOGGLE,),
    5: (_TOGGLE, _HOLD),
    6: (_TOGGLE, _HOLD),
    7: (_TOGGLE,),
    8: (_TOGGLE, _HOLD),
    9: (_HOLD,),
    10: (_HOLD,),
    11: (_TOGGLE, *_DIMMING),
    12: (_TOGGLE, *_DIMMING),
}
"""Modes in which it tells of presses, and its words for them; a number is one of ``Config.states``."""
_BUTTON = ("SINGLE", "DOUBLE", "TRIPLE", "QUAD", "PENTA", "HOLD", "CLEAR")


class Pressed(Struct, frozen=True):
    """The word for a press; those that only say that the input is on or off are none."""

    standing: tuple[str, ...]

    def __call__(self, value: Any) -> Value:
        """Decode."""
        word = text(value)
        return UNSET if word in self.standing else word


def drafts(config: Config) -> Iterator[Draft]:
    """A property for each switch that stands on or off, an event for each input that is pressed."""
    for index, mode in enumerate(config.switches):
        if mode in _STANDING:
            yield _switch(config, index, mode)
        if mode in _PRESSES:
            words = [word if isinstance(word, str) else config.states[word] for word in _PRESSES[mode]]
            name = key_of(config, index)
            title = name if name != f"Switch{index + 1}" else f"Switch {index + 1}"
            yield _presses(config, name, f"{name.lower()}_press", f"{title} pressed", words)
    if not config.option(73):
        return  # then buttons only drive their relays
    for index, there in enumerate(config.buttons):
        if there:
            words = ["SINGLE"] if config.option(13) else list(_BUTTON)
            name = f"Button{index + 1}"
            yield _presses(config, name, f"button{index + 1}_press", f"Button {index + 1} pressed", words)


def notes(config: Config) -> Iterator[str]:
    """What of the inputs cannot be told."""
    for index, mode in enumerate(config.switches):
        if mode in _PULSES:
            yield f"switch {index + 1}: it tells when it goes on, never when it goes off"
        if mode not in {*_PRESSES, *_STANDING, -1}:
            yield f"switch {index + 1}: its mode {mode} is not known"


def key_of(config: Config, index: int) -> str:
    """The key by which a switch goes in messages."""
    name = config.switch_names[index] if index < len(config.switch_names) else None
    return name or f"Switch{index + 1}"


def _switch(config: Config, index: int, mode: int) -> Draft:
    key = key_of(config, index)
    decode = Either(config.on, config.off, neither=(*config.states[2:], "TOGGLE", "HOLD", *_DIMMING))
    sources = _told(config, key, decode)
    if mode not in _PULSES:
        sources += sensed(config, (key,), decode)
    return Draft(
        key=f"switch {index:03}",
        name=key if key != f"Switch{index + 1}" else f"switch{index + 1}",
        title=key if key != f"Switch{index + 1}" else f"Switch {index + 1}",
        schema={"type": "boolean"},
        sources=sources,
    )


def _presses(config: Config, key: str, name: str, title: str, words: list[str]) -> Draft:
    return Draft(
        key=f"press {key}",
        name=name,
        title=title,
        schema={"data": {"type": "string", "enum": list(dict.fromkeys(words))}},
        kind="event",
        sources=_told(config, key, Pressed((config.on, config.off))),
    )


def _told(config: Config, key: str, decode: Either | Pressed) -> tuple[Source, ...]:
    """Where what happens to an input is told, the moment that it happens."""
    topics = [f"{config.topics.result}RESULT"]
    by_name = f"{config.topics.result}{key.upper()}"
    if config.option(4) and is_topic(by_name):
        topics.append(by_name)
    return tuple(Source(topic, At((key, "Action"), decode)) for topic in topics)
