"""Foreign values in our words: names, topics, payloads, and one short line for what cannot be used."""

from __future__ import annotations

from typing import Any

import msgspec

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


def is_topic(value: Any) -> bool:
    """Whether it is the name of a topic: text, not empty, without wildcards."""
    return (
        isinstance(value, str)
        and 0 < len(value.encode(errors="replace")) <= 65_535
        and not any(sign in value for sign in "+#\0")
    )


def as_text(value: Any) -> str:
    """What a payload from a config is on the wire: text as it stands, anything else as JSON."""
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value).decode()
    except RecursionError:
        raise Unfit(f"{quoted(value)} is nested too deep") from None


def spellings(value: Any) -> frozenset[str]:
    """The texts that a payload from a config matches.

    ``true`` also matches ``True``: that is how Jinja prints it.
    """
    try:
        return frozenset({as_text(value), str(value)})
    except RecursionError:
        raise Unfit(f"{quoted(value)} is nested too deep") from None
