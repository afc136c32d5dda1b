"""From features to affordances.

What is told is a property, writable if it can be set as well; what can only be set is an action, unless it
switches something on and off; what tells that somebody pressed or turned something is an event, for it does
not stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from diat.vol.dialects.affordances import Draft
from diat.vol.dialects.commands import Command
from diat.vol.dialects.effects import DECREASE, INCREASE, SIREN, affecting
from diat.vol.dialects.inlets import Source
from diat.vol.dialects.meaning import Meaning
from diat.vol.dialects.messages import Value
from diat.vol.dialects.values import At, json_text
from diat.vol.dialects.words import word
from diat.vol.dialects.zigbee2mqtt import effects, kinds
from diat.vol.dialects.zigbee2mqtt.effects import COVERING
from diat.vol.dialects.zigbee2mqtt.exposes import Feature

MAX_DESCRIPTION = 300
_MOMENTS = frozenset({"action", "click"})
"""Features that tell of moments; ``click`` is how ``action`` was called once."""
WARNING = 1800
"""Seconds that a siren sounds unless it is stopped; without a duration it would be a few only."""


class Messages(Struct, frozen=True):
    """The topic on which a device tells its state, and the one on which it is set."""

    state: str
    setting: str


def drafts(
    features: Sequence[Feature], messages: Messages, model: effects.Model, notes: list[str]
) -> Iterator[Draft]:
    """The affordances of all features of a device of this model."""
    shared = Counter(feature.key for feature in features)
    for feature in features:
        kind = kinds.kind_of(feature)
        if isinstance(kind, str):
            notes.append(f"{feature.label}: {kind}")
            continue
        notes.extend(f"{feature.label}: {note}" for note in kind.notes)
        kind = replace(kind, schema=kind.schema | effects.terms(feature, kind.schema, model))
        if not feature.published and not feature.settable:
            notes.append(f"{feature.label}: it is neither told nor set")
        elif feature.group == "cover" and feature.name == "state":
            yield from _cover(feature, kind, messages, effects.cover(model))
        elif not feature.published and "diat:affects" not in kind.schema:
            yield _action(feature, kind, messages)
            yield from _warning(feature, messages)
        elif feature.base in _MOMENTS and not feature.settable:
            yield _event(feature, kind, messages)
        else:
            yield _property(feature, kind, messages, shared=shared[feature.key] > 1)


def _property(
    feature: Feature, kind: kinds.Kind, messages: Messages, *, shared: bool = False, settable: bool = True
) -> Draft:
    endpoint = f"_{feature.endpoint}" if feature.endpoint else ""
    command = _command(feature, kind.encode, messages) if settable and feature.settable else None
    return Draft(
        key=f"{feature.key} {feature.name}",
        # A light tells its colour in two ways under one key; then the names of the ways tell them apart.
        name=kind.name or (f"{feature.name}{endpoint}" if shared else feature.key),
        title=kind.title or feature.title,
        schema=kind.schema | _about(feature, described=not kind.turned),
        sources=(Source(messages.state, At((feature.key,), kind.decode)),) if feature.published else (),
        command=command,
    )


def _event(feature: Feature, kind: kinds.Kind, messages: Messages) -> Draft:
    description = {key: text for key, text in _about(feature).items() if key == "description"}
    return Draft(
        key=f"{feature.key} {feature.name}",
        name=feature.key,
        title=feature.title,
        schema={"data": kind.schema} | description,
        kind="event",
        sources=(Source(messages.state, At((feature.key,), kind.decode)),),
    )


def _action(feature: Feature, kind: kinds.Kind, messages: Messages) -> Draft:
    choices = kind.schema.get("enum", ())
    plain = feature.kind in ("enum", "binary") and len(choices) == 1
    encode: Callable[[Any], Any] = (lambda _: choices[0]) if plain else kind.encode
    return Draft(
        key=f"{feature.key} {feature.name}",
        name=feature.key,
        title=feature.title,
        schema=({} if plain else {"input": kind.schema}) | _about(feature),
        kind="action",
        command=_command(feature, encode, messages),
        idempotent=False,
    )


def _cover(feature: Feature, kind: kinds.Kind, messages: Messages, opens: Meaning) -> Iterator[Draft]:
    """What a cover does is told in the words that command it; commands are actions."""
    if feature.published:
        yield _property(feature, kind, messages, settable=False)
    endpoint = f" {feature.endpoint}" if feature.endpoint else ""
    for choice in kind.schema.get("enum", ()) if feature.settable else ():
        yield Draft(
            key=f"{feature.key} {feature.name} {choice}",
            name=f"{choice}{endpoint}".lower(),
            title=f"{str(choice).capitalize()}{endpoint}",
            schema=affecting(opens, COVERING[choice], feature.endpoint) if choice in COVERING else {},
            kind="action",
            command=_command(feature, partial(_always, choice), messages),
        )


def _warning(feature: Feature, messages: Messages) -> Iterator[Draft]:
    """Start and stop a siren, without all that can be said of a warning."""
    listed = feature.said.get("features") if feature.name == "warning" else None
    said = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    modes = next((each.get("values") for each in said if each.get("name") == "mode"), None)
    if not isinstance(modes, list) or "stop" not in modes or "emergency" not in modes:
        return
    start: dict[str, Any] = {"mode": "emergency"}
    if any(each.get("name") == "duration" for each in said):
        start["duration"] = WARNING
    for verb, direction, value in (("start", INCREASE, start), ("stop", DECREASE, {"mode": "stop"})):
        yield Draft(
            key=f"{feature.key} {feature.name} {verb}",
            name=f"{feature.key}_{verb}",
            title=f"{feature.title}: {verb}",
            schema=affecting(SIREN, direction, feature.endpoint),
            kind="action",
            command=_command(feature, partial(_always, value), messages),
        )


def _always(choice: Any, _: Any) -> Any:
    return choice


class _Setting(Struct, frozen=True):
    """Writes ``{key: value}``."""

    key: str
    encode: Callable[[Any], Value]

    def __call__(self, value: Any) -> str:
        """Encode."""
        return json_text({self.key: self.encode(value)})


def _command(feature: Feature, encode: Callable[[Any], Any], messages: Messages) -> Command:
    return Command(topic=messages.setting, encode=_Setting(feature.key, encode))


def _about(feature: Feature, *, described: bool = True) -> dict[str, str]:
    """What people read about it, and whether it is about the device itself."""
    found: dict[str, str] = {}
    if described and (text := word(feature.said.get("description"))):
        found["description"] = text[:MAX_DESCRIPTION]
    if (category := feature.said.get("category")) in ("config", "diagnostic"):
        found["diat:entityCategory"] = str(category)
    return found
