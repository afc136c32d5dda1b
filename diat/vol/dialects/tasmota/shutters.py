"""Shutters: two outputs each, driven by position or by open, close and stop. 0 is closed, 100 is open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from diat.vol.dialects.affordances import Draft
from diat.vol.dialects.commands import Fixed, finite, tidy
from diat.vol.dialects.effects import OPENINGS, Direction, affecting, being
from diat.vol.dialects.inlets import Source
from diat.vol.dialects.messages import Message, Value
from diat.vol.dialects.tasmota.config import Config
from diat.vol.dialects.tasmota.relays import SHUTTER
from diat.vol.dialects.tasmota.states import sensed
from diat.vol.dialects.values import At, number, some_number
from diat.vol.dialects.words import Unfit, quoted

MAX_SHUTTERS = 16

SHUTTERED = OPENINGS["shutter"]
OPENING: dict[str, Direction] = {"open": "increase", "close": "decrease"}

_DIRECTIONS = {-1: "closing", 0: "stopped", 1: "opening"}


def count(config: Config) -> tuple[int, tuple[str, ...]]:
    """How many shutters there are, and a note on halves that have no other half."""
    found, index = 0, 0
    notes = []
    while index < len(config.relays):
        if config.relays[index] != SHUTTER:
            index += 1
        elif config.relays[index + 1 : index + 2] == (SHUTTER,):
            found += 1
            index += 2
        else:
            notes.append(f"output {index + 1} is half of a shutter, and output {index + 2} is not the other")
            index += 1
    if found > MAX_SHUTTERS:
        notes.append(f"only the first {MAX_SHUTTERS} of {found} shutters are taken")
    return min(found, MAX_SHUTTERS), tuple(notes)


def drafts(config: Config) -> Iterator[Draft]:
    """The properties and actions of all shutters."""
    shutters, _ = count(config)
    for place in range(shutters):
        mark = str(place + 1) if shutters > 1 else ""
        yield from _shutter(config, place, mark)


def _shutter(config: Config, place: int, mark: str) -> Iterator[Draft]:
    word, title = f"shutter{mark}", f"Shutter {mark}".strip()
    key = f"Shutter{place + 1}"
    inverted = bool(config.shutters[place] & 1) if place < len(config.shutters) else False
    position = partial(_position, inverted)
    yield Draft(
        key=f"{key} position",
        name=f"{word}_position",
        title=f"{title} position",
        schema={
            "type": "integer",
            "minimum": 0,
            "maximum": 100,
            "unit": "%",
            **being(SHUTTERED, "switch", mark),
        },
        sources=(
            *_told(config, f"ShutterPosition{place + 1}", (key, "Position"), position),
            Source(f"{config.topics.result}{key.upper()}", partial(_bare, position)),
        ),
        command=config.command(f"ShutterPosition{place + 1}", partial(_encode_position, inverted)),
    )
    yield Draft(
        key=f"{key} direction",
        name=f"{word}_direction",
        title=f"{title} direction",
        schema={"type": "string", "enum": list(_DIRECTIONS.values())},
        sources=_told(config, "", (key, "Direction"), partial(_direction, inverted)),
    )
    tilt = config.tilts[place] if place < len(config.tilts) else ()
    if len(tilt) == 3 and tilt[0] < tilt[1] and tilt[2]:
        yield Draft(
            key=f"{key} tilt",
            name=f"{word}_tilt",
            title=f"{title} tilt",
            schema={"type": "integer", "minimum": tilt[0], "maximum": tilt[1], "unit": "deg"},
            sources=_told(config, f"ShutterTilt{place + 1}", (key, "Tilt"), number),
            command=config.command(f"ShutterTilt{place + 1}", lambda value: str(round(finite(value)))),
        )
    for action in ("open", "close", "stop"):
        yield Draft(
            key=f"{key} {action}",
            name=f"{word}_{action}",
            title=f"{title} {action}",
            schema=affecting(SHUTTERED, OPENING[action], mark) if action in OPENING else {},
            kind="action",
            command=config.command(f"Shutter{action.capitalize()}{place + 1}", Fixed("")),
        )


def _told(
    config: Config, command: str, path: tuple[str, str], decode: Callable[[Any], Value]
) -> tuple[Source, ...]:
    topics = dict.fromkeys((f"{config.topics.result}RESULT", *config.results(command or "RESULT")))
    return (*(Source(topic, At(path, decode)) for topic in topics), *sensed(config, path, decode))


def _position(inverted: bool, value: Any) -> Value:
    position = some_number(value)
    return 100 - position if inverted else position


def _bare(decode: Callable[[Any], Value], message: Message) -> Value:
    return decode(message.text)


def _encode_position(inverted: bool, value: Any) -> str:
    position = finite(value)
    return str(tidy(100 - position if inverted else position))


def _direction(inverted: bool, value: Any) -> Value:
    direction = some_number(value)
    found = _DIRECTIONS.get(int(-direction if inverted else direction))
    if found is None:
        raise Unfit(f"{quoted(value)} is not a direction")
    return found
