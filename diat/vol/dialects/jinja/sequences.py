"""Filters that go through a list: what they apply to each item is paid for beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from jinja2 import Undefined

from diat.vol.dialects.jinja.bounds import MAX_ITEMS, MISSING, Budget, weigh
from diat.vol.dialects.words import Unfit, quoted

Named = Mapping[str, Callable[..., Any]]


def items(values: Iterable[Any]) -> list[Any]:
    """The items as a list, refusing more than ``MAX_ITEMS``."""
    found = list(islice(values, MAX_ITEMS + 1))
    if len(found) > MAX_ITEMS:
        raise Unfit(f"the template goes through more than {MAX_ITEMS} items")
    return found


def attribute(value: Any, path: Any) -> Any:
    """The value at ``a.b.0`` inside; undefined if it is not there."""
    for step in path.split(".") if isinstance(path, str) else [path]:
        key = int(step) if isinstance(value, list | tuple) and str(step).isdigit() else step
        try:
            value = value[key]
        except (LookupError, TypeError):
            return Undefined(name=str(step)[:40])
    return value


def mapping(filters: Named) -> Callable[..., Any]:
    """``map``: an attribute of each item, or a filter applied to each."""

    def each(budget: Budget, values: Iterable[Any], *arguments: Any, **named: Any) -> list[Any]:
        found = items(values)
        budget.spend(len(found) * budget.size)
        if not arguments:
            path, default = named.get("attribute", ""), named.get("default", MISSING)
            told = [attribute(value, path) for value in found]
            if default is not MISSING:
                told = [default if isinstance(value, Undefined) else value for value in told]
            return weigh(told)
        apply = _named(filters, arguments[0])
        return weigh([apply(value, *arguments[1:], **named) for value in found])

    return each


def selecting(tests: Named, *, wanted: bool, by_attribute: bool = False) -> Callable[..., Any]:
    """``select``, ``reject``, ``selectattr`` and ``rejectattr``."""

    def chosen(budget: Budget, values: Iterable[Any], *arguments: Any) -> list[Any]:
        found = items(values)
        budget.spend(len(found) * budget.size)
        path, arguments = (arguments[0], arguments[1:]) if by_attribute else (None, arguments)
        test = _named(tests, arguments[0]) if arguments else bool
        looked_at = [attribute(value, path) if by_attribute else value for value in found]
        kept = zip(found, looked_at, strict=True)
        return [value for value, seen in kept if bool(test(seen, *arguments[1:])) is wanted]

    return chosen


def _named(table: Named, name: Any) -> Callable[..., Any]:
    found = table.get(name) if isinstance(name, str) else None
    if found is None:
        raise Unfit(f"the template applies {quoted(name)}, which is not offered")
    return found


def flatten(values: Iterable[Any], levels: int | None = None) -> list[Any]:
    """The items of lists inside a list, all on one level."""
    flat: list[Any] = []
    for value in items(values):
        inside = isinstance(value, list | tuple) and (levels is None or levels > 0)
        flat.extend(flatten(value, None if levels is None else levels - 1) if inside else [value])
        if len(flat) > MAX_ITEMS:
            raise Unfit(f"the template goes through more than {MAX_ITEMS} items")
    return flat


def union(values: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """The items of both, each once."""
    return list(dict.fromkeys([*items(values), *items(others)]))


def intersection(values: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """The items that are in both."""
    known = set(items(others))
    return [value for value in dict.fromkeys(items(values)) if value in known]


def difference(values: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """The items of the first that are not in the second."""
    known = set(items(others))
    return [value for value in dict.fromkeys(items(values)) if value not in known]


def combined(*objects: Mapping[str, Any]) -> dict[str, Any]:
    """One object from several; what a later one says counts."""
    told: dict[str, Any] = {}
    for each in objects:
        told |= each
    return weigh(told)


def zipped(*lists: Iterable[Any]) -> list[tuple[Any, ...]]:
    """The items of several lists side by side."""
    return weigh(list(zip(*map(items, lists), strict=False)))


def dictsort(value: Mapping[Any, Any], case_sensitive: bool = False, by: str = "key") -> list[Any]:
    """The pairs of an object, sorted."""

    def key(pair: tuple[Any, Any]) -> Any:
        one = pair[1 if by == "value" else 0]
        return one.lower() if isinstance(one, str) and not case_sensitive else one

    return sorted(value.items(), key=key)
