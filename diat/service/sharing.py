"""Sharing: equal requests are done by one composite, as long as anybody wants it.

Invariant: a composite runs for the services that use it, the oldest of which names it; it rests when all of
them do, and ends with the last.
"""

from __future__ import annotations

from typing import Any

import msgspec

from diat.cvol.template import Template
from diat.kernel.overlay import Index, Ledger, Overlay
from diat.wot.quantities import quantity_kind
from diat.wot.units import ucum


class Sharing:
    """Which services use which composite; changed by the writer alone."""

    def __init__(self, ledger: Ledger) -> None:
        self._users: Index[str] = ledger.index()
        self._doing: Overlay[str, str] = ledger.overlay()
        self._content: Overlay[str, str] = ledger.overlay()

    def find(self, content: str | None) -> str | None:
        """The composite that does just this, if there is one that may be shared."""
        return None if content is None else self._doing.get(content)

    def users(self, composite: str) -> list[str]:
        """The services that use a composite, in the order in which they came to it."""
        return self._users.members(composite)

    def committed(self, composite: str) -> list[str]:
        """The same as it is durable; any thread may ask."""
        return list(self._users.committed.get(composite, ()))

    def join(self, service: str, composite: str, content: str | None) -> None:
        """A service uses a composite, which does what ``content`` says from now on."""
        self._users.add(composite, service)
        if self._content.get(composite) == content:
            return
        self._forget(composite)
        if content is not None and self._doing.get(content) is None:
            self._doing.put(content, composite)
            self._content.put(composite, content)

    def leave(self, service: str, composite: str) -> None:
        """A service uses a composite no more."""
        self._users.discard(composite, service)
        if not self.users(composite):
            self._forget(composite)

    def _forget(self, composite: str) -> None:
        content = self._content.get(composite)
        if content is not None:
            self._doing.remove(content)
            self._content.remove(composite)


def content_of(template: Template, parameters: dict[str, Any], acting: str = "") -> str | None:
    """What must be equal for two services to be done by one composite, however it is spelled.

    None for a template with settings: what one of them sets would change what the other gets.

    Args:
        template: what they are made from.
        parameters: of the template.
        acting: as whom they act (``Service.acting``).
    """
    if template.settings:
        return None
    schemas = template.parameters.get("properties", {})
    plain = {name: _plain(value, schemas.get(name)) for name, value in parameters.items()}
    return msgspec.json.encode([template.name, plain, acting], order="deterministic").decode()


def _plain(value: Any, schema: Any = None) -> Any:
    """One spelling for equal values."""
    kind = schema.get("format") if isinstance(schema, dict) else None
    if isinstance(value, str) and kind == "quantity":
        return quantity_kind(value) or value
    if isinstance(value, str) and kind == "unit":
        return ucum(value) or value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value
