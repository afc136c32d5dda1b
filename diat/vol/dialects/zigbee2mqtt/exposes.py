"""What a device exposes: a tree of features, flattened to those that stand for a value or a command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from diat.vol.dialects.words import quoted, word

MAX_FEATURES = 1_000
MAX_DEPTH = 8

_GROUPS = frozenset({"light", "switch", "lock", "cover", "fan", "climate"})
_PUBLISHED, _SETTABLE, _GETTABLE = 1, 2, 4


class Feature(Struct, frozen=True, kw_only=True):
    """A feature that stands for itself.

    Attributes:
        kind: ``binary``, ``numeric``, ``enum``, ``text``, ``list`` or ``composite``.
        name: what it is.
        key: under which its value stands in messages: the name, with the endpoint if there are several.
        group: the specific type that it belongs to (``light``, …), None if to none.
        endpoint: the part of the device that it is of, None for the whole.
        said: as announced.
    """

    kind: str
    name: str
    key: str
    group: str | None
    endpoint: str | None
    said: dict[str, Any]

    @property
    def published(self) -> bool:
        """Whether its value is told (by itself or when asked)."""
        return bool(self._access & (_PUBLISHED | _GETTABLE))

    @property
    def settable(self) -> bool:
        """Whether it takes commands."""
        return bool(self._access & _SETTABLE)

    @property
    def base(self) -> str:
        """Its key without the endpoint."""
        return self.key.removesuffix(f"_{self.endpoint}") if self.endpoint else self.key

    @property
    def title(self) -> str:
        """What people call it."""
        label = word(self.said.get("label"))
        if label is None or (self.group and self.base != self.name):
            words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_\s]+", " ", self.base)
            label = words[:1].upper() + words[1:]
        if self.endpoint and self.endpoint.lower() not in label.lower():
            return f"{label} {self.endpoint}"
        return label

    @property
    def label(self) -> str:
        """How notes name it."""
        return quoted(self.key)

    @property
    def _access(self) -> int:
        access = self.said.get("access")
        # What does not say is taken to be told, as a sensor is.
        return access if isinstance(access, int) else _PUBLISHED


def features(exposes: Any, notes: list[str]) -> list[Feature]:
    """All features that stand for themselves, in the order in which they are announced."""
    if not isinstance(exposes, list):
        notes.append(f"what it exposes must be a list, not {quoted(exposes)}")
        return []
    found: dict[tuple[str, str], Feature] = {}
    for feature in _flattened(exposes, None, None, 0, notes):
        if len(found) == MAX_FEATURES:
            notes.append(f"only the first {MAX_FEATURES} features are taken")
            break
        found.setdefault((feature.key, feature.name), feature)
    return list(found.values())


def _flattened(
    exposes: list[Any], group: str | None, endpoint: str | None, depth: int, notes: list[str]
) -> Iterator[Feature]:
    for said in exposes:
        kind = said.get("type") if isinstance(said, dict) else None
        if not isinstance(said, dict) or not isinstance(kind, str):
            notes.append(f"{quoted(said)} is not a feature")
            continue
        here = word(said.get("endpoint")) or endpoint
        inside = said.get("features")
        key = said.get("property")
        if isinstance(inside, list) and (kind != "composite" or not isinstance(key, str) or not key):
            if depth == MAX_DEPTH:
                notes.append(f"{quoted(kind)}: features nested too deep")
                continue
            known = kind if kind in _GROUPS else group
            yield from _flattened(inside, known, here, depth + 1, notes)
        elif not isinstance(key, str) or not key:
            notes.append(f"{quoted(said.get('name') or kind)}: it does not say its property")
        else:
            name = word(said.get("name")) or key
            yield Feature(kind=kind, name=name, key=key, group=group, endpoint=here, said=said)
