"""A service: what somebody asked for."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Service(Struct, frozen=True, kw_only=True):
    """A service as it is kept.

    Attributes:
        template: name of the composite template that it is made from.
        version: of the template.
        parameters: valid by the template's schema, defaults filled in.
        created: Unix milliseconds, as is ``modified``.
        revision: grows with each change; the ETag.
        fingerprint: what a repeat under the same idempotency key must equal.
    """

    id: str
    title: str
    template: str
    version: int
    parameters: dict[str, Any]
    paused: bool = False
    created: int
    modified: int
    revision: int = 1
    fingerprint: str = ""
