"""The filters, tests, functions and methods that templates may use.

They are those of Home Assistant that devices put into their announcements, or may, and that need neither its
state nor a clock. To offer another one, write it here; whatever can grow a value goes through ``bounds``.
"""

from __future__ import annotations

import math
import operator
import statistics
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, cast

from jinja2 import Undefined
from jinja2.tests import TESTS as JINJA_TESTS
from jinja2.utils import Namespace

from diat.vol.dialects.jinja import bounds, numbers, patterns, sequences, texts, times


def _default(value: Any, default: Any = "", boolean: bool = False) -> Any:
    return default if isinstance(value, Undefined) or (boolean and not value) else value


def _iif(value: Any, if_true: Any = True, if_false: Any = False, if_none: Any = bounds.MISSING) -> Any:
    if value is None and if_none is not bounds.MISSING:
        return if_none
    return if_true if value else if_false


def _first(values: Iterable[Any]) -> Any:
    return next(iter(values), Undefined(name="first"))


class _Notes(Namespace):
    """What ``namespace()`` gives: values that a loop may change."""

    def __repr__(self) -> str:
        # Those that hold each other would print without end.
        return "namespace"


FILTERS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "add": numbers.add,
    "as_datetime": times.as_datetime,
    "as_timestamp": times.as_timestamp,
    "average": lambda values: statistics.fmean(sequences.items(values)),
    "base64_decode": texts.decode_base64,
    "base64_encode": texts.encode_base64,
    "bitwise_and": numbers.bitwise(operator.and_),
    "bitwise_or": numbers.bitwise(operator.or_),
    "bitwise_xor": numbers.bitwise(operator.xor),
    "bool": lambda value, default=False: (
        str(value).lower() in {"true", "1", "on", "yes", "enable"} or bool(default)
    ),
    "capitalize": texts.method(str.capitalize),
    "clamp": numbers.clamp,
    "combine": sequences.combined,
    "contains": operator.contains,
    "cos": numbers.function_of(math.cos),
    "count": len,
    "d": _default,
    "default": _default,
    "dictsort": sequences.dictsort,
    "difference": sequences.difference,
    "first": _first,
    "flatten": sequences.flatten,
    "float": numbers.as_float,
    "format": bounds.fill_percent,
    "from_json": texts.from_json,
    "iif": _iif,
    "int": numbers.as_int,
    "intersect": sequences.intersection,
    "is_defined": bounds.known,
    "is_number": lambda value: numbers.number(value, float, None) is not None,
    "items": lambda value: list(value.items()),
    "join": texts.joined,
    "last": lambda values: values[-1],
    "length": len,
    "list": list,
    "log": lambda value, base=math.e: math.log(float(bounds.known(value)), base),
    "lower": texts.method(str.lower),
    "max": max,
    "md5": texts.digest("md5"),
    "median": lambda values: statistics.median(sequences.items(values)),
    "min": min,
    "multiply": numbers.multiply,
    "ord": ord,
    "remap": numbers.remap,
    "replace": texts.replace,
    "reverse": lambda value: value[::-1],
    "round": numbers.rounded,
    "sha256": texts.digest("sha256"),
    "sin": numbers.function_of(math.sin),
    "slugify": texts.slugify,
    "sort": lambda values, reverse=False: sorted(values, reverse=bool(reverse)),
    "sqrt": numbers.function_of(math.sqrt),
    "string": str,
    "sum": lambda values, attribute=None, start=0: sum(islice(values, bounds.MAX_ITEMS), start),
    "timestamp_custom": times.timestamp_custom,
    "timestamp_local": times.timestamp_utc,
    "timestamp_utc": times.timestamp_utc,
    "title": texts.method(str.title),
    "to_json": texts.to_json,
    "tojson": texts.to_json,
    "trim": texts.method(str.strip),
    "truncate": texts.truncate,
    "union": sequences.union,
    "unique": lambda values: list(dict.fromkeys(values)),
    "unpack": texts.unpack,
    "upper": texts.method(str.upper),
    "zip": sequences.zipped,
}

_JINJA_TESTS = (
    *("defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "number", "string"),
    *("mapping", "sequence", "iterable", "odd", "even", "divisibleby", "in", "lower", "upper"),
    *("==", "eq", "!=", "ne", "<", "lt", "<=", "le", ">", "gt", ">=", "ge"),
)
TESTS: dict[str, Callable[..., Any]] = {
    **{name: cast("Callable[..., Any]", JINJA_TESTS[name]) for name in _JINJA_TESTS},
    "contains": operator.contains,
    "equalto": operator.eq,
    "is_number": FILTERS["is_number"],
    "list": lambda value: isinstance(value, list),
}

PAYING_FILTERS: dict[str, Callable[..., Any]] = {
    "map": sequences.mapping(FILTERS),
    "reject": sequences.selecting(TESTS, wanted=False),
    "rejectattr": sequences.selecting(TESTS, wanted=False, by_attribute=True),
    "select": sequences.selecting(TESTS, wanted=True),
    "selectattr": sequences.selecting(TESTS, wanted=True, by_attribute=True),
    "regex_findall": patterns.findall,
    "regex_findall_index": patterns.findall_index,
    "regex_match": patterns.match,
    "regex_replace": patterns.replace,
    "regex_search": patterns.search,
}
PAYING_TESTS: dict[str, Callable[..., Any]] = {"match": patterns.match, "search": patterns.search}
"""These take the budget before what they are applied to."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "as_datetime": times.as_datetime,
    "as_timestamp": times.as_timestamp,
    "average": lambda *values: statistics.fmean(values[0] if len(values) == 1 else values),
    "bool": FILTERS["bool"],
    "dict": lambda *pairs, **named: sequences.combined(*map(dict, pairs), named),
    "float": numbers.as_float,
    "iif": _iif,
    "int": numbers.as_int,
    "is_number": FILTERS["is_number"],
    "list": FILTERS["list"],
    "log": math.log,
    "max": max,
    "median": lambda *values: statistics.median(values[0] if len(values) == 1 else values),
    "min": min,
    "namespace": _Notes,
    "range": numbers.counting,
    "sqrt": math.sqrt,
    "strptime": times.strptime,
    "unpack": texts.unpack,
    "zip": sequences.zipped,
}

METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    bytes: {"decode": texts.decode, "hex": bytes.hex},
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
        "replace": texts.replace,
        "split": texts.split,
    },
    dict: {"get": dict.get, "items": dict.items, "keys": dict.keys, "values": dict.values},
    list: {"count": list.count, "index": list.index},
    tuple: {"count": tuple.count, "index": tuple.index},
    datetime: {"isoformat": datetime.isoformat, "strftime": times.strftime, "timestamp": datetime.timestamp},
    timedelta: {"total_seconds": timedelta.total_seconds},
}
"""Methods by the type that has them; anything else is not there."""
