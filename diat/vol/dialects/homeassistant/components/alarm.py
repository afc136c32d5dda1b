"""``alarm_control_panel``: an alarm that is armed in several ways, with a code if it has one."""

from __future__ import annotations

from functools import partial
from typing import Any

from diat.vol.dialects.homeassistant.components.codes import DIGITS, Coded, code_input
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import (
    Facet,
    FacetMaker,
    command,
    command_template,
    source,
    told,
)
from diat.vol.dialects.messages import OneOf
from diat.vol.dialects.words import Unfit, as_text, quoted

_ARMED = ("home", "away", "night", "vacation", "custom_bypass")
_STATES = (
    *("disarmed", *(f"armed_{way}" for way in _ARMED)),
    *("arming", "disarming", "pending", "triggered"),
)
_FEATURES = frozenset({*(f"arm_{way}" for way in _ARMED), "trigger"})
# These say that the thing itself checks the code, of digits or of any signs.
_REMOTE = {"REMOTE_CODE": DIGITS, "REMOTE_CODE_TEXT": None}


def _state(entity: Entity) -> Facet | None:
    return told(
        Facet(
            schema={"type": "string", "enum": list(_STATES)},
            source=source(entity, "state_topic", OneOf(frozenset(_STATES)), "value_template"),
        )
    )


def _features(entity: Entity) -> tuple[frozenset[str], tuple[str, ...]]:
    """What it can do besides being switched off, and what of the list was not understood."""
    try:
        listed = entity.words("supported_features")
    except Unfit as unfit:
        return _FEATURES, (str(unfit),)
    if listed is None:
        return _FEATURES, ()
    return frozenset(listed) & _FEATURES, tuple(
        f"the feature {quoted(each)} is not understood" for each in listed if each not in _FEATURES
    )


def _drive(word: str, required_key: str, entity: Entity) -> Facet | None:
    features, notes = _features(entity)
    if word != "disarm" and word not in features:
        return None
    payload = entity.config.get(f"payload_{word}", word.upper())
    code = entity.config.get("code")
    required = code is not None and entity.flag(required_key, default=True)
    said = None if code is None else as_text(code)
    secret = None if said in _REMOTE else said
    template = command_template(entity, "command_template", "action", "code")
    sent = Coded(payload, template, secret, required, {"action": as_text(payload)})
    schema: dict[str, Any] = {}
    if said is not None:
        pattern = _REMOTE.get(said, DIGITS if said.isdecimal() else None)
        schema = code_input(pattern, required=required)
    return Facet(
        word=word,
        schema=schema,
        command=command(entity, "command_topic", sent),
        kind="action",
        idempotent=word != "trigger",
        notes=notes if word == "disarm" else (),
    )


ALARM: tuple[FacetMaker, ...] = (
    _state,
    partial(_drive, "disarm", "code_disarm_required"),
    *(partial(_drive, f"arm_{way}", "code_arm_required") for way in _ARMED),
    partial(_drive, "trigger", "code_trigger_required"),
)
