"""What covers and valves have in common: they open, close and stop, and may be part way."""

from __future__ import annotations

from typing import Any

from diat.vol.dialects.commands import through
from diat.vol.dialects.effects import OPENINGS, Direction
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, press
from diat.vol.dialects.jinja.templates import Template

DIRECTIONS: dict[str, Direction] = {"open": "increase", "close": "decrease"}


def kind(entity: Entity, usual: str) -> str:
    """What opening it changes."""
    return OPENINGS.get(entity.word("device_class") or "", usual)


def payload(entity: Entity, key: str, usual: str | None) -> Any:
    """What is sent; None if it was announced that it cannot do that."""
    return entity.config.get(key, usual)


def drive(
    word: str, usual: str | None, quantity: str, template: Template | None, entity: Entity
) -> Facet | None:
    """The action to open, close or stop it."""
    direction = DIRECTIONS.get(word)
    return press(
        entity,
        word,
        "command_topic",
        payload(entity, f"payload_{word}", usual),
        template,
        affects=(kind(entity, quantity), direction) if direction else None,
    )


def words(entity: Entity, states: tuple[str, ...]) -> dict[str, str]:
    """The texts that mean these states."""
    return {entity.text(f"state_{state}", state): state for state in states}


def scaled(template: Template | None, value: Any, percent: int, word: str) -> str:
    """A position as its command says it."""
    return through(template, value, {word: percent})
