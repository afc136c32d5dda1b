"""What is switched on and off on topics of its own, as fans, humidifiers and sirens are."""

from __future__ import annotations

from typing import Any

from diat.vol.dialects.commands import Switching
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, command, command_template, settable, source
from diat.vol.dialects.messages import TwoStates
from diat.vol.dialects.words import spellings


def on_off(
    entity: Entity,
    key: str = "",
    word: str = "",
    schema: dict[str, Any] | None = None,
    *,
    names: str | None = None,
    template: str = "",
) -> Facet | None:
    """Whether it is on, or does what is named.

    Args:
        entity: whose it is.
        key: what its keys begin with: ``oscillation_``.
        word: what it is called.
        schema: what else is to be said of it.
        names: what its payloads are called, if not by their key: ``payload_<names>on``.
        template: key of the template of its state, if not by its key.
    """
    names = key if names is None else names
    usual = ("oscillate_on", "oscillate_off") if names == "oscillation_" else ("ON", "OFF")
    on, off = (
        entity.config.get(f"payload_{names}{state}", default)
        for state, default in zip(("on", "off"), usual, strict=True)
    )
    template_keys = (
        (template or f"{key}value_template",) if key else ("state_value_template", "value_template")
    )
    return settable(
        Facet(
            word=word,
            schema={**(schema or {}), "type": "boolean"},
            source=source(
                entity, f"{key}state_topic", TwoStates(spellings(on), spellings(off)), *template_keys
            ),
            command=command(
                entity,
                f"{key}command_topic",
                Switching(on, off, command_template(entity, f"{key}command_template")),
            ),
        )
    )
