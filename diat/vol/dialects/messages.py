"""State messages, and how the value of a property is read from one.

An extract takes a message and gives the value, ``UNSET`` if the message has none for it, or raises ``Unfit``
with one line. Messages on one topic are decoded once for all the properties that are read from them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType

from diat.vol.dialects.jinja.templates import Template
from diat.vol.dialects.words import Unfit, quoted

Value: TypeAlias = Any | UnsetType
Decoder: TypeAlias = Callable[[str], Value]

_ABSENT = frozenset({"", "None", "none", "null", "unknown", "unavailable"})
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


class NotJson(Unfit):
    """The message should be JSON and is not."""


class Message:
    """A state message.

    Attributes:
        text: its payload.
        raw: its payload as bytes, if it was announced not to be text; ``text`` is then what it would be.
    """

    __slots__ = ("_json", "raw", "text")

    def __init__(self, text: str, raw: bytes | None = None) -> None:
        self.text = text
        self.raw = raw
        self._json: Any = UNSET

    @classmethod
    def unread(cls, payload: bytes) -> Message:
        """A message that is not text, or need not be."""
        return cls(payload.decode("utf-8", "replace"), payload)

    @property
    def json(self) -> Any:
        """Its payload decoded.

        Raises:
            NotJson: it is not JSON.
        """
        if self._json is UNSET:
            try:
                self._json = msgspec.json.decode(self.text)
            except (ValueError, RecursionError):
                self._json = NotJson(f"{quoted(self.text)} is not JSON")
        if isinstance(self._json, NotJson):
            raise NotJson(str(self._json))
        return self._json


Extract: TypeAlias = Callable[[Message], Value]


class Rendered(Struct, frozen=True):
    """The text of a message, through a template if there is one, decoded."""

    decode: Decoder
    template: Template | None = None

    def __call__(self, message: Message) -> Value:
        """Read the value."""
        if self.template is None:
            return self.decode(message.text)
        names: dict[str, Any] = {"value": message.text if message.raw is None else message.raw}
        garbled: NotJson | None = None
        if "value_json" in self.template.names:
            try:
                names["value_json"] = message.json
            except NotJson as error:
                garbled = error  # templates may ask whether value_json is defined
        text = self.template.render(names, len(message.text))
        if text is not None:
            return self.decode(text)
        if garbled is not None:
            raise garbled
        return UNSET


class Field(Struct, frozen=True):
    """A field of a message that is a JSON object, decoded; null is no value."""

    key: str
    decode: Callable[[Any], Value]

    def __call__(self, message: Message) -> Value:
        """Read the value."""
        content = message.json
        if not isinstance(content, dict):
            raise NotJson(f"{quoted(message.text)} is not a JSON object")
        value = content.get(self.key)
        return UNSET if value is None else self.decode(value)


class TwoStates(Struct, frozen=True):
    """True and false by the texts that mean them."""

    on: frozenset[str]
    off: frozenset[str]

    def __call__(self, text: str) -> bool | UnsetType:
        """Decode a text."""
        if text in self.on:
            return True
        if text in self.off:
            return False
        if text in _ABSENT:
            return UNSET
        expected = " nor ".join(quoted(min(texts)) for texts in (self.on, self.off) if texts)
        raise Unfit(f"{quoted(text)} is neither {expected}")


class OneOf(Struct, frozen=True):
    """One of several words."""

    words: frozenset[str]

    def __call__(self, text: str) -> str | UnsetType:
        """Decode a text."""
        if text in self.words:
            return text
        if text in _ABSENT:
            return UNSET
        raise Unfit(f"{quoted(text)} is none of its options")


class Renamed(Struct, frozen=True):
    """One of several words, each by the text that means it."""

    words: dict[str, str]

    def __call__(self, text: str) -> str | UnsetType:
        """Decode a text."""
        if text in self.words:
            return self.words[text]
        if text in _ABSENT:
            return UNSET
        raise Unfit(f"{quoted(text)} is none of {', '.join(map(quoted, self.words))}"[:300])


def number(text: str) -> int | float | UnsetType:
    """Decode a number; a whole one is an int."""
    text = text.strip()
    if not _NUMBER.fullmatch(text) or len(text) > 64:
        if text in _ABSENT:
            return UNSET
        raise Unfit(f"{quoted(text)} is not a number")
    value = float(text)
    if not math.isfinite(value):
        raise Unfit(f"{quoted(text)} is out of range")
    return int(text) if text.lstrip("+-").isdigit() else value


def some_text(text: str) -> str | UnsetType:
    """Decode text."""
    return UNSET if text in _ABSENT else text
