"""Relays, and the plain on and off of lights."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET, Struct

from diat.vol.dialects.affordances import Draft
from diat.vol.dialects.commands import Switching
from diat.vol.dialects.effects import LIGHT as LAMP
from diat.vol.dialects.effects import LOAD, affecting
from diat.vol.dialects.inlets import Source
from diat.vol.dialects.messages import Message, Value
from diat.vol.dialects.tasmota.config import Config
from diat.vol.dialects.values import At, Either

RELAY, LIGHT, SHUTTER = 1, 2, 3


class Spoken(Struct, frozen=True):
    """The value of a message that is just a word, or JSON with the word inside."""

    decode: Either
    inside: tuple[At, ...]

    def __call__(self, message: Message) -> Value:
        """Read the value."""
        if not message.text.startswith("{"):
            return self.decode(message.text)
        for at in self.inside:
            value = at(message)
            if value is not UNSET:
                return value
        return UNSET


def drafts(config: Config) -> Iterator[Draft]:
    """A property for each output that can be switched."""
    outputs = [i for i, kind in enumerate(config.relays) if kind in (RELAY, LIGHT)]
    for index in outputs:
        word = f"power{channel(config, index)}"
        lit = is_light(config, index)
        usual = f"{'Light' if lit else 'Relay'} {index + 1}"
        yield Draft(
            key=f"power {index:03}",
            name=word,
            title=config.name_of(index) or usual,
            schema={"type": "boolean", **affecting(LAMP if lit else LOAD, channel=channel(config, index))},
            sources=tuple(_sources(config, index)),
            command=config.command(f"POWER{index + 1}", Switching(config.on, config.off)),
        )


def channel(config: Config, index: int) -> str:
    """What tells an output from the others of the device; empty if there are none."""
    return "" if len([kind for kind in config.relays if kind]) == 1 else str(index + 1)


def is_light(config: Config, index: int) -> bool:
    """Whether a lamp hangs on an output, as its kind says, or the option that it be announced so."""
    return config.relays[index] == LIGHT or config.option(30)


def _sources(config: Config, index: int) -> Iterator[Source]:
    decode = Either(config.on, config.off, neither=config.states[2:])
    # The first, if alone, goes by POWER.
    keys = [f"POWER{index + 1}", *(["POWER"] if index == 0 else [])]
    for key in keys:
        for topic in dict.fromkeys((f"{config.topics.result}RESULT", f"{config.topics.telemetry}STATE")):
            yield Source(topic, At((key,), decode))
        yield Source(f"{config.topics.result}STATUS11", At(("StatusSTS", key), decode))
        inside = tuple(At((other,), decode) for other in keys)
        yield Source(f"{config.topics.result}{key}", Spoken(decode, inside))
