"""The filters, tests, functions and methods that templates may use.

They are those of Home Assistant that devices put into their announcements and that need neither its state
nor a clock. To offer another one, write it here; whatever can grow a value goes through ``bounds``.
"""

from __future__ import annotations

import base64
import math
import operator
import statistics
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice
from typing import Any, cast

import msgspec
from jinja2 import Undefined
from jinja2.exceptions import UndefinedError
from jinja2.tests import TESTS as JINJA_TESTS

from diat.vol.dialects.jinja import bounds, patterns, times
from diat.vol.dialects.words import Unfit, quoted


def _number(value: Any, kind: Callable[[Any], Any], default: Any) -> Any:
    try:
        return kind("" if isinstance(value, str) and len(value) > 64 else value)
    except (TypeError, ValueError, OverflowError, UndefinedError):
        if default is not bounds.MISSING:
            return default
        raise Unfit(
            f"{quoted(bounds.known(value))} is not a number, and the template has no default"
        ) from None


def _float(value: Any, default: Any = bounds.MISSING) -> Any:
    return _number(value, float, default)


def _int(value: Any, default: Any = bounds.MISSING, base: int = 10) -> Any:
    return _number(
        value, lambda v: int(v, base) if isinstance(v, str) and base != 10 else int(float(v)), default
    )


def _round(value: Any, precision: int = 0, method: str = "common", default: Any = bounds.MISSING) -> Any:
    number = _number(value, float, default)
    if number is default:
        return default
    if abs(precision) > 15:
        raise Unfit("the template rounds to more than 15 digits")
    factor = 10**precision
    match method:
        case "ceil":
            number = math.ceil(number * factor) / factor
        case "floor":
            number = math.floor(number * factor) / factor
        case "half":
            number = round(number * 2) / 2
        case _:
            number = round(number, precision)
    return int(number) if precision == 0 and method != "half" else number


def _default(value: Any, default: Any = "", boolean: bool = False) -> Any:
    return default if isinstance(value, Undefined) or (boolean and not value) else value


def _iif(value: Any, if_true: Any = True, if_false: Any = False, if_none: Any = bounds.MISSING) -> Any:
    if value is None and if_none is not bounds.MISSING:
        return if_none
    return if_true if value else if_false


def _truncate(
    value: Any, length: int = 255, killwords: bool = False, end: str = "...", leeway: int = 5
) -> str:
    text = str(value)
    if len(text) <= length + leeway:
        return text
    text = text[: max(0, length - len(end))]
    return (text if killwords else text.rsplit(" ", 1)[0]) + end


def _replace(value: Any, old: str, new: str, count: int = -1) -> str:
    text = str(value)
    bounds.text_of(len(text) + (text.count(old) if old else len(text) + 1) * len(new))
    return text.replace(old, new, -1 if count is None else count)


def _join(values: Iterable[Any], separator: Any = "") -> str:
    return bounds.join(values, str(separator))


def _to_json(value: Any, *_: Any, **__: Any) -> str:
    try:
        text = msgspec.json.encode(bounds.known(value)).decode()
    except (TypeError, msgspec.EncodeError) as error:
        raise Unfit(f"it cannot be written as JSON: {error}") from None
    bounds.text_of(len(text))
    return text


def _from_json(value: Any, default: Any = bounds.MISSING) -> Any:
    try:
        return msgspec.json.decode(bounds.known(value))
    except (TypeError, ValueError):
        if default is not bounds.MISSING:
            return default
        raise Unfit(f"{quoted(value)} is not JSON") from None


def _range(*arguments: int) -> range:
    numbers = range(*arguments)
    if len(numbers) > bounds.MAX_ITEMS:
        raise Unfit(f"the template counts over more than {bounds.MAX_ITEMS} numbers")
    return numbers


def _bits(of: Callable[[int, int], int]) -> Callable[[Any, Any], int]:
    return lambda value, other: of(int(bounds.known(value)), int(other))


def _float_of(of: Callable[[float], float]) -> Callable[[Any], float]:
    return lambda value: of(float(bounds.known(value)))


def _first(values: Iterable[Any]) -> Any:
    return next(iter(values), Undefined(name="first"))


def _decode_base64(value: Any) -> str:
    return base64.b64decode(str(value), validate=True).decode()


def _split(text: str, separator: str | None = None, limit: int = -1) -> list[str]:
    return text.split(separator, limit)


