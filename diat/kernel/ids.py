"""Ids are passed in, never made in the middle of something."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable

NewId = Callable[[], str]
"""Answers with an id that no other will have."""

_DERIVED = uuid.UUID("6f3b5c1e-6c0f-4a57-9a0e-3d1f8f6a8f6e")


def random_id() -> str:
    """20 hexadecimal digits: short enough for a chip, long enough never to meet another."""
    return secrets.token_hex(10)


def derived_id(*parts: str) -> str:
    """The same id for the same parts, always: how an idempotency key becomes the id of what it made."""
    return uuid.uuid5(_DERIVED, "\x1f".join(parts)).hex[:20]
