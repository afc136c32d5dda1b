"""Sensors: the report as it was announced shows what there is, nested to any depth that is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from diat.vol.dialects.affordances import Draft
from diat.vol.dialects.inlets import Source
from diat.vol.dialects.meaning import quantity, reported, unit
from diat.vol.dialects.tasmota.config import Config
from diat.vol.dialects.tasmota.quantities import quantity_at, unit_of
from diat.vol.dialects.tasmota.states import sensed
from diat.vol.dialects.values import At, boolean, number, plain, text
from diat.vol.dialects.words import quoted

MAX_DEPTH = 6
MAX_SENSORS = 500

_READERS = frozenset({"PN532", "RDM6300"})
"""Sensors that tell of tags held before them."""

Path = tuple[str | int, ...]


def drafts(config: Config, announced: Mapping[str, Any], notes: list[str]) -> Iterator[Draft]:
    """A property for each value in the report; what a reader of tags tells is an event."""
    count = 0
    for name, sensor in announced.items():
        if not isinstance(sensor, dict) or not name or (name.startswith("Shutter") and name[7:].isdigit()):
            continue  # the time, the units, switches and shutters
        if name in _READERS:
            yield _tag(config, name, sensor)
            continue
        for path, value in _leaves((name,), sensor, notes):
            count += 1
            if count > MAX_SENSORS:
                notes.append(f"only the first {MAX_SENSORS} values of its sensors are taken")
                return
            yield _draft(config, announced, path, value, notes)


def _tag(config: Config, name: str, sensor: dict[str, Any]) -> Draft:
    inside = {key: {"type": "string"} for key in sensor}
    return Draft(
        key=f"tag {name}",
        name=f"{name}_tag",
        title=f"{name} tag",
        schema={"data": {"type": "object", **({"properties": inside} if inside else {})}},
        kind="event",
        sources=(Source(f"{config.topics.telemetry}SENSOR", At((name,), plain)),),
    )


def _leaves(path: Path, value: Any, notes: list[str]) -> Iterator[tuple[Path, Any]]:
    inside: list[tuple[str | int, Any]]
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    else:
        yield path, value
        return
    if len(path) >= MAX_DEPTH:
        notes.append(f"{quoted(_label(path))}: nested too deep")
        return
    for step, one in inside[: MAX_SENSORS + 1]:
        yield from _leaves((*path, step), one, notes)


def _draft(config: Config, announced: Mapping[str, Any], path: Path, value: Any, notes: list[str]) -> Draft:
    label = _label(path)
    meaning = quantity_at(path)
    code, unclear = unit(unit_of(meaning, announced)) if meaning else (None, ())
    notes.extend(f"{label[:80]!r}: {note}" for note in unclear)
    if isinstance(value, bool):
        schema, decode = {"type": "boolean"}, boolean
    elif isinstance(value, str):
        schema, decode = {"type": "string"}, text
    elif value is None and meaning is None:
        # Nothing tells what it will be.
        schema, decode = {}, text
        notes.append(f"{label[:80]!r}: it has no value yet, and nothing tells its type: it is taken as text")
        schema = {"type": "string"}
    else:
        schema, decode = {"type": "number"}, number
    if schema["type"] == "number" and meaning:
        # A kind with a unit that is not known would be taken to be in the usual one.
        kind = None if unclear else reported(meaning.kind, code)
        schema = quantity(kind) | schema | ({"unit": code} if code else {})
    return Draft(
        key="sensor " + "\0".join(f"{step:04}" if isinstance(step, int) else step for step in path),
        name="_".join(str(step + 1) if isinstance(step, int) else step for step in path),
        title=label,
        schema=schema,
        sources=sensed(config, path, decode),
    )


def _label(path: Path) -> str:
    """For people; lists count from 1."""
    return " ".join(str(step + 1) if isinstance(step, int) else step for step in path)
