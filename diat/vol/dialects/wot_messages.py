"""Messages of things with Thing Descriptions of their own: bare values, as JSON or as plain text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from diat.vol.dialects.port import Outgoing, Refusal, Uptake
from diat.vol.dialects.values import json_text, plain
from diat.vol.dialects.words import Unfit, quoted
from diat.wire.envelope import Garbled, read_json
from diat.wire.topics import NATIVE_LIMIT

MAX_NOTES = 20
"""Of one message."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,3})?")
_TRUTHS = {
    "true": True,
    "on": True,
    "yes": True,
    "1": True,
    "false": False,
    "off": False,
    "no": False,
    "0": False,
}


class Coding(Struct, frozen=True):
    """How a value travels.

    Attributes:
        form: ``json``, ``text``, or ``either`` where the description leaves it open: JSON is written, and
            what comes is read as text if it is no JSON.
        type: the JSON type of the value by its schema, None if it does not say.
    """

    form: Literal["json", "text", "either"]
    type: str | None = None

    def decode(self, payload: bytes) -> Any:
        """The value in a message.

        Raises:
            Unfit: there is none.
        """
        if self.form == "text":
            return _from_text(_text(payload), self.type)
        value = read_json(payload)
        if self.form == "json" and isinstance(value, Garbled):
            raise Unfit(f"not JSON: {value.reason}")
        if isinstance(value, Garbled) or (self.form == "either" and _bare_text(value, self.type)):
            return _from_text(_text(payload), self.type)
        return plain(value)

    def encode(self, value: Any) -> bytes:
        """The message with a value.

        Raises:
            Unfit: it cannot be written so.
        """
        if self.form != "text":
            return json_text(value).encode()
        if isinstance(value, Mapping | list):
            raise Unfit("an object or a list cannot be written as plain text")
        try:
            return (value if isinstance(value, str) else json_text(value)).encode()
        except UnicodeEncodeError as error:
            raise Unfit(f"it cannot be written: {error.reason}") from None


def coding(form: Mapping[str, Any], kind: Any, *, reading: bool) -> Coding | str:
    """How the messages of a form are coded; a text if in a way that we do not know."""
    if isinstance(form.get("contentCoding"), str):
        return f"content coding {quoted(form['contentCoding'])} is not understood"
    response = form.get("response")
    said = form.get("contentType")
    if reading and isinstance(response, Mapping):
        said = response.get("contentType", said)
    known = kind if isinstance(kind, str) else None
    if not isinstance(said, str):
        return Coding("either", known)
    media = said[:200].partition(";")[0].strip().lower()
    if media.endswith(("/json", "+json")):
        return Coding("json", known)
    return (
        Coding("text", known) if media == "text/plain" else f"content type {quoted(said)} is not understood"
    )


class Feed(Struct, frozen=True):
    """A property that is read from a topic, or an event that is told there.

    Attributes:
        bare: it is an event without data, so that an empty message tells it.
    """

    name: str
    coding: Coding
    event: bool = False
    bare: bool = False


class ValueInlet(Struct, frozen=True):
    """Reads one topic on which the bare value of a property, or the bare data of an event, comes.

    If several share the topic, an object there is taken for all of them by name.
    """

    topic: str
    feeds: tuple[Feed, ...]

    def read(self, payload: bytes) -> Uptake:
        """Say what the message means."""
        if not payload:
            return Uptake(events=tuple((feed.name, None) for feed in self.feeds if feed.bare))
        if (flaw := _unreadable(self.topic, payload)) is not None:
            return flaw
        read: dict[Coding, Any] = {}
        values: dict[str, Any] = {}
        events: list[tuple[str, Any]] = []
        notes: list[str] = []
        together = _object(payload) if len(self.feeds) > 1 else None
        for feed in self.feeds:
            if together is not None and feed.coding.form != "text":
                if feed.name not in together:
                    continue
                value = together[feed.name]
            else:
                if feed.coding not in read:
                    read[feed.coding] = _decoded(feed.coding, payload)
                value = read[feed.coding]
            if isinstance(value, Unfit):
                notes.append(f"{quoted(feed.name)}: {value}")
                continue
            if feed.event:
                events.append((feed.name, value))
            else:
                values[feed.name] = value
        return Uptake(values, tuple(events), notes=tuple(notes[:MAX_NOTES]))


class ObjectInlet(Struct, frozen=True):
    """Reads one topic on which all properties come, or some of them, as one JSON object."""

    topic: str
    names: frozenset[str]

    def read(self, payload: bytes) -> Uptake:
        """Say what the message means; names that are none of the properties do not count."""
        if (flaw := _unreadable(self.topic, payload)) is not None:
            return flaw
        try:
            said = Coding("json").decode(payload)
        except Unfit as error:
            return Uptake(notes=(f"{self.topic[:200]}: {error}",))
        if not isinstance(said, dict):
            return Uptake(notes=(f"{self.topic[:200]}: not an object of properties",))
        return Uptake({name: value for name, value in said.items() if name in self.names})


class ValueOutlet(Struct, frozen=True, kw_only=True):
    """Publishes the bare value of a property, or the bare input of an action."""

    topic: str
    coding: Coding
    qos: int = 1
    retain: bool = False
    confirmed_by: str | None = None
    idempotent: bool = False
    action: bool = False

    def write(self, value: Any) -> Outgoing | Refusal:
        """Make the message."""
        try:
            payload = b"" if self.action and value is None else self.coding.encode(value)
        except Unfit as error:
            return Refusal(str(error))
        return Outgoing(self.topic, payload, self.qos, self.retain)


def _decoded(coding: Coding, payload: bytes) -> Any:
    try:
        return coding.decode(payload)
    except Unfit as error:
        return error


def _object(payload: bytes) -> dict[str, Any] | None:
    """The JSON object that a message is, None if it is none that can be used."""
    try:
        value = Coding("json").decode(payload)
    except Unfit:
        return None
    return value if isinstance(value, dict) else None


def _bare_text(value: Any, kind: str | None) -> bool:
    """Whether what happens to be JSON (``21``, ``true``) was meant as text."""
    return kind == "string" and not isinstance(value, str)


def _unreadable(topic: str, payload: bytes) -> Uptake | None:
    if not payload:  # a retained value that was cleared
        return Uptake()
    if len(payload) > NATIVE_LIMIT:
        return Uptake(notes=(f"{topic[:200]}: larger than {NATIVE_LIMIT} bytes",))
    return None


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise Unfit("not UTF-8") from None


def _from_text(text: str, kind: str | None) -> Any:
    """The value that a plain text means where a value of this type is expected."""
    if kind in (None, "string"):
        return text
    word = text.strip()
    if kind == "boolean" and word.lower() in _TRUTHS:
        return _TRUTHS[word.lower()]
    if kind in ("number", "integer") and _NUMBER.fullmatch(word):
        number = float(word)
        return plain(int(number) if kind == "integer" and number.is_integer() else number)
    if kind in ("object", "array", "null"):
        value = read_json(text.encode())
        if not isinstance(value, Garbled):
            return plain(value)
    raise Unfit(f"{quoted(text)} is no {kind}")
