"""The columns of the Parquet files; how a JSON value is spread over typed columns and put together again.

A value fills one column: ``value_number``, ``value_bool``, ``value_text``, or ``value_json`` for objects and
arrays; JSON's null fills none. ``whole`` says that a number was written without a point, so 5 and 5.0 stay
different. A whole number too large to be exact as a double is in ``value_json`` as well.

Times are Unix milliseconds, as in the database.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from diat.adapters.sql.figures import EXACT
from diat.kernel.lazy import Lazy

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = Lazy("pyarrow")

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode

VALUE = ("value_number", "whole", "value_bool", "value_text", "value_json")
"""The columns of a value."""
Columns = tuple[float | None, bool | None, bool | None, str | None, str | None]
"""A value in the columns of ``VALUE``."""
NOTHING: Columns = (None, None, None, None, None)
"""JSON's null."""


def _value_fields() -> list[tuple[str, Any]]:
    return [
        ("value_number", pa.float64()),
        ("whole", pa.bool_()),
        ("value_bool", pa.bool_()),
        ("value_text", pa.string()),
        ("value_json", pa.string()),
    ]


@cache
def readings() -> pa.Schema:
    """Columns of a file of readings."""
    return pa.schema(
        [
            ("thing", pa.int32()),
            ("property", pa.string()),
            ("observed", pa.int64()),
            ("position", pa.int64()),
            ("received", pa.int64()),
            ("boot", pa.string()),
            ("n", pa.int64()),
            ("quality", pa.string()),
            *_value_fields(),
        ],
        metadata={"diat": "readings 1: one row per value, sorted by thing, property, observed, position"},
    )


@cache
def events() -> pa.Schema:
    """Columns of a file of events."""
    return pa.schema(
        [
            ("thing", pa.int32()),
            ("event", pa.string()),
            ("observed", pa.int64()),
            ("position", pa.int64()),
            ("received", pa.int64()),
            ("boot", pa.string()),
            ("n", pa.int64()),
            ("data", pa.string()),
        ],
        metadata={"diat": "events 1: one row per occurrence, sorted by thing, event, observed, position"},
    )


@cache
def hourly() -> pa.Schema:
    """Columns of a file of hourly figures."""
    return pa.schema(
        [
            ("thing", pa.int32()),
            ("property", pa.string()),
            ("hour", pa.int64()),
            ("count", pa.int64()),
            ("numbers", pa.int64()),
            ("min", pa.float64()),
            ("max", pa.float64()),
            ("mean", pa.float64()),
            ("sum", pa.float64()),
            ("all_whole", pa.bool_()),
            ("newest", pa.int64()),
            ("observed", pa.int64()),
            ("position", pa.int64()),
            ("received", pa.int64()),
            *_value_fields(),
        ],
        metadata={
            "diat": "hourly 1: one row per thing, property and hour (its start); count is of values but "
            "null, numbers of numbers, newest the last time of arrival; observed to value_json are of the "
            "last value"
        },
    )


SORTED_BY = {
    "readings": ("thing", "property", "observed", "position"),
    "events": ("thing", "event", "observed", "position"),
    "hourly": ("thing", "property", "hour"),
}
SCHEMAS = {"readings": readings, "events": events, "hourly": hourly}
"""Shelf to its columns."""


def spread(value: Any) -> Columns:
    """A JSON value in the columns of ``VALUE``."""
    kind = type(value)
    if kind is float:
        return value, False, None, None, None
    if kind is bool:
        return None, None, value, None, None
    if kind is int:
        return _whole(value)
    if kind is str:
        return None, None, None, value, None
    if value is None:
        return NOTHING
    return None, None, None, None, _encode(value).decode()


def _whole(value: int) -> Columns:
    if -EXACT <= value <= EXACT:
        return float(value), True, None, None, None
    try:
        near: float | None = float(value)
    except OverflowError:
        near = None
    return near, True, None, None, str(value)


def together(
    number: float | None, whole: bool | None, truth: bool | None, text: str | None, json: str | None
) -> Any:
    """The JSON value of these columns."""
    if json is not None:
        return _decode(json)
    if number is not None:
        return int(number) if whole else number
    return truth if truth is not None else text
