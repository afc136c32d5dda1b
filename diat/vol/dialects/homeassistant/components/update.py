"""``update``: which version a thing has, which it could have, and how to get there."""

from __future__ import annotations

from functools import partial
from typing import Any

from msgspec.structs import replace

from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, FacetMaker, press, source, told
from diat.vol.dialects.homeassistant.percent import PERCENT, Inside
from diat.vol.dialects.messages import Decoder, TwoStates, number, some_text

_TEXT: dict[str, Any] = {"type": "string"}
_YES_NO = TwoStates(frozenset({"true", "True"}), frozenset({"false", "False"}))


def _from_state(
    entity: Entity, name: str, schema: dict[str, Any], decode: Decoder, *, bare: bool = False
) -> Facet | None:
    """A field of the state, which may also be nothing but the installed version."""
    inside = Inside(name, decode, decode if bare else None)
    return told(
        Facet(word=name, schema=schema, source=source(entity, "state_topic", inside, "value_template"))
    )


def _installed(entity: Entity) -> Facet | None:
    return _from_state(entity, "installed_version", _TEXT, some_text, bare=True)


def _latest(entity: Entity) -> Facet | None:
    found = _from_state(entity, "latest_version", _TEXT, some_text)
    beside = source(entity, "latest_version_topic", some_text, "latest_version_template")
    if beside is None:
        return found
    return replace(found or Facet(word="latest_version", schema=_TEXT), also=(beside,))


def _progress(name: str, schema: dict[str, Any], decode: Decoder, entity: Entity) -> Facet | None:
    # Without a command nobody can start what this would be the progress of.
    return _from_state(entity, name, schema, decode) if entity.config.get("command_topic") else None


def _install(entity: Entity) -> Facet | None:
    payload = entity.config.get("payload_install")
    return press(entity, "install", "command_topic", payload, idempotent=False)


UPDATE: tuple[FacetMaker, ...] = (
    _installed,
    _latest,
    partial(_progress, "in_progress", {"type": "boolean"}, _YES_NO),
    partial(_progress, "update_percentage", {**PERCENT, "type": "number"}, number),
    _install,
)
