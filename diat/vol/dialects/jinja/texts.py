"""Texts and bytes in templates."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from diat.vol.dialects.jinja import bounds
from diat.vol.dialects.words import Unfit, quoted


def truncate(
    value: Any, length: int = 255, killwords: bool = False, end: str = "...", leeway: int = 5
) -> str:
    """The beginning of a text."""
    text = str(value)
    if len(text) <= length + leeway:
        return text
    text = text[: max(0, length - len(end))]
    return (text if killwords else text.rsplit(" ", 1)[0]) + end


def replace(value: Any, old: str, new: str, count: int = -1) -> str:
    """A text with one part replaced by another."""
    text = str(value)
    bounds.text_of(len(text) + (text.count(old) if old else len(text) + 1) * len(new))
    return text.replace(old, new, -1 if count is None else count)


def joined(values: Iterable[Any], separator: Any = "") -> str:
    """What the values print as, with a separator between."""
    return bounds.join(values, str(separator))


def to_json(value: Any, *_: Any, **__: Any) -> str:
    """A value as JSON."""
    try:
        text = msgspec.json.encode(bounds.known(value)).decode()
    except (TypeError, msgspec.EncodeError) as error:
        raise Unfit(f"it cannot be written as JSON: {error}") from None
    bounds.text_of(len(text))
    return text


def from_json(value: Any, default: Any = bounds.MISSING) -> Any:
    """The value that JSON says."""
    try:
        return msgspec.json.decode(bounds.known(value))
    except (TypeError, ValueError):
        if default is not bounds.MISSING:
            return default
        raise Unfit(f"{quoted(value)} is not JSON") from None


def decode_base64(value: Any) -> str:
    """The text that base64 says."""
    return base64.b64decode(str(value), validate=True).decode()


def encode_base64(value: Any) -> str:
    """A text or bytes in base64."""
    raw = value if isinstance(value, bytes) else str(value).encode()
    bounds.text_of(len(raw) * 4 // 3)
    return base64.b64encode(raw).decode()


def decode(value: bytes, encoding: str = "utf-8", *_: Any) -> str:
    """Bytes as text."""
    if encoding.lower() not in {"utf-8", "ascii", "latin-1"}:
        raise Unfit(f"the encoding {quoted(encoding)} is not offered")
    return value.decode(encoding)


def split(text: str, separator: str | None = None, limit: int = -1) -> list[str]:
    """The parts of a text."""
    return text.split(separator, limit)


def unpack(value: Any, pattern: str, offset: int = 0) -> Any:
    """The number, or the numbers, that stand in raw bytes."""
    if not isinstance(value, bytes):
        raise Unfit(f"{quoted(value)} is not raw bytes")
    if len(pattern) > 32 or struct.calcsize(pattern) > bounds.MAX_ITEMS:
        raise Unfit(f"the pattern {quoted(pattern)} is too long")
    found = struct.unpack_from(pattern, value, offset)
    return found[0] if len(found) == 1 else found


def slugify(value: Any, separator: str = "_") -> str:
    """Letters and digits, anything else as a separator."""
    words = "".join(sign if sign.isalnum() else " " for sign in str(value).lower()).split()
    return bounds.join(words, separator)


def digest(of: str) -> Callable[[Any], str]:
    """A function that gives the digest of a text."""
    return lambda value: hashlib.new(of, str(value).encode(), usedforsecurity=False).hexdigest()


def method(of: Callable[..., Any]) -> Callable[..., Any]:
    """A method of text as a filter: what it is given counts as what it prints."""
    return lambda value, *arguments: of(str(value), *arguments)
