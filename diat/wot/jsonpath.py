"""Questions in JSONPath (RFC 9535) over many descriptions, bounded in time, memory and answer.

The library evaluates; what is ours is that it stops. Every node that a query visits costs one look at the
clock's budget, nodes are forgotten once they are passed, and patterns are matched in linear time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, cast, overload

import jsonschema_rs
import msgspec
from jsonpath import JSONPathEnvironment, JSONPathMatch
from jsonpath.exceptions import JSONPathError
from jsonpath.filter import BaseExpression, RelativeFilterQuery, RootFilterQuery
from jsonpath.function_extensions import ExpressionType, FilterFunction
from jsonpath.parse import Parser
from jsonpath.path import JSONPath
from jsonpath.stream import TokenStream
from jsonpath.token import TOKEN_SELF

SECONDS = 2.0
"""Time for one query."""
MOST = 100_000
"""Values that are selected at most."""
LARGEST = 16 * 1024 * 1024
"""Bytes of an answer at most."""
HELD = 50_000
"""Nodes that a query within a filter may select at most: they are held all at once."""
_LOOK_EVERY = 256
_LONGEST_PATTERN = 1_000

_encode = msgspec.json.Encoder().encode


class Overdrawn(Exception):
    """The query takes too long or selects too much; the text says which."""


class Asked(Sequence[Any]):
    """The array that is asked: each description is made when a query looks at it.

    Args:
        length: how many there are.
        make: makes the one at an index.
    """

    def __init__(self, length: int, make: Callable[[int], Any]) -> None:
        self._length = length
        self._make = make

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self._make(at) for at in range(*index.indices(self._length))]
        at = index if index >= 0 else self._length + index
        if not 0 <= at < self._length:
            raise IndexError(index)
        return self._make(at)


def ask(query: str, asked: Asked, seconds: float = SECONDS) -> bytes:
    """What a query selects, as a JSON array.

    Raises:
        ValueError: it is no JSONPath; the text says why.
        Overdrawn: it takes too long or selects too much.
    """
    budget = _Budget(seconds)
    try:
        compiled = _ENVIRONMENT.compile(query)
        # By the Recommendation's grammar there is one path; only the library's own allows several.
        segments = cast("JSONPath", compiled).segments
        found = _Path(env=_ENVIRONMENT, segments=segments).finditer(asked, filter_context={_BUDGET: budget})
        return _answer(found, budget)
    except (JSONPathError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())[:300] or "nested too deeply") from None


def _answer(found: Iterable[JSONPathMatch], budget: _Budget) -> bytes:
    values: list[bytes] = []
    size = 0
    for node in found:
        for value in _whole(node.obj):
            budget.spend()
            values.append(_encode(value) if not isinstance(value, _Raw) else value.text)
            size += len(values[-1]) + 1
            if len(values) > MOST or size > LARGEST:
                raise Overdrawn(f"it selects more than {MOST} values or {LARGEST} bytes: ask for less")
    return b"[" + b",".join(values) + b"]"


class _Raw:
    """JSON that is encoded already."""

    def __init__(self, text: bytes) -> None:
        self.text = text


def _whole(value: object) -> Iterator[object]:
    """A selected value; of all descriptions as one array, that array in one piece."""
    if not isinstance(value, Asked):
        yield value
        return
    size, parts = 0, []
    for each in value:
        parts.append(_encode(each))
        size += len(parts[-1])
        if size > LARGEST:
            break
    yield _Raw(b"[" + b",".join(parts) + b"]")


_BUDGET = "budget"


class _Budget:
    """What a query may still take."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._left = _LOOK_EVERY

    def spend(self) -> None:
        self._left -= 1
        if self._left <= 0:
            self._left = _LOOK_EVERY
            if time.monotonic() > self._end:
                raise Overdrawn(f"it takes more than {self._seconds:g} s: ask for less")


class _Node(JSONPathMatch):
    """A node that costs, and that does not keep where it was found nor what was found in it."""

    __slots__ = ("budget",)
    budget: _Budget

    @classmethod
    def root_of(cls, obj: object, context: Mapping[str, Any]) -> _Node:
        return cls._made(obj, context[_BUDGET], context, obj)

    @classmethod
    def _made(cls, obj: object, budget: _Budget, context: Mapping[str, Any], root: Any) -> _Node:
        budget.spend()
        node = cls(filter_context=context, obj=obj, parent=None, path="", parts=(), root=root)
        node.budget = budget
        return node

    def new_child(self, obj: object, key: int | str) -> _Node:
        return self._made(obj, self.budget, self._filter_context, self.root)

    def add_child(self, *children: JSONPathMatch) -> None:
        """Keep nothing."""


class _Path(JSONPath):
    """A query whose nodes cost."""

    __slots__ = ()

    def finditer(
        self, data: Any, *, filter_context: Mapping[str, Any] | None = None
    ) -> Iterable[JSONPathMatch]:
        nodes: Iterable[JSONPathMatch] = [_Node.root_of(data, filter_context or {})]
        for segment in self.segments:
            nodes = segment.resolve(nodes)
        return nodes


class _InnerPath(_Path):
    """A query within a filter: what it selects is held all at once."""

    __slots__ = ()

    def finditer(
        self, data: Any, *, filter_context: Mapping[str, Any] | None = None
    ) -> Iterator[JSONPathMatch]:
        for count, node in enumerate(super().finditer(data, filter_context=filter_context)):
            if count >= HELD:
                raise Overdrawn(f"a query within its filters selects more than {HELD} values")
            yield node


class _Parser(Parser):
    def parse_absolute_query(self, stream: TokenStream) -> BaseExpression:
        stream.next()
        return RootFilterQuery(_InnerPath(env=self.env, segments=self.parse_query(stream)))

    def parse_relative_query(self, stream: TokenStream) -> BaseExpression:
        stream.eat(TOKEN_SELF)
        return RelativeFilterQuery(_InnerPath(env=self.env, segments=self.parse_query(stream)))


class _Pattern(FilterFunction):
    """``match`` and ``search``, in linear time whatever the pattern."""

    arg_types: ClassVar = [ExpressionType.VALUE, ExpressionType.VALUE]
    return_type = ExpressionType.LOGICAL

    def __init__(self, frame: str) -> None:
        self._frame = frame

    def __call__(self, value: object, pattern: object) -> bool:
        if not isinstance(value, str) or not isinstance(pattern, str):
            return False
        checked = _compiled(pattern, self._frame)
        return checked is not None and checked.is_valid(value)


@lru_cache(maxsize=256)
def _compiled(pattern: str, frame: str) -> jsonschema_rs.Draft7Validator | None:
    """A pattern as a schema, for there is a matcher without backtracking; None if it is no pattern."""
    if len(pattern) > _LONGEST_PATTERN:
        return None
    try:
        for text in (pattern, frame.format(pattern)):
            made = jsonschema_rs.Draft7Validator(
                {"pattern": text}, pattern_options=jsonschema_rs.RegexOptions()
            )
    except ValueError:
        return None
    return made


class _Environment(JSONPathEnvironment):
    parser_class = _Parser

    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        self.function_extensions |= {"match": _Pattern("^(?:{})$"), "search": _Pattern("{}")}


_ENVIRONMENT = _Environment(strict=True)
