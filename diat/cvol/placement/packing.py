"""A part of a composite as JSON, as one daemon tells it to another, and back."""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import ValidationError

from diat.cvol.composite import Composite
from diat.cvol.steps import STEPS, Step
from diat.cvol.steps.parts import Heard, HeardPulse, Portion, Whole
from diat.cvol.wanted import Wanted
from diat.kernel.errors import Invalid

_JOINING: dict[str, type[Step]] = {
    "heard": Heard,
    "heard-pulse": HeardPulse,
    "portion": Portion,
    "whole": Whole,
}
_KINDS: dict[str, type[Step]] = STEPS | _JOINING
_NAMES = {kind: name for name, kind in _KINDS.items()}
_SAID = ("id", "title", "template", "priority", "delivery", "paused", "tells", "fixed")


def packed(part: Composite) -> dict[str, Any]:
    """A part as JSON; what it says of itself as a thing is not in it, for that stays where the service is."""
    return {name: getattr(part, name) for name in _SAID} | {
        "each": sorted(part.each),
        "roles": {name: msgspec.to_builtins(role) for name, role in part.roles.items()},
        "requires": part.requires,
        "steps": [
            {"do": _NAMES[type(step)], **step.model_dump(mode="json", by_alias=True, exclude_defaults=True)}
            for step in part.steps
        ],
    }


def unpacked(said: dict[str, Any]) -> Composite:
    """The part again.

    Raises:
        Invalid: it is none, or has steps that are not known here.
    """
    try:
        steps = []
        for each in said["steps"]:
            fields = dict(each)
            kind = _KINDS.get(fields.pop("do"))
            if kind is None:
                raise Invalid(f"there is no step {each['do']!r} here", "steps")
            steps.append(kind.model_validate(fields))
        return Composite(
            **{name: said[name] for name in _SAID if name not in ("tells", "steps")},
            tells=tuple(said["tells"]),
            each=frozenset(said["each"]),
            roles={name: msgspec.convert(role, Wanted) for name, role in said["roles"].items()},
            requires=tuple(tuple(group) for group in said["requires"]),
            steps=tuple(steps),
            derives={},
            place="",
        )
    except (KeyError, TypeError, AttributeError, ValidationError, msgspec.ValidationError) as error:
        raise Invalid(f"it is no part of a service: {error}"[:300], "part") from None