def _method(of: Callable[..., Any]) -> Callable[..., Any]:
    """A method of text as a filter: what it is given counts as what it prints."""
    return lambda value, *arguments: of(str(value), *arguments)


FILTERS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "add": lambda value, other: bounds.add(_number(value, float, bounds.MISSING), float(other)),
    "as_datetime": times.as_datetime,
    "as_timestamp": times.as_timestamp,
    "base64_decode": _decode_base64,
    "bitwise_and": _bits(operator.and_),
    "bitwise_or": _bits(operator.or_),
    "bitwise_xor": _bits(operator.xor),
    "bool": lambda value, default=False: (
        str(value).lower() in {"true", "1", "on", "yes", "enable"} or bool(default)
    ),
    "capitalize": _method(str.capitalize),
    "count": len,
    "d": _default,
    "default": _default,
    "first": _first,
    "float": _float,
    "format": bounds.fill_percent,
    "from_json": _from_json,
    "iif": _iif,
    "int": _int,
    "is_defined": bounds.known,
    "is_number": lambda value: _number(value, float, None) is not None,
    "items": lambda value: list(value.items()),
    "join": _join,
    "last": lambda values: values[-1],
    "length": len,
    "list": list,
    "lower": _method(str.lower),
    "max": max,
    "min": min,
    "multiply": lambda value, factor: bounds.multiply(_number(value, float, bounds.MISSING), float(factor)),
    "ord": ord,
    "replace": _replace,
    "reverse": lambda value: value[::-1],
    "round": _round,
    "sort": lambda values, reverse=False: sorted(values, reverse=bool(reverse)),
    "sqrt": _float_of(math.sqrt),
    "string": str,
    "sum": lambda values, attribute=None, start=0: sum(islice(values, bounds.MAX_ITEMS), start),
    "timestamp_custom": times.timestamp_custom,
    "timestamp_local": times.timestamp_utc,
    "timestamp_utc": times.timestamp_utc,
    "title": _method(str.title),
    "to_json": _to_json,
    "tojson": _to_json,
    "trim": _method(str.strip),
    "truncate": _truncate,
    "unique": lambda values: list(dict.fromkeys(values)),
    "upper": _method(str.upper),
}

_JINJA_TESTS = (
    *("defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "number", "string"),
    *("mapping", "sequence", "iterable", "odd", "even", "divisibleby", "in", "lower", "upper"),
    *("==", "eq", "!=", "ne", "<", "lt", "<=", "le", ">", "gt", ">=", "ge"),
)
TESTS: dict[str, Callable[..., Any]] = {
    **{name: cast("Callable[..., Any]", JINJA_TESTS[name]) for name in _JINJA_TESTS},
    "is_number": FILTERS["is_number"],
}

PATTERN_FILTERS: dict[str, Callable[..., Any]] = {
    "regex_findall": patterns.findall,
    "regex_findall_index": patterns.findall_index,
    "regex_match": patterns.match,
    "regex_replace": patterns.replace,
    "regex_search": patterns.search,
}
PATTERN_TESTS: dict[str, Callable[..., Any]] = {"match": patterns.match, "search": patterns.search}
"""These take the budget before what they are applied to."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "as_datetime": times.as_datetime,
    "as_timestamp": times.as_timestamp,
    "average": lambda *values: statistics.fmean(values[0] if len(values) == 1 else values),
    "bool": FILTERS["bool"],
    "float": _float,
    "iif": _iif,
    "int": _int,
    "is_number": FILTERS["is_number"],
    "log": math.log,
    "max": max,
    "min": min,
    "range": _range,
    "sqrt": math.sqrt,
    "strptime": times.strptime,
}

METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    str: {
        **{
            name: getattr(str, name)
            for name in (
                *("capitalize", "casefold", "count", "endswith", "find", "index", "isalpha", "isdigit"),
                *("isnumeric", "lower", "lstrip", "removeprefix", "removesuffix", "rfind", "rstrip"),
                *("startswith", "strip", "title", "upper"),
            )
        },
        "format": bounds.fill_braces,
        "join": lambda separator, values: bounds.join(values, separator),
        "replace": _replace,
        "split": _split,
    },
    dict: {"get": dict.get, "items": dict.items, "keys": dict.keys, "values": dict.values},
    list: {"count": list.count, "index": list.index},
    tuple: {"count": tuple.count, "index": tuple.index},
    datetime: {"isoformat": datetime.isoformat, "strftime": times.strftime, "timestamp": datetime.timestamp},
}
"""Methods by the type that has them; anything else is not there."""
