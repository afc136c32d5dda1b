"""Homie's datatypes: the DataSchema of their values, and how these are written in payloads."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from diat.vol.dialects.commands import boolean, finite, tidy, verbal
from diat.vol.dialects.homie import colours
from diat.vol.dialects.homie.tree import Property
from diat.vol.dialects.messages import Message, OneOf, TwoStates, Value
from diat.vol.dialects.values import (
    MAX_INTEGER,
    MAX_TEXT,
    counts_from_zero,
    json_text,
    number,
    plain,
    some_number,
)
from diat.vol.dialects.words import Unfit, quoted

MAX_CHOICES = 1_000

# MQTT takes an empty payload for a deletion, so an empty text travels as one zero byte.
_EMPTY = "\0"
_DURATION = re.compile(
    r"P(?=[0-9T])(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?"
)


class Datatype(Struct, frozen=True):
    """How values of a property look.

    Attributes:
        schema: DataSchema, without title and meaning.
        decode: from a payload to a value; raises ``Unfit``.
        encode: from a value to a payload; raises ``Unfit``.
        notes: what of the declaration was not understood.
    """

    schema: dict[str, Any]
    decode: Callable[[str], Value]
    encode: Callable[[Any], str]
    notes: tuple[str, ...] = ()


class Decoded(Struct, frozen=True):
    """The whole payload, decoded."""

    decode: Callable[[str], Value]

    def __call__(self, message: Message) -> Value:
        """Read the value."""
        return self.decode(message.text)


def datatype(prop: Property, version: int) -> Datatype:
    """The datatype of a property; text if what is declared cannot be used."""
    make = _MAKERS.get(prop.datatype or "")
    if make is None:
        said = "is not announced" if prop.datatype is None else f"{quoted(prop.datatype)} is not known"
        return _text((f"its datatype {said}: it is taken as text",))
    try:
        return make(prop, version)
    except Unfit as unfit:
        return _text((f"{unfit}: it is taken as text",))


def _text(notes: tuple[str, ...] = ()) -> Datatype:
    return Datatype({"type": "string"}, _decode_text, lambda v: verbal(v) or _EMPTY, notes)


def _decode_text(text: str) -> Value:
    if len(text) > MAX_TEXT:
        raise Unfit(f"a text of more than {MAX_TEXT} characters")
    return "" if text == _EMPTY else text


def _integer(prop: Property, _: int) -> Datatype:
    limits, notes = _range(prop.format)
    return Datatype({"type": "integer", **limits}, _decode_integer, _encode_integer, notes)


def _float(prop: Property, _: int) -> Datatype:
    limits, notes = _range(prop.format)
    return Datatype({"type": "number", **limits}, number, lambda v: str(tidy(finite(v))), notes)


def _decode_integer(text: str) -> Value:
    value = number(text)
    if isinstance(value, float):
        return _whole(value)
    return value


def _encode_integer(value: Any) -> str:
    return str(_whole(finite(value)))


def _whole(value: int | float) -> int:
    if value != int(value) or abs(value) > MAX_INTEGER:
        raise Unfit(f"{quoted(value)} is not a whole number of 64 bits")
    return int(value)


def _boolean(prop: Property, _: int) -> Datatype:
    states = TwoStates(frozenset({"true"}), frozenset({"false"}))
    schema: dict[str, Any] = {"type": "boolean"}
    notes: tuple[str, ...] = ()
    if prop.format:
        labels = prop.format.split(",", 8)
        if len(labels) == 2 and all(labels):
            schema["oneOf"] = [
                {"const": value, "title": label} for value, label in zip((False, True), labels, strict=True)
            ]
        else:
            notes = (f"its format {quoted(prop.format)} is not a word for false and one for true",)
    return Datatype(schema, states, lambda value: "true" if boolean(value) else "false", notes)


def _enum(prop: Property, _: int) -> Datatype:
    words = list(dict.fromkeys(w for w in (prop.format or "").split(",", MAX_CHOICES)[:MAX_CHOICES] if w))
    if not words:
        raise Unfit("it is an enum whose format lists no words")
    known = frozenset(words)

    def encode(value: Any) -> str:
        if verbal(value) not in known:
            raise Unfit(f"{quoted(value)} is none of its options")
        return str(value)

    return Datatype({"type": "string", "enum": words}, OneOf(known), encode)


def _colour(prop: Property, version: int) -> Datatype:
    modes = [mode for mode in (prop.format or "").split(",", 8) if mode in colours.CHANNELS]
    if not modes:
        raise Unfit(f"its format {quoted(prop.format)} names no colour space that is known")
    modes = list(dict.fromkeys(modes))
    return Datatype(
        colours.schema(modes),
        lambda text: colours.decode(modes, text),
        lambda value: colours.encode(modes, value, tagged=version >= 5),
    )


def _moment(_: Property, __: int) -> Datatype:
    return Datatype({"type": "string", "format": "date-time"}, _decode_moment, verbal)


def _decode_moment(text: str) -> Value:
    try:
        datetime.fromisoformat(text if len(text) <= 64 else "")
    except ValueError:
        raise Unfit(f"{quoted(text)} is not a time in ISO 8601") from None
    return text


def _duration(_: Property, __: int) -> Datatype:
    return Datatype({"type": "string", "format": "duration"}, _decode_duration, _decode_duration_of_any)


def _decode_duration(text: str) -> str:
    if len(text) > 64 or text.endswith("T") or not _DURATION.fullmatch(text):
        raise Unfit(f"{quoted(text)} is not a duration in ISO 8601")
    return text


def _decode_duration_of_any(value: Any) -> str:
    return _decode_duration(verbal(value))


def _json(prop: Property, _: int) -> Datatype:
    # The JSON Schema in the format may say anything; of it only the outermost type is taken over.
    schema: dict[str, Any] = {}
    notes: tuple[str, ...] = ()
    if prop.format:
        try:
            said = msgspec.json.decode(prop.format)
        except (ValueError, RecursionError):
            said, notes = None, ("its format is not a JSON Schema",)
        if isinstance(said, dict) and said.get("type") in ("array", "object"):
            schema["type"] = said["type"]
    return Datatype(schema, _decode_json, _encode_json, notes)


def _decode_json(text: str) -> Value:
    try:
        value = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        raise Unfit(f"{quoted(text)} is not JSON") from None
    if not isinstance(value, dict | list):
        raise Unfit(f"{quoted(text)} is neither a JSON object nor a list")
    return plain(value)


def _encode_json(value: Any) -> str:
    if not isinstance(value, dict | list):
        raise Unfit(f"{quoted(value)} is neither an object nor a list")
    return json_text(value)


def _range(said: str | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    """``minimum``, ``maximum`` and ``multipleOf``, and a note if the format is not understood."""
    if not said:
        return {}, ()
    try:
        return _bounds(said), ()
    except Unfit as unfit:
        return {}, (f"its format {quoted(said)} is not understood: {unfit}",)


def _bounds(said: str) -> dict[str, Any]:
    """The keywords for ``min:max:step``, of which any may be missing."""
    fields = said.split(":", 4)
    if not 2 <= len(fields) <= 3:
        raise Unfit("it must be min:max or min:max:step")
    low, high, step = (some_number(field) if field else None for field in [*fields, ""][:3])
    if low is not None and high is not None and low > high:
        raise Unfit(f"{low} is above {high}")
    if step is not None and step <= 0:
        raise Unfit("the step must be above 0")
    found = {
        "minimum": low,
        "maximum": high,
        "multipleOf": step if counts_from_zero(low, high, step) else None,
    }
    return {key: value for key, value in found.items() if value is not None}


_MAKERS: dict[str, Callable[[Property, int], Datatype]] = {
    "integer": _integer,
    "float": _float,
    "boolean": _boolean,
    "string": lambda _, __: _text(),
    "enum": _enum,
    "color": _colour,
    "datetime": _moment,
    "duration": _duration,
    "json": _json,
}
