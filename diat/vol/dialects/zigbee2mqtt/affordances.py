"""From features to affordances.

What is told is a property, writable if it can be set as well; what can only be set is an action; what tells
that somebody pressed or turned something is an event, for it does not stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from msgspec import Struct

from diat.vol.dialects.affordances import Draft
from diat.vol.dialects.commands import Command
from diat.vol.dialects.inlets import Source
from diat.vol.dialects.messages import Value
from diat.vol.dialects.values import At, json_text
from diat.vol.dialects.words import word
from diat.vol.dialects.zigbee2mqtt import kinds
from diat.vol.dialects.zigbee2mqtt.exposes import Feature

MAX_DESCRIPTION = 300
_MOMENTS = frozenset({"action", "click"})
"""Features that tell of moments; ``click`` is how ``action`` was called once."""


class Messages(Struct, frozen=True):
    """The topic on which a device tells its state, and the one on which it is set."""

    state: str
    setting: str


def drafts(features: Sequence[Feature], messages: Messages, notes: list[str]) -> Iterator[Draft]:
    """The affordances of all features."""
    shared = Counter(feature.key for feature in features)
    for feature in features:
        kind = kinds.kind_of(feature)
        if isinstance(kind, str):
            notes.append(f"{feature.label}: {kind}")
            continue
        notes.extend(f"{feature.label}: {note}" for note in kind.notes)
        if not feature.published and not feature.settable:
            notes.append(f"{feature.label}: it is neither told nor set")
        elif feature.group == "cover" and feature.name == "state":
            yield from _cover(feature, kind, messages)
        elif not feature.published:
            yield _action(feature, kind, messages)
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
        sources=(Source(messages.state, At((feature.key,), kind.decode)),),
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


def _cover(feature: Feature, kind: kinds.Kind, messages: Messages) -> Iterator[Draft]:
    """What a cover does is told in the words that command it; commands are actions."""
    if feature.published:
        yield _property(feature, kind, messages, settable=False)
    endpoint = f" {feature.endpoint}" if feature.endpoint else ""
    for choice in kind.schema.get("enum", ()) if feature.settable else ():
        yield Draft(
            key=f"{feature.key} {feature.name} {choice}",
            name=f"{choice}{endpoint}".lower(),
            title=f"{str(choice).capitalize()}{endpoint}",
            schema={},
            kind="action",
            command=_command(feature, partial(_always, choice), messages),
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
