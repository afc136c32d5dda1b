"""Lights: brightness, colour, white and schemes, as the kind of light has them.

On and off is a relay's matter. A device is one light; with several channels of its own it is as many
dimmers (``SetOption68``), and with colour and white unlinked it is a colour light and a white one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from diat.vol.dialects.affordances import Draft
from diat.vol.dialects.commands import Numeric, channels, verbal
from diat.vol.dialects.effects import LIGHT as LAMP
from diat.vol.dialects.effects import affecting
from diat.vol.dialects.inlets import Source
from diat.vol.dialects.meaning import quantity
from diat.vol.dialects.messages import Value
from diat.vol.dialects.tasmota.config import Config
from diat.vol.dialects.tasmota.relays import LIGHT, channel
from diat.vol.dialects.tasmota.states import state
from diat.vol.dialects.values import number, some_number
from diat.vol.dialects.words import Unfit, quoted

SCHEMES = ("Solid", "Wake up", "Cycle up", "Cycle down", "Random")

_DIMMER, _WHITES, _RGB, _RGBW, _RGBWW = 1, 2, 3, 4, 5
_HUE = {"h": 360, "s": 100}
_PERCENT = {"type": "integer", "minimum": 0, "maximum": 100, "unit": "%"}


class _Light(Struct, frozen=True):
    """One light.

    Attributes:
        title: what people call it.
        mark: what tells its properties from those of other lights of the device.
        kind: as ``Config.light``.
        channel: its output, by which on and off is told from that of others.
        dimmer: command that sets its brightness.
        level: key under which its brightness is told.
    """

    title: str
    mark: str
    kind: int
    channel: str
    dimmer: str = "Dimmer"
    level: str = "Dimmer"


def drafts(config: Config) -> Iterator[Draft]:
    """The properties of all lights."""
    for light in _lights(config):
        if light.kind >= _DIMMER:
            brighter = affecting(LAMP, channel=light.channel)
            yield _number(config, light, "dimmer", light.dimmer, light.level, _PERCENT | brighter)
        if light.kind == _WHITES or light.kind >= _RGBWW:
            yield _number(config, light, "color_temp", "CT", "CT", _temperature(config))
        if light.kind >= _RGB:
            yield _colour(config, light)
        if light.kind >= _RGBW:
            yield _number(config, light, "white", "White", "White", _PERCENT)
        if light.kind >= _DIMMER and not config.option(68) and not light.mark.startswith("2"):
            yield _scheme(config, light)


def _lights(config: Config) -> Iterator[_Light]:
    outputs = [i for i, kind in enumerate(config.relays) if kind == LIGHT]
    if config.fan and outputs[:1] == [0]:
        outputs = outputs[1:]  # the lamp of a fan cannot be dimmed
    several = len(outputs) > 1
    split = not config.linked and config.light >= _RGBW
    for place, index in enumerate(outputs):
        title = config.name_of(index) or f"Light {index + 1}"
        mark = str(index + 1) if several else ""
        output = channel(config, index)
        if config.option(68):
            yield _Light(title, mark, _DIMMER, output, f"Channel{index + 1}", f"Channel{index + 1}")
        elif split and place < 2:
            kind = _RGB if place == 0 else _DIMMER if config.light == _RGBW else _WHITES
            yield _Light(title, str(place + 1), kind, output, f"Dimmer{place + 1}", f"Dimmer{place + 1}")
        elif place == 0:
            # Otherwise the keys are those of the whole device, so they are told once.
            yield _Light(title, "", config.light, output, "Dimmer3" if config.tuya else "Dimmer")


def _number(
    config: Config, light: _Light, word: str, command: str, key: str, schema: dict[str, Any]
) -> Draft:
    return Draft(
        key=f"light {light.mark} {word}",
        name=f"{word}{light.mark}",
        title=f"{light.title} {word.replace('_', ' ')}",
        schema=schema,
        sources=state(config, command, key, number),
        command=config.command(command, Numeric()),
    )


def _temperature(config: Config) -> dict[str, Any]:
    low, high = (200, 380) if config.option(82) else (153, 500)
    kind = quantity("CorrelatedColorTemperature")
    return {**kind, "type": "integer", "minimum": low, "maximum": high, "unit": "MK-1"}


def _colour(config: Config, light: _Light) -> Draft:
    return Draft(
        key=f"light {light.mark} color",
        name=f"color{light.mark}",
        title=f"{light.title} color",
        schema={
            "type": "object",
            "properties": {c: {"type": "number", "minimum": 0, "maximum": top} for c, top in _HUE.items()},
            "required": list(_HUE),
        },
        sources=(*state(config, "HSBColor", "HSBColor", _decode_colour), *_by_name(config)),
        # Hue and saturation are set apart, so that the brightness stays; one message does both.
        command=config.command("Backlog", _encode_colour),
    )


def _by_name(config: Config) -> tuple[Source, ...]:
    """Where answers go by the name of the command, those to its halves go by theirs."""
    if not config.option(4):
        return ()
    return tuple(
        source
        for half in ("HSBColor1", "HSBColor2")
        for source in state(config, half, "HSBColor", _decode_colour)[:1]
    )


def _decode_colour(value: Any) -> Value:
    levels = value.split(",", 4) if isinstance(value, str) else []
    if len(levels) != 3:
        raise Unfit(f"{quoted(value)} is not hue, saturation and brightness")
    return {channel: some_number(level) for channel, level in zip(_HUE, levels, strict=False)}


def _encode_colour(value: Any) -> str:
    colour = channels(value, _HUE)
    return f"HsbColor1 {round(colour['h'])};HsbColor2 {round(colour['s'])}"


def _scheme(config: Config, light: _Light) -> Draft:
    return Draft(
        key=f"light {light.mark} scheme",
        name=f"scheme{light.mark}",
        title=f"{light.title} scheme",
        schema={"type": "string", "enum": list(SCHEMES)},
        sources=state(config, "Scheme", "Scheme", _decode_scheme),
        command=config.command("Scheme", _encode_scheme),
    )


def _decode_scheme(value: Any) -> Value:
    index = number(value)
    if not isinstance(index, int) or not 0 <= index < len(SCHEMES):
        raise Unfit(f"{quoted(value)} is none of its schemes")
    return SCHEMES[index]


def _encode_scheme(value: Any) -> str:
    if verbal(value) not in SCHEMES:
        raise Unfit(f"{quoted(value)} is none of its schemes")
    return str(SCHEMES.index(value))
