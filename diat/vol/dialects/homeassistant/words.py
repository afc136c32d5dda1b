"""How this package says that something cannot be used, in one short line."""

from __future__ import annotations

from typing import Any

from diat.kernel.errors import Invalid


class Unfit(Invalid):
    """A piece of an announcement, a template or a message cannot be used; the text becomes a note.

    It never leaves the package: whoever builds or reads an affordance turns it into a note or a refusal.
    """


def quoted(value: Any, limit: int = 60) -> str:
    """Write a foreign value into a one-line message: quoted, on one line, at most ``limit`` characters."""
    if isinstance(value, str | bytes):
        text = repr(value[:limit])
        return text if len(value) <= limit else f"{text}…"
    if isinstance(value, dict | list):
        return "a JSON object" if isinstance(value, dict) else "a JSON list"
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}…"


def word(value: Any) -> str | None:
    """A name or id from an announcement: text that is not blank, or a number as text; else None."""
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
